"""`pairquiz-server questions`: bring questions in, look at them, take them out."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pairquiz_server.cli.completing import topic_names
from pairquiz_server.cli.options import json_option, output_option, write_output
from pairquiz_server.cli.reaching import by_database
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, prepared_database
from pairquiz_server.formats import Parsed, Refusal, UnreadableFile, dump, parse
from pairquiz_server.nearest import did_you_mean
from pairquiz_server.rules.bank import Fate
from pairquiz_server.rules.question import tidy, topic_fault, topic_key
from pairquiz_server.store.audit import Audit
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions, TopicCount
from pairquiz_server.store.reports import ReportedQuestion, Reports

_files = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
_one_topic = click.option("--topic", shell_complete=topic_names, help="Only this topic.")
_topic = click.option("--topic", help="Put all questions into this topic, whatever the files say.")


class _ParsedFile(Struct, frozen=True):
    """A file's name, fit to be shown, and what was found in it."""

    name: str
    parsed: Parsed


class Imported(Struct, frozen=True):
    """What became of one file: every question of it is added, edited, unchanged or refused."""

    file: str
    format: str
    questions: int
    added: int
    edited: int
    unchanged: int
    refused: int
    kept: bool

    def __str__(self) -> str:
        counts = f"{self.added} added, {self.edited} edited, {self.unchanged} unchanged, {self.refused} refused"
        return f"{self.file}: {self.format}, {self.questions} questions: {counts if self.kept else 'nothing imported'}"


class Checked(Struct, frozen=True):
    """What an import of one file would find."""

    file: str
    format: str
    good: int
    bad: int

    def __str__(self) -> str:
        return f"{self.file}: {self.format}, {self.good} good, {self.bad} bad"


@click.group()
def questions() -> None:
    """Import, list, export and check questions, and see which ones players have reported."""


@questions.command(name="import")
@_files
@_topic
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the good questions of a file that has bad ones too.")
@json_option
@with_settings
def import_(
    settings: Settings, files: tuple[Path, ...], topic: str | None, dry_run: bool, skip_bad: bool, as_json: bool
) -> None:
    """Import FILES: OpenTDB JSON, OpenTriviaQA text, CSV, or our own JSON, told by their content.

    A file comes in whole or not at all, unless --skip-bad; every bad question is named with its line. What is
    there already is left as it is; a question with the key of a stored one (from `export`) is its edit.
    """
    parsed = _parsed(files, topic)  # one that cannot be read stops the import before anything is changed
    with database_url(settings) as url:
        imported = asyncio.run(_import(settings, url, parsed, dry_run=dry_run, skip_bad=skip_bad))
    if as_json:
        click.echo(msgspec.json.encode(imported))
    else:
        for one in imported:
            click.echo(one)
    if dry_run:
        click.echo("a dry run: nothing was changed", err=True)
    if not all(one.kept for one in imported):
        click.echo("some files were not imported: mend the lines above, or use --skip-bad", err=True)
        sys.exit(1)


@questions.command(name="list")
@json_option
@with_settings
def list_(settings: Settings, as_json: bool) -> None:
    """List the topics, and how many questions each has."""
    with database_url(settings) as url:
        topics = asyncio.run(_topics(settings, url))
    if as_json:
        click.echo(msgspec.json.encode(topics))
        return
    for topic in topics:
        click.echo(f"{topic.questions:>7}  {topic.name}")


@questions.command()
@_one_topic
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many at most.")
@click.option("--edited", is_flag=True, help="Also those that were edited since, which are drawn no more.")
@json_option
@with_settings
def reported(settings: Settings, topic: str | None, limit: int, edited: bool, as_json: bool) -> None:
    """List the questions that players have reported, those with the most reports first.

    A line has how many players, the question's key (by which an edited file finds it again: see `export`), the reasons,
    the topic and the text; the last notes of players follow, a line each, behind a tab.
    """
    with database_url(settings) as url:
        found = asyncio.run(_reported(settings, url, topic, limit, edited=edited))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        reasons = ", ".join(f"{reason} {times}" for reason, times in one.reasons.items())
        click.echo(f"{one.reports:>7}  {one.key}  {reasons}  {one.topic}: {one.text}{' (edited)' * one.edited}")
        for note in one.notes:
            click.echo(f"\t{note}")


@questions.command()
@_one_topic
@output_option
@with_settings
def export(settings: Settings, topic: str | None, output: Path | None) -> None:
    """Export questions as our own JSON, with the keys by which an edited file finds them again."""
    with database_url(settings) as url:
        data = asyncio.run(_export(settings, url, topic))
    write_output(data, output)


