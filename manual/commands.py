"""The reference of the command line, from what `--help` is made of."""

import re
from collections.abc import Iterator

import click

HEAD = """\
# The command line

For whoever types `pairquiz-server`, or has a script do it. Written of the commands themselves
(`scripts/docs --write`); each says the same with `--help`. In a checkout the command is
`.venv/bin/pairquiz-server`. What goes wrong is one line on standard error, and the exit code is 1, or 2 for a
wrong command line. Settings come from [config.toml](settings.md) and the environment. How a duel is played in a
terminal stands in [the terminal](terminal.md).
"""

KEEPS_ITS_LINES = "\b"
"""What click takes, at the beginning of a paragraph, for the wish to leave it as it is."""


def reference(main: click.Group) -> str:
    """Return the page: a section for each command, in the order of the alphabet."""
    # As it is made for a command line: click keeps the first help option that it made of one.
    context = click.Context(main, info_name="pairquiz-server", **main.context_settings)
    return "\n".join([HEAD, *(part for command in _commands(context) for part in _section(command))])


def _commands(context: click.Context) -> Iterator[click.Context]:
    """The commands below a group, each as the context that its help is written in."""
    assert isinstance(context.command, click.Group)
    for name in sorted(context.command.commands):
        # Asked for as a command line does: until then some are names alone.
        _, command, _ = context.command.resolve_command(context, [name])
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        yield below
        if isinstance(command, click.Group):
            yield from _commands(below)


def _section(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## `{context.command_path}`\n"
    yield _text(command.help or "") + "\n"
    if isinstance(command, click.Group):
        return
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [record for record in records if record is not None and record[1]]
    if rows:
        yield "| option | what |\n|---|---|"
        yield from (f"| {_code(name)} | {_cell(what)} |" for name, what in rows)
        yield ""


def _text(help_text: str) -> str:
    """Paragraphs, each of which is one line of Markdown; one that keeps its lines, by click's mark, is a block."""
    return "\n\n".join(_paragraph(paragraph.strip()) for paragraph in re.split(r"\n\s*\n", help_text.strip()))


def _paragraph(text: str) -> str:
    if text.startswith(KEEPS_ITS_LINES):
        lines = [line.strip() for line in text.removeprefix(KEEPS_ITS_LINES).strip().splitlines()]
        return "\n".join(["```text", *lines, "```"])
    return _escaped(" ".join(text.split()))


def _code(name: str) -> str:
    return f"`{name}`".replace("|", r"\|")


def _cell(what: str) -> str:
    return _escaped(" ".join(what.split())).replace("|", r"\|")


def _escaped(text: str) -> str:
    """Text in which nothing is taken for Markdown, but for code."""
    return re.sub(r"([\[\]<>*_])(?=(?:[^`]*`[^`]*`)*[^`]*$)", r"\\\1", text)
