"""Everything that can be found wrong, by its name. docs/troubleshooting.md has a line for each."""

from pairquiz_server.doctor.faults import database, here, itself, outside, play, redis, tokens
from pairquiz_server.doctor.finding import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for module in (here, tokens, database, redis, outside, play, itself)
    for fault in vars(module).values()
    if isinstance(fault, Fault)
}
