"""`pairquiz-server audit`: what operators have done."""

import click
import msgspec

from pairquiz_server.cli.operator_line import OperatorLine, Reach
from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.reaching import ask_or_look, with_reach
from pairquiz_server.cli.telling import moment
from pairquiz_server.cli.values import Sought, Span
from pairquiz_server.config import Settings
from pairquiz_server.engine.operating import Looking
from pairquiz_server.protocol.admin import AuditEntry, AuditPage
from pairquiz_server.protocol.admin.questions import LIST_MAX
from pairquiz_server.protocol.admin.rows import audit_entry
from pairquiz_server.terminal.words import shown


@click.command()
@click.option("--limit", type=click.IntRange(1, LIST_MAX), default=50, show_default=True, help="How many at most.")
@click.option("--since", "within_s", type=Span(), help="Only what was done in the last 30m, 12h, 7d … [default: all].")
@click.option("--subject", type=Sought(), help="Only what was done to this match or player, by the id.")
@json_option
@with_reach
def audit(
    settings: Settings, reach: Reach, limit: int, within_s: int | None, subject: str | None, as_json: bool
) -> None:
    """Show what operators have done, the latest last.

    Who it was is the system's word by a socket or the database, and by a token what its owner has said.
    """
    wanted = {"limit": str(limit), "within_s": within_s and str(within_s), "subject": subject}
    query = {key: value for key, value in wanted.items() if value}

    async def asking(line: OperatorLine) -> list[AuditEntry]:
        return (await line.ask("show_audit", AuditPage, query=query)).entries

    async def alone(looking: Looking) -> list[AuditEntry]:
        return [audit_entry(line) for line in await looking.audit.read(within_s=within_s, subject=subject, limit=limit)]

    entries = ask_or_look(settings, reach, asking, alone)[::-1]
    if as_json:
        click.echo(msgspec.json.encode(entries))
        return
    for entry in entries:
        click.echo(_line(entry))
    if not entries:
        click.echo("nothing was done")


def _line(entry: AuditEntry) -> str:
    detail = ", ".join(f"{key} {value}" for key, value in msgspec.json.decode(entry.detail).items())
    told = f"{moment(entry.at)}  {shown(entry.actor)} ({entry.via})  {entry.action}"
    told += f"  {shown(entry.subject)}" if entry.subject else ""
    return told + (f"  {shown(detail)}" if detail else "")
