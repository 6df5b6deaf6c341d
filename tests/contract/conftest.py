"""Node with what the contract is held by, installed once a run."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import node as node
from tests.nodejs import installed

HERE = Path(__file__).parent / "node"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler, the official client and AsyncAPI's parser, beside the programs that use them."""
    return installed(node, HERE, tmp_path_factory.mktemp("contract"), "--ignore-scripts")


@pytest.fixture
def run(node: str, folder: Path) -> Run:
    """Run a program of the folder by Node: `run("parse.mjs", input="…")`."""

    def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [node, *command], cwd=folder, input=stdin, capture_output=True, text=True, check=False, timeout=120
        )

    return run
