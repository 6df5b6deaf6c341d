"""What only looks at the command line loads nothing of the server: a shell asks at every TAB."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import click
import pytest

from pairquiz_server import cli
from pairquiz_server.cli.main import main
from tests.cli.conftest import clean_environment

HEAVY = {"aiohttp", "asyncio", "asyncpg", "cryptography", "engineio", "jwt", "msgspec", "prometheus_client"}
HEAVY |= {"redis", "rich", "socketio", "structlog", "uvloop"}
SAY_WHAT_WAS_LOADED = """
import sys
from pairquiz_server.cli.main import main
try:
    main(prog_name="pairquiz-server")
finally:
    print(*sys.modules, file=sys.stderr)
"""


def loaded(*words: str, **environ: str) -> set[str]:
    """The modules that a command line loads."""
    result = subprocess.run(
        [sys.executable, "-c", SAY_WHAT_WAS_LOADED, *words],
        env=clean_environment(**environ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout
    return set(result.stderr.split())


def completing(*words: str) -> set[str]:
    """The modules that a shell waits for where it completes the last word."""
    asked = {"COMP_WORDS": " ".join(("pairquiz-server", *words)), "COMP_CWORD": str(len(words))}
    return loaded(_PAIRQUIZ_SERVER_COMPLETE="bash_complete", **asked)


def our_commands(modules: set[str]) -> set[str]:
    return {name for name in main.commands if f"pairquiz_server.cli.{name}" in modules}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["completion", "bash"]], ids=" ".join)
def test_what_tells_of_the_command_line_alone_is_light(words: list[str]) -> None:
    modules = loaded(*words)
    assert modules & HEAVY == set()
    assert our_commands(modules) <= {words[0]}


@pytest.mark.parametrize("begun", ["", "pl", "serve", "--"])
def test_completing_the_name_of_a_command_imports_none(begun: str) -> None:
    modules = completing(begun)
    assert modules & HEAVY == set()
    assert our_commands(modules) == set()


def test_playing_loads_nothing_that_serves() -> None:
    modules = loaded("play", "--help")
    assert our_commands(modules) == {"play"}
    assert modules & {"asyncpg", "jwt", "prometheus_client", "structlog", "uvloop"} == set()
    ours = {name.split(".")[1] for name in modules if name.startswith("pairquiz_server.")}
    assert ours & {"app", "database", "engine", "node", "store", "web"} == set()


def test_what_is_announced_of_a_command_is_what_its_own_help_says() -> None:
    for name, announced in main.commands.items():
        command = main.loaded(name)
        assert announced.name == command.name
        for width in (45, 1000):
            assert announced.get_short_help_str(width) == command.get_short_help_str(width)


def test_every_module_with_a_command_is_announced() -> None:
    modules = [import_module(f"{cli.__name__}.{found.name}") for found in pkgutil.iter_modules(cli.__path__)]
    commands = {module.__name__.rpartition(".")[2]: module for module in modules}
    named = {name for name, module in commands.items() if isinstance(getattr(module, name, None), click.Command)}
    assert named - {"main"} == set(main.commands)
