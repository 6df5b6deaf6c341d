"""`pairquiz-server schema`: the contract, for programs that are written against it."""

from collections.abc import Callable

import click
import msgspec

from pairquiz_server.contract.asyncapi import asyncapi
from pairquiz_server.contract.jsonschema import command_schemas, event_schemas
from pairquiz_server.contract.openapi import openapi
from pairquiz_server.contract.reference import reference
from pairquiz_server.contract.typescript import typescript

_FORMS: dict[str, Callable[[], object]] = {
    "openapi": openapi,
    "asyncapi": asyncapi,
    "typescript": typescript,
    "events": event_schemas,
    "commands": command_schemas,
    "reference": reference,
}


@click.command()
@click.argument("form", type=click.Choice(list(_FORMS)))
@click.argument("name", required=False)
def schema(form: str, name: str | None) -> None:
    """Print the contract: REST as OpenAPI 3.1, the sockets as AsyncAPI 3, both as TypeScript or as tables.

    `events` and `commands` are JSON Schemas by name; with a NAME, that one alone.
    """
    made = _FORMS[form]()
    if name is not None:
        if form not in ("events", "commands") or not isinstance(made, dict):
            raise click.UsageError(f"{form} is one document: leave {name!r} out")
        if name not in made:
            raise click.UsageError(
                f"There is no {form.rstrip('s')} {name!r}: pairquiz-server schema {form} has them all"
            )
        made = made[name]
    if isinstance(made, str):
        click.echo(made, nl=False)
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2))
