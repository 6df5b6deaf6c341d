"""A fault as docs/troubleshooting.md has it."""

from string import Formatter

from pairquiz_server.doctor.finding import Fault


def filled(template: str) -> str:
    """A template with what it is filled with in capitals."""
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    return template.format_map({name: name.upper() for name in names})


def row(fault: Fault) -> str:
    """The row of a fault."""
    return f"| `{fault.name}` | {filled(fault.says)} | `{filled(fault.mend)}` |"