@questions.command()
@_files
@_topic
@json_option
def check(files: tuple[Path, ...], topic: str | None, as_json: bool) -> None:
    """Read FILES as `import` would, and name every bad question; no database is needed."""
    checked = []
    for file in _parsed(files, topic):
        _name(file, file.parsed.refusals)
        checked.append(Checked(file.name, file.parsed.format, len(file.parsed.questions), len(file.parsed.refusals)))
    if as_json:
        click.echo(msgspec.json.encode(checked))
    else:
        for one in checked:
            click.echo(one)
    if any(one.bad for one in checked):
        sys.exit(1)


async def _import(
    settings: Settings, url: str, files: Sequence[_ParsedFile], *, dry_run: bool, skip_bad: bool
) -> list[Imported]:
    imported = []
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with prepared_database(settings, url) as database:
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task("importing", total=len(files))
            for file in files:
                progress.update(task, description=escape(Path(file.name).name))
                if not dry_run:
                    await Audit(database).note(
                        by_database(), "questions.import", file=file.name, questions=len(file.parsed.questions)
                    )
                imported.append(await _import_file(Questions(database), file, dry_run=dry_run, skip_bad=skip_bad))
                progress.advance(task)
    return imported


async def _import_file(bank: Questions, file: _ParsedFile, *, dry_run: bool, skip_bad: bool) -> Imported:
    """Import one file, all of it or nothing unless bad questions are to be skipped, and name every refusal."""
    parsed = file.parsed
    refusals = list(parsed.refusals)
    fates: Counter[Fate] = Counter()
    if not refusals or skip_bad:
        questions = [located.question for located in parsed.questions]
        verdicts = await bank.add(questions, dry_run=dry_run, all_or_nothing=not skip_bad)
        fates.update(verdict.fate for verdict in verdicts)
        refusals += [
            Refusal(
                located.line,
                f"question {verdict.standing_id} of the bank has this text and differs: to change it, "
                "edit what `questions export` gives, and import that",
                located.question.text[:80],
            )
            for located, verdict in zip(parsed.questions, verdicts, strict=True)
            if verdict.fate is Fate.DUPLICATE
        ]
    _name(file, refusals)
    return Imported(
        file=file.name,
        format=parsed.format,
        questions=len(parsed.questions) + len(parsed.refusals),
        added=fates[Fate.ADDED],
        edited=fates[Fate.EDITED],
        unchanged=fates[Fate.UNCHANGED],
        refused=len(refusals),
        kept=not refusals or skip_bad,
    )


async def _topics(settings: Settings, url: str) -> Sequence[TopicCount]:
    async with prepared_database(settings, url) as database:
        return await Questions(database).list_topics()


async def _reported(
    settings: Settings, url: str, topic: str | None, limit: int, *, edited: bool
) -> Sequence[ReportedQuestion]:
    async with prepared_database(settings, url) as database:
        found = await Reports(database).find(None if topic is None else topic_key(topic), limit, edited=edited)
        if topic is not None and not found:
            known = {topic_key(one.name) for one in await Questions(database).list_topics()}
            if topic_key(topic) not in known:
                raise await _no_topic(database, topic)
        return found


async def _export(settings: Settings, url: str, topic: str | None) -> bytes:
    async with prepared_database(settings, url) as database:
        found = await Questions(database).export(topic)
        if topic is not None and not found:
            raise await _no_topic(database, topic)
    return dump(found)


async def _no_topic(database: Database, topic: str) -> UnreadableFile:
    """Say that there is no such topic, and which one may be meant."""
    meant = did_you_mean(topic, [one.name for one in await Questions(database).list_topics()])
    return UnreadableFile(f"there are no questions in topic {topic!r}{meant}: see pairquiz-server questions list")


def _parsed(files: Sequence[Path], topic: str | None) -> list[_ParsedFile]:
    """Read all files. Raises `UnreadableFile` and `click.BadParameter`."""
    if topic is not None and (wrong := topic_fault(tidy(topic))):
        raise click.BadParameter(wrong, param_hint="--topic")
    parsed = []
    for file in files:
        name = click.format_filename(file)
        try:
            parsed.append(_ParsedFile(name, parse(file.read_bytes(), name=Path(name).name, topic=topic)))
        except OSError as error:
            raise UnreadableFile(f"{name}: {error.strerror}") from None
        except UnreadableFile as error:
            raise UnreadableFile(f"{name}: {error}") from None
    return parsed


def _name(file: _ParsedFile, refusals: Sequence[Refusal]) -> None:
    for refusal in refusals:
        click.echo(f"{file.name}:{refusal.line}: {refusal.reason}: {refusal.text}", err=True)
