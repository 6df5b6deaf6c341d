"""Processes share one embedded PostgreSQL, whoever of them dies."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from pairquiz_server.store.binaries import Account
from pairquiz_server.store.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.store.processes import (
    FORKING_MEMBER,
    IS_ROOT,
    ITS_GROUP,
    answer_to,
    is_running,
    kill_tree,
    let_leave,
    line_from,
    member,
    modes_above,
    open_folder,
    postmaster,
    signaller,
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


def test_process_joins_where_nobody_was_and_queries_are_answered(place: Path) -> None:
    data_dir = place / "new" / "data"

    with EmbeddedPostgres.join(data_dir) as postgres:
        assert postgres.data_dir == data_dir
        assert answer_to(postgres.dsn, "select 1") == 1
        assert str(answer_to(postgres.dsn, "show server_version")).startswith("18")
        settings = {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "timezone": "UTC",
            "max_connections": "100",
        }
        assert {name: answer_to(postgres.dsn, f"show {name}") for name in settings} == settings
        run = (data_dir / "run").stat()
        assert (stat.S_IMODE(run.st_mode), run.st_uid) == (0o700, Account.current().uid)

    assert not is_running(data_dir)


def test_process_joins_and_no_folder_of_others_is_changed(place: Path) -> None:
    paths = (place / "data", Path(sys.executable).resolve(), Path(asyncpg.__file__))
    before = modes_above(*paths)

    with EmbeddedPostgres.join(place / "data") as postgres:
        assert answer_to(postgres.dsn, "select 1") == 1

    assert modes_above(*paths) == before


def test_processes_share_one_server_until_the_last_leaves(data_dir: Path) -> None:
    with EmbeddedPostgres.join(data_dir) as first, member(data_dir) as second:
        assert line_from(second.stdout) == first.dsn
        server = postmaster(data_dir)

        first.leave()
        assert answer_to(first.dsn, "select 1") == 1
        assert postmaster(data_dir) == server

        let_leave(second)
        assert not is_running(data_dir)


def test_three_processes_join_at_once_and_share_one_server(place: Path) -> None:
    data_dir = place / "data"
    with ExitStack() as stack:
        members = [stack.enter_context(member(data_dir)) for _ in range(3)]
        dsns = {line_from(each.stdout) for each in members}
        assert len(dsns) == 1
        server = postmaster(data_dir)
        assert answer_to(dsns.pop(), "select 1") == 1

        for each in members:
            assert postmaster(data_dir) == server
            let_leave(each)
        assert not is_running(data_dir)


def test_process_is_killed_and_its_rows_and_the_count_are_right(data_dir: Path) -> None:
    with member(data_dir) as process:
        dsn = line_from(process.stdout)
        answer_to(dsn, "create table kept as select 7 as value")
        process.kill()
        process.wait()
    server = postmaster(data_dir)

    with EmbeddedPostgres.join(data_dir) as postgres:
        assert postmaster(data_dir) == server
        assert answer_to(postgres.dsn, "select value from kept") == 7

    assert not is_running(data_dir)


@pytest.mark.parametrize("child_state", ["settled", "fresh"])
def test_process_forks_and_leaves_and_the_child_holds_no_share(data_dir: Path, child_state: str) -> None:
    with member(data_dir, FORKING_MEMBER, child_state) as parent:
        child = int(line_from(parent.stdout))
        try:
            assert parent.stdin is not None
            parent.stdin.close()
            assert parent.wait(timeout=30) == 0
            assert not is_running(data_dir)
        finally:
            os.kill(child, signal.SIGKILL)


def test_process_forks_and_is_killed_and_the_child_holds_no_share(data_dir: Path) -> None:
    with member(data_dir, FORKING_MEMBER, "settled") as parent:
        child = int(line_from(parent.stdout))
        try:
            parent.kill()
            parent.wait()
            EmbeddedPostgres.join(data_dir).leave()
            assert not is_running(data_dir)
        finally:
            os.kill(child, signal.SIGKILL)


def test_process_is_interrupted_after_starting_the_server_and_stops_it(data_dir: Path) -> None:
    interrupted = signaller(data_dir, "pg_isready", 2, ITS_GROUP, signal.SIGINT)
    assert interrupted.stderr.endswith("KeyboardInterrupt\n")
    assert (data_dir / "log" / "start.log").exists()
    assert not is_running(data_dir)


@pytest.mark.parametrize("with_children", [False, True])
def test_postmaster_is_killed_and_the_next_join_recovers(data_dir: Path, with_children: bool) -> None:
    with EmbeddedPostgres.join(data_dir) as postgres:
        answer_to(postgres.dsn, f"create table kept_{with_children} as select 7 as value")
        if with_children:
            kill_tree(postmaster(data_dir))
        else:
            postmaster(data_dir).kill()

        with EmbeddedPostgres.join(data_dir) as again:
            assert answer_to(again.dsn, f"select value from kept_{with_children}") == 7

    assert not is_running(data_dir)


def test_postmaster_is_killed_and_the_next_join_waits_for_its_children(data_dir: Path) -> None:
    with EmbeddedPostgres.join(data_dir):
        server = postmaster(data_dir)
        child = next(each for each in server.children() if "checkpointer" in each.cmdline()[0])
        child.suspend()
        server.kill()

        patient = signaller(data_dir, "pg_ctl", 2, child.pid, signal.SIGCONT)
        assert (patient.stderr, patient.returncode) == ("", 0)


@pytest.mark.parametrize("content", ["{stranger}\n", ""])
def test_process_joins_after_a_power_loss_and_harms_no_stranger(data_dir: Path, content: str) -> None:
    with EmbeddedPostgres.join(data_dir):
        left = (data_dir / "postgres" / "postmaster.pid").read_text().partition("\n")[2]
        kill_tree(postmaster(data_dir))
    account = Account.current()
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if IS_ROOT else None)
    try:
        trace = content.format(stranger=stranger.pid)
        for path in (data_dir / "postgres/postmaster.pid", data_dir / "run/.s.PGSQL.5432.lock"):
            path.write_text(trace + left if trace else "")
            os.chown(path, account.uid, account.gid)

        with EmbeddedPostgres.join(data_dir) as postgres:
            assert answer_to(postgres.dsn, "select 1") == 1

        assert not is_running(data_dir)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("step", ["postgres", "os.rename"])
def test_process_is_killed_while_making_the_data_and_the_next_join_makes_it(place: Path, step: str) -> None:
    data_dir = place / "data"
    victim = signaller(data_dir, step, 1, ITS_GROUP, signal.SIGKILL)
    assert victim.returncode == -signal.SIGKILL
    assert list(data_dir.glob("postgres.new-*"))
    assert not (data_dir / "postgres").exists()

    with EmbeddedPostgres.join(data_dir) as postgres:
        assert answer_to(postgres.dsn, "select 1") == 1
        assert not list(data_dir.glob("postgres.new-*"))


def test_process_joins_below_a_long_and_odd_path_unless_its_socket_folder_is_taken(place: Path) -> None:
    data_dir = place / ("long, " * 20) / """it's "an" $ODD `name` 100%"""

    with EmbeddedPostgres.join(data_dir) as postgres:
        assert answer_to(postgres.dsn, "select 1") == 1
        listed = str(answer_to(postgres.dsn, "show unix_socket_directories"))
        folder = Path(listed.strip('"'))
        assert folder.parent == Path("/tmp")
        assert stat.S_IMODE(folder.lstat().st_mode) == 0o700
        assert folder.lstat().st_uid == Account.current().uid

    assert not folder.exists()

    folder.symlink_to(place)
    try:
        with pytest.raises(EmbeddedPostgresError, match=f"^{folder} must be a folder of mode 0700[^\n]*$"):
            EmbeddedPostgres.join(data_dir)
    finally:
        folder.unlink()


def test_process_joins_by_another_name_of_the_folder_and_shares_the_server(data_dir: Path) -> None:
    alias = data_dir.with_name("alias")
    alias.symlink_to(data_dir)
    with EmbeddedPostgres.join(data_dir) as first, EmbeddedPostgres.join(alias) as second:
        assert first.dsn == second.dsn


def test_process_finds_broken_data_and_is_told_what_postgresql_said(data_dir: Path) -> None:
    control = data_dir / "postgres" / "global" / "pg_control"
    away = control.rename(control.with_name("away"))
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"^PostgreSQL cannot be started in .*pg_control.*$"):
            EmbeddedPostgres.join(data_dir)
    finally:
        away.rename(control)
