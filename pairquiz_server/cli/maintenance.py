"""`pairquiz-server maintenance`: no match begins for a while, and those that there are go on."""

import click
import msgspec

from pairquiz_server.cli.operator_line import OperatorLine, Reach
from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.reaching import ask_or_look, by_database, with_reach
from pairquiz_server.cli.telling import span
from pairquiz_server.cli.values import Note, Span
from pairquiz_server.config import Settings
from pairquiz_server.engine.operating import Looking
from pairquiz_server.protocol.admin import BeginMaintenance, MaintenanceState
from pairquiz_server.protocol.admin.questions import MAINTENANCE_MAX_S
from pairquiz_server.protocol.admin.rows import maintenance_state
from pairquiz_server.terminal.words import shown


@click.group()
def maintenance() -> None:
    """Let no match begin for a while, at all servers of the database, or let them begin again.

    It holds within two seconds, survives restarts, and works also where no server runs.
    """


@maintenance.command()
@click.option("--message", type=Note(), help="What players are shown [default: the server's own words].")
@click.option(
    "--for", "seconds", type=Span(MAINTENANCE_MAX_S), help="It ends by itself after 30m, 2h, … [default: not]."
)
@json_option
@with_reach
def on(settings: Settings, reach: Reach, message: str | None, seconds: int | None, as_json: bool) -> None:
    """Let no match begin from now on; what goes on already changes to this."""

    async def asking(line: OperatorLine) -> MaintenanceState:
        return await line.ask(
            "begin_maintenance", MaintenanceState, payload=BeginMaintenance(message=message, seconds=seconds)
        )

    async def alone(looking: Looking) -> MaintenanceState:
        await looking.maintenance.begin(by_database(), message=message, seconds=seconds)
        return maintenance_state(await looking.maintenance.look())

    _say(ask_or_look(settings, reach, asking, alone), as_json=as_json)


@maintenance.command()
@json_option
@with_reach
def off(settings: Settings, reach: Reach, as_json: bool) -> None:
    """Let matches begin again."""

    async def asking(line: OperatorLine) -> MaintenanceState:
        return await line.ask("end_maintenance", MaintenanceState)

    async def alone(looking: Looking) -> MaintenanceState:
        return maintenance_state(None, changed=await looking.maintenance.finish(by_database()))

    _say(ask_or_look(settings, reach, asking, alone), as_json=as_json)


@maintenance.command()
@json_option
@with_reach
def status(settings: Settings, reach: Reach, as_json: bool) -> None:
    """Show whether matches may begin."""

    async def asking(line: OperatorLine) -> MaintenanceState:
        return await line.ask("show_maintenance", MaintenanceState)

    async def alone(looking: Looking) -> MaintenanceState:
        return maintenance_state(await looking.maintenance.look())

    _say(ask_or_look(settings, reach, asking, alone), as_json=as_json)


def _say(state: MaintenanceState, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(state))
        return
    if not state.on:
        click.echo("off: matches may begin" if state.changed else "off: it was not on")
        return
    left = "until you end it: pairquiz-server maintenance off"
    if state.left_ms is not None:
        left = f"for another {span(state.left_ms)}"
    said = "" if state.message is None else f"; players are told: {shown(state.message)}"
    click.echo(f"on since {span(state.since_ms or 0)}: no match begins, {left}{said}")
