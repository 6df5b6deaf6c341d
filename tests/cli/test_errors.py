"""Whatever is wrong is told in one line, with an exit code and without a traceback."""

import asyncio
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from pairquiz_server import app
from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.cli.conftest import SECRET, Invoke, commands, one_line

DATABASE_COMMANDS = [
    ["migrate"],
    ["migrate", "status"],
    ["questions", "list"],
    ["questions", "export"],
    ["token"],
    ["usage"],
    ["serve", "--port", "0"],
]


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_explains_itself(invoke: Invoke, path: tuple[str, ...], flag: str) -> None:
    result = invoke(*path, flag)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(('pairquiz-server', *path))} ")


@pytest.mark.parametrize("path", [(), ("questions",)])
def test_a_group_without_a_command_shows_its_help(invoke: Invoke, path: tuple[str, ...]) -> None:
    result = invoke(*path)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")


def test_the_version_is_told(invoke: Invoke) -> None:
    assert "0." in invoke("--version").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dance"], "No such command 'dance'. See pairquiz-server --help"),
        (["--loud"], "--help"),
        (["serv"], "(did you mean 'serve'?). See pairquiz-server --help"),
        (["questions", "lst"], "(did you mean 'list'?). See pairquiz-server questions --help"),
        (["serve", "--prot", "1"], "(did you mean '--port'?). See pairquiz-server serve --help"),
        (["serve", "--loud"], "See pairquiz-server serve --help"),
        (["serve", "--port", "many"], "'many'"),
        (["serve", "extra"], "extra"),
        (["questions", "dance"], "See pairquiz-server questions --help"),
        (["questions", "import"], "FILES"),
        (["questions", "import", "/nowhere.json"], "/nowhere.json"),
        (["questions", "check", "/"], "directory"),
        (["migrate", "backwards"], "backwards"),
        (["usage", "--days", "0"], "--days"),
        (["usage", "--days", "9999999999999"], "--days"),
        (["token", "--hours", "inf", "ada"], "--hours"),
        (["token", "--hours", "0", "ada"], "--hours"),
    ],
)
def test_a_wrong_command_line_is_one_line(invoke: Invoke, words: list[str], said: str) -> None:
    result = invoke(*words)
    assert result.exit_code == 2
    assert said in one_line(result)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PORT": "many"}, "server.port (from PORT): expected `int`"),
        ({"PORT": "70000"}, "server.port (from PORT)"),
        ({"PAIRQUIZ_SERVER__PORT": "-1"}, "(from PAIRQUIZ_SERVER__PORT)"),
        ({"PAIRQUIZ_LOG__LEVEL": "loud"}, "log.level"),
        ({"PAIRQUIZ_SERVER__PROT": "1"}, "there is no setting server.prot (from PAIRQUIZ_SERVER__PROT)"),
        ({"PAIRQUIZ_SEVER__PORT": "1"}, "there is no setting sever (from PAIRQUIZ_SEVER__PORT)"),
        ({"PAIRQUIZ_SERVER__PROT": "1"}, "did you mean server.port?"),
        ({"PAIRQUIZ_SEVER__PORT": "1"}, "did you mean server?"),
        ({"PAIRQUIZ_GAME__XYZZY": "1"}, "see config.toml for all of them"),
        ({"PAIRQUIZ_SERVER_PROT": "1"}, "did you mean 'PAIRQUIZ_SERVER__PORT'?"),
        ({"PAIRQUIZ_SERVER_PORT": "1"}, "PAIRQUIZ_SERVER_PORT: write PAIRQUIZ_<SECTION>__<KEY>"),
        ({"JWT_SECRET": ""}, "JWT_SECRET has 0 bytes and needs 32"),
        ({"JWT_SECRET": "short"}, "JWT_SECRET has 5 bytes and needs 32"),
        ({"JWT_SECRET": SECRET + "\n"}, "line break"),
        ({"JWT_SECRET": SECRET + "\udcff"}, "JWT_SECRET"),
        ({"PAIRQUIZ_GUEST_SECRET": "short"}, "PAIRQUIZ_GUEST_SECRET"),
        ({"PAIRQUIZ_AUTH__MODE": "required"}, "no JWT_SECRET is set"),
        ({"SUPABASE_URL": "https://"}, "auth.jwks_url"),
        ({"SUPABASE_URL": "abc.supabase.co"}, "SUPABASE_URL must look like"),
        ({"DATABASE_URL": "mysql://a@b/c"}, "DATABASE_URL must look like postgresql://"),
        ({"DATABASE_URL": "https://abc.supabase.co"}, "DATABASE_URL must look like"),
        ({"DATABASE_URL": "postgresql://[::1/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://me:pa/ss@host/x"}, "%XX"),
        ({"PAIRQUIZ_SERVER__HOST": "0.0.0.0"}, "PAIRQUIZ_AUTH__MODE=guest"),
        ({"PAIRQUIZ_SERVER__DATA_DIR": "~nobodys-name/x"}, "server.data_dir"),
        ({"PAIRQUIZ_SERVER__ALLOWED_ORIGINS": "https://a.example"}, "server.allowed_origins"),
        ({"PAIRQUIZ_SERVER__ALLOWED_ORIGINS": '["https://a.example/"]'}, "is not an origin"),
        ({"PAIRQUIZ_DATABASE__POOL_MIN": "9"}, "database.pool_min"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_stops_every_command_with_one_line(invoke: Invoke, environ: dict[str, str], said: str) -> None:
    for words in (["config"], ["serve"]):
        result = invoke(*words, **environ)
        assert result.exit_code == 1
        assert said in one_line(result)


def test_a_wrong_config_file_is_named(invoke: Invoke, tmp_path: Path) -> None:
    for name, content, said in [
        ("missing.toml", None, "No such file"),
        ("broken.toml", b"[server\n", "is not valid TOML"),
        ("binary.toml", b"\xff\xfe\0", "is not valid TOML"),
        ("flat.toml", b"server = 3\n", "server"),
        ("unknown.toml", b"[server]\nprot = 1\n", "there is no setting server.prot"),
    ]:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        assert said in one_line(invoke("config", "--config", path))
    assert "directory" in one_line(invoke("config", "--config", tmp_path))


def test_a_port_in_use_is_named_before_anything_is_started(invoke: Invoke, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = one_line(invoke("serve", "--port", port, "--data-dir", tmp_path / "data"))
    assert f"127.0.0.1:{port}: Address already in use" in said
    assert "--port" in said
    assert not (tmp_path / "data").exists()


def test_a_port_is_taken_as_soon_as_another_server_starts() -> None:
    with app.bind("127.0.0.1", 0) as starting, pytest.raises(app.StartError, match="in use"):
        app.bind("127.0.0.1", starting.getsockname()[1]).close()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70 + ".example", "192.0.2.1"])
