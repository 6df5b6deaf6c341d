"""Node with what the contract is held by, installed once a run."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import SEARCH_PATH, _npm
from tests.acceptance.conftest import node as node

HERE = Path(__file__).parent / "node"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler, the official client and AsyncAPI's parser, beside the programs that use them."""
    place = tmp_path_factory.mktemp("contract")
    shutil.copytree(HERE, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        [*_npm(node), "ci", "--prefer-offline", "--ignore-scripts"],
        cwd=place, env={**os.environ, "PATH": SEARCH_PATH}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    return place


@pytest.fixture
def run(node: str, folder: Path) -> Run:
    """Run a program of the folder by Node: `run("parse.mjs", input="…")`."""

    def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [node, *command], cwd=folder, input=stdin, capture_output=True, text=True, check=False, timeout=120
        )

    return run
