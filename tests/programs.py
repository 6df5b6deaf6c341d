"""Programs that are no Python package, as tests use them: the machine's own, or what scripts/debian fetched."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.nodejs import missing

FETCHED = Path(__file__).parents[1] / "build" / "debian"
_FOLDERS = [str(FETCHED / "usr" / "sbin"), str(FETCHED / "usr" / "bin")]
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *_FOLDERS])


@dataclass(frozen=True)
class Program:
    """Where a program is, and the environment that it needs."""

    path: str
    environ: dict[str, str]


def program(name: str, package: str) -> Program:
    """Return a program of a Debian package; where there is none, what needs it is skipped, and fails in CI."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        missing(f"{name} is missing: scripts/debian {package}")
    assert found is not None
    environ = dict(os.environ)
    if Path(found).is_relative_to(FETCHED):
        environ["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, FETCHED.glob("**/*-linux-gnu")))
    return Program(found, environ)