def test_an_address_that_is_not_ours_is_named(invoke: Invoke, host: str) -> None:
    assert host in one_line(invoke("serve", "--host", host, PAIRQUIZ_AUTH__MODE="guest"))


@contextmanager
def listener_that(answers: bytes | None) -> Iterator[int]:
    """A port behind which is no PostgreSQL: it says `answers` to whoever comes, or nothing at all for None."""
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            taken.append(connection)
            if answers is not None:
                connection.recv(4096)
                connection.sendall(answers)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()


@pytest.mark.parametrize("words", DATABASE_COMMANDS, ids=" ".join)
def test_a_database_where_nobody_listens_is_one_line(invoke: Invoke, words: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = one_line(invoke(*words, DATABASE_URL=f"postgresql://me@127.0.0.1:{port}/quiz"))
    assert "Connection refused" in said or f"Connect call failed ('127.0.0.1', {port})" in said
    assert "DATABASE_URL" in said


@pytest.mark.parametrize("answers", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["silent", "HTTP", "closing"])
def test_a_database_that_is_no_postgresql_is_one_line(invoke: Invoke, answers: bytes | None) -> None:
    with listener_that(answers) as port:
        result = invoke(
            "migrate",
            DATABASE_URL=f"postgresql://me@127.0.0.1:{port}/quiz",
            PAIRQUIZ_DATABASE__CONNECT_TIMEOUT_S="0.2",
        )
    assert "the database cannot be used" in one_line(result)


def test_a_database_that_does_not_exist_is_named(invoke: Invoke, postgres: EmbeddedPostgres) -> None:
    url = postgres.dsn.replace("/pairquiz?", "/nowhere?")
    assert 'database "nowhere" does not exist' in one_line(invoke("serve", "--port", "0", DATABASE_URL=url))


def run(postgres: EmbeddedPostgres, *statements: str) -> None:
    """Run statements as the owner of everything."""

    async def execute() -> None:
        connection = await asyncpg.connect(postgres.dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


@pytest.fixture(scope="module")
def roles(postgres: EmbeddedPostgres) -> None:
    """`locked` needs a password; `guest` may not make anything."""
    rules = postgres.data_dir / "postgres" / "pg_hba.conf"
    rules.write_text("local all locked scram-sha-256\n" + rules.read_text())
    run(postgres, "CREATE ROLE locked LOGIN PASSWORD 'right'", "CREATE ROLE guest LOGIN", "SELECT pg_reload_conf()")


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("locked:wrong", 'password authentication failed for user "locked"'),
        ("nobody-has-this-name", 'role "nobody-has-this-name" does not exist'),
        ("guest", "permission denied"),
    ],
)
@pytest.mark.parametrize("words", [["migrate"], ["serve", "--port", "0"]], ids=" ".join)
def test_a_database_that_refuses_is_one_line(
    invoke: Invoke, postgres: EmbeddedPostgres, words: list[str], role: str, said: str
) -> None:
    url = postgres.dsn.replace("pairquiz@", f"{role}@")
    assert said in one_line(invoke(*words, DATABASE_URL=url))


@pytest.mark.parametrize("words", DATABASE_COMMANDS, ids=" ".join)
def test_a_data_folder_below_a_file_is_one_line(invoke: Invoke, open_folder: Path, words: list[str]) -> None:
    (open_folder / "file").write_text("")
    said = one_line(invoke(*words, "--data-dir", open_folder / "file" / "two\nlines"))
    assert "cannot be used (Not a directory" in said
    assert "--data-dir" in said


def test_a_data_folder_that_may_not_be_written_is_one_line(invoke: Invoke, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    nobodys = Path("/sys") if os.geteuid() == 0 else tmp_path  # root may write everywhere else
    said = one_line(invoke("migrate", "--data-dir", nobodys / "data"))
    assert re.search(r"cannot be used \((Permission denied|Operation not permitted)", said)
    assert "--data-dir" in said
