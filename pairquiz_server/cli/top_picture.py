"""How the servers fare, as a picture for a terminal, and as lines where there is none."""

from collections.abc import Iterator
from math import isinf

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pairquiz_server.cli.fares import SILENT_MS, Fare
from pairquiz_server.cli.telling import span
from pairquiz_server.protocol.admin import Overview
from pairquiz_server.terminal.words import shown

_REFUSALS_SHOWN = 6
_HEADS = (
    *("node", "players", "ws", "poll", "matches", "seek"),
    *("answers/s", "p50", "p99", "lag-p99", "cpu", "memory", "pool"),
)


def picture(overview: Overview, fares: list[Fare], together: Fare) -> RenderableType:
    """Return all that is known, as a table of processes and some lines about what they share."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in _HEADS:
        table.add_column(head, justify="left" if head == "node" else "right", no_wrap=True)
    table.add_column("", no_wrap=False)
    for fare in fares:
        table.add_row(*_cells(fare), _warnings(fare))
    if len(fares) != 1:
        table.add_row(*_cells(together), _warnings(together), style="bold")
    return Group(table, "", *(Text(line) for line in _shared(overview, together)))


def lines(overview: Overview, fares: list[Fare], together: Fare) -> Iterator[str]:
    """Return the same as plain lines: one for each process, one for all, and one for the database."""
    for fare in (*fares, *([together] if len(fares) != 1 else [])):
        told = [f"{head} {cell}" for head, cell in zip(_HEADS[1:], _cells(fare)[1:], strict=True)]
        yield f"{shown(fare.name)}: {', '.join(told)}" + (f" ({_warnings(fare)})" if _warnings(fare).plain else "")
    yield "; ".join(_shared(overview, together))


def _cells(fare: Fare) -> tuple[str, ...]:
    return (
        shown(fare.name),
        str(fare.players),
        str(fare.websockets),
        str(fare.polling),
        str(fare.matches),
        str(fare.seekers),
        "-" if fare.answers_per_s is None else f"{fare.answers_per_s:.1f}",
        _ms(fare.p50_ms),
        _ms(fare.p99_ms),
        _ms(fare.loop_lag_p99_ms),
        "-" if fare.cpu_percent is None else f"{fare.cpu_percent:.0f} %",
        f"{fare.memory_bytes / 1024**2:.0f} MiB",
        f"{fare.pool_lent}/{fare.pool_limit}",
    )


def _ms(amount: float | None) -> str:
    if amount is None:
        return "-"
    if isinf(amount):
        return "> 3 s"
    return f"{amount:.1f} ms" if amount < 100 else f"{amount:.0f} ms"


def _warnings(fare: Fare) -> Text:
    """Return what an operator has to know of a process."""
    told = []
    if fare.silent_ms > SILENT_MS:
        told.append(f"silent for {span(fare.silent_ms)}")
    told += [f"{check} fails" if check != "draining" else "draining" for check in fare.failing]
    if fare.pool_waiting:
        told.append(f"{fare.pool_waiting} reads wait: database.pool_max")
    if fare.queued_age_s > 1:
        told.append(f"{fare.queued} commands wait, for {fare.queued_age_s:.1f} s")
    if fare.connections_limit and fare.connections >= 0.9 * fare.connections_limit:
        told.append(f"{fare.connections} of {fare.connections_limit} connections")
    return Text(", ".join(told), style="bold red")


def _shared(overview: Overview, together: Fare) -> Iterator[str]:
    if overview.maintenance:
        yield "maintenance: no match begins"
    unread = [node.id for node in overview.nodes if node.vitals is None]
    if unread:
        yield f"unread     {', '.join(unread)}: serves too, and has said nothing yet, or is of another version"
    counted = ", ".join(f"{count} {status}" for status, count in sorted(overview.matches.items()))
    away = f"; {overview.absent_seats} players are away" if overview.absent_seats else ""
    yield f"matches    {counted or 'none is live'}{away}"
    yield f"seekers    {overview.seekers}"
    if overview.unrated_ms > 5000:
        yield f"ratings    {span(overview.unrated_ms)} behind"
    sessions = ", ".join(f"{count} {state}" for state, count in sorted(overview.sessions.items()))
    yield f"database   {sum(overview.sessions.values())} of {overview.sessions_limit} connections: {sessions}"
    if overview.longest is not None:
        longest = overview.longest
        yield f"longest    {longest.seconds:.1f} s, process {longest.pid}: {shown(longest.query)[:120]}"
    refused = list(together.refusals.items())[:_REFUSALS_SHOWN]
    yield "refused    " + (", ".join(f"{code} {count}" for code, count in refused) or "nothing in the last minute")
