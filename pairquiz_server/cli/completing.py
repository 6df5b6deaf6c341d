"""What a shell completes a half typed word to, beyond commands and options."""

import asyncio

import click
from click.shell_completion import CompletionItem

from pairquiz_server.cli.address import own_url
from pairquiz_server.cli.options import read_settings
from pairquiz_server.client.address import address
from pairquiz_server.client.errors import ClientError
from pairquiz_server.client.topics import topics
from pairquiz_server.config import ConfigError

WITHIN_S = 2.0
"""Nobody waits longer for a word that they can type. Where no server runs, that is known at once."""


def topic_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a topic from what the server has that is meant; while none answers, from nothing."""
    try:
        settings = read_settings(ctx.params.get("config_file")).server
        url = ctx.params.get("url") or next(iter(ctx.args), None)  # click has not come to it where a value is missing
        where = address(url).url if url else own_url(settings.host, settings.port)
    except (ConfigError, ClientError):
        return []
    begun = incomplete.casefold()
    return [
        CompletionItem(topic.name, help=f"{topic.questions} questions")
        for topic in asyncio.run(topics(where, within_s=WITHIN_S))
        if topic.name.casefold().startswith(begun)
    ]
