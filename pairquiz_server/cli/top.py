"""`pairquiz-server top`: how all servers of a database fare, as it changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext

import click
import msgspec
from rich.console import Console
from rich.live import Live

from pairquiz_server.cli.fares import Fare, Fares, name_of
from pairquiz_server.cli.operator_line import OperatorLine, Reach, operator_line
from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.reaching import with_reach
from pairquiz_server.cli.top_picture import lines, picture
from pairquiz_server.client.errors import ClientError
from pairquiz_server.config import Settings
from pairquiz_server.protocol.admin import Overview
from pairquiz_server.store.vitals import NodeVitals

_SHORTEST_S = 1.0
"""Each process says once a second how it fares."""


@click.command()
@click.option("--node", "wanted", metavar="ID", help="Only the process whose id or host:pid begins so.")
@click.option(
    "--every", "every_s", type=click.FloatRange(_SHORTEST_S, 3600), default=2.0, show_default=True, help="Seconds."
)
@click.option("--once", is_flag=True, help="Two looks, and what has changed between them.")
@json_option
@with_reach
def top(settings: Settings, reach: Reach, wanted: str | None, every_s: float, once: bool, as_json: bool) -> None:
    """Show how the servers fare, as it changes.

    All that share the database of the one that is asked, until Ctrl+C. Rates and percentiles are of ten seconds,
    refusals of the last minute. The percentiles are of commands, from their arrival until they are committed.
    """
    asyncio.run(_watch(reach, wanted, every_s, once=once, as_json=as_json))


async def _watch(reach: Reach, wanted: str | None, every_s: float, *, once: bool, as_json: bool) -> None:
    console = Console(markup=False, highlight=False)
    alive = console.is_terminal and not as_json and not once
    fares = Fares()
    live: AbstractContextManager[Live | None] = (
        Live(console=console, screen=True, auto_refresh=False) if alive else nullcontext()
    )
    async with operator_line(reach) as line:
        with live as screen:
            looks = 0
            async for overview in _looks(line, every_s):
                fares.note(overview)
                looks += 1
                if looks == 1 and not alive:
                    continue  # no rate is known yet
                nodes = [node for node in overview.nodes if wanted is None or _is_meant(node, wanted)]
                shown_fares, together = fares.of(nodes), fares.together(nodes)
                if wanted is not None and not shown_fares:
                    raise ClientError(f"no process is called {wanted}: see pairquiz-server top --once")
                if screen is not None:
                    screen.update(picture(overview, shown_fares, together), refresh=True)
                elif as_json:
                    click.echo(msgspec.json.encode(_record(overview, shown_fares, together)))
                else:
                    for told in lines(overview, shown_fares, together):
                        click.echo(told)
                if once:
                    return


async def _looks(line: OperatorLine, every_s: float) -> AsyncIterator[Overview]:
    loop = asyncio.get_running_loop()
    due_at = loop.time()
    while True:
        yield await line.ask("show_overview", Overview)
        due_at = max(due_at + every_s, loop.time())
        await asyncio.sleep(due_at - loop.time())


def _is_meant(node: NodeVitals, wanted: str) -> bool:
    names = [node.id] if node.vitals is None else [node.id, name_of(node.vitals)]
    return any(name.startswith(wanted) for name in names)


def _record(overview: Overview, fares: list[Fare], together: Fare) -> dict[str, object]:
    shared = msgspec.structs.asdict(overview)
    del shared["nodes"], shared["node"]
    return {"nodes": fares, "together": together, **shared}
