"""A shell completes commands, options, their values, and the topics of a server that runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, clean_environment, one_line
from tests.conftest import Server

SHELLS = ["bash", "zsh", "fish"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command as it is installed, in a folder of its own."""
    found = Path(sys.executable).with_name("pairquiz-server")
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "pairquiz-server"
    if found.exists():
        link.symlink_to(found)
    else:
        link.write_text(f"#!{sys.executable}\nfrom pairquiz_server.cli.main import main\nmain()\n")
        link.chmod(0o755)
    return link


def completed(program: Path, *words: str) -> list[str]:
    """What bash is told to complete the last word to."""
    environ = clean_environment(
        _PAIRQUIZ_SERVER_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(("pairquiz-server", *words)),
        COMP_CWORD=str(len(words)),
        PAIRQUIZ_SERVER__PORT="9",  # where nobody listens: a server of somebody else's on the usual port is not meant
    )
    result = subprocess.run([program], env=environ, capture_output=True, text=True, check=True, timeout=30)
    return [line.partition(",")[2] for line in result.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_told_how_to_complete(invoke: Invoke, shell: str) -> None:
    result = invoke("completion", shell)
    assert result.exit_code == 0
    assert "_PAIRQUIZ_SERVER_COMPLETE" in result.stdout
    if path := shutil.which(shell):
        checked = subprocess.run([path, "-n"], input=result.stdout, text=True, capture_output=True, timeout=30)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_another_shell_is_refused(invoke: Invoke) -> None:
    assert "'csh'" in one_line(invoke("completion", "csh"))


def test_commands_options_and_values_are_completed(program: Path) -> None:
    assert completed(program, "pl") == ["play", "players"]
    assert completed(program, "questions", "re") == ["reported"]
    assert "--join" in completed(program, "play", "--")
    assert completed(program, "play", "--bot", "") == ["easy", "medium", "hard"]
    assert completed(program, "play", "--pace", "r") == ["rounds"]


async def test_topics_are_completed_from_the_server_that_is_meant(server: Server, program: Path) -> None:
    import asyncio

    found = await asyncio.to_thread(completed, program, "play", server.url, "--topic", "hi")
    assert found == ["History"]


def test_where_no_server_runs_no_topic_is_completed(program: Path) -> None:
    assert completed(program, "play", "http://127.0.0.1:9", "--topic", "hi") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
def test_bash_itself_completes(program: Path, tmp_path: Path) -> None:
    script = f"""
        PATH={program.parent}:$PATH
        source <(pairquiz-server completion bash)
        COMP_WORDS=(pairquiz-server play --bo); COMP_CWORD=2
        _pairquiz_server_completion pairquiz-server
        echo "${{COMPREPLY[@]}}"
    """
    result = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert result.stdout.split() == ["--bot"]
