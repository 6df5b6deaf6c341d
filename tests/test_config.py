"""Settings: the file, the environment and flags, and who wins."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import pairquiz_server
from pairquiz_server import config
from pairquiz_server.config import ConfigError, Settings
from pairquiz_server.config.sections import File
from pairquiz_server.store.migrations import read_migrations

CHECKOUT = Path(pairquiz_server.__file__).parents[1]
SECRET = "a secret of at least thirty-two bytes"
EMPTY: Mapping[str, str] = {}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file of our own."""
    path = tmp_path / "folder" / "quiz.toml"
    path.parent.mkdir()
    path.write_text('[server]\nport = 1111\nregion = "file"\n')
    return path


def load(**environ: str) -> Settings:
    return config.load(environ=environ)


def refusal(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**environ)
    said = str(caught.value)
    assert said.isprintable(), "one line"
    return said


def test_the_file_holds_every_setting_at_its_default() -> None:
    written = tomllib.loads((CHECKOUT / "config.toml").read_text())
    assert written == msgspec.to_builtins(File())
    assert config.default_file() == CHECKOUT / "config.toml"


def test_every_setting_in_the_file_has_its_comment() -> None:
    lines = (CHECKOUT / "config.toml").read_text().splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    assert len(settings) > 20
    assert [lines[number] for number in settings if not lines[number - 1].startswith("# ")] == []


def test_the_defaults_are_those_without_any_file(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    empty = config.load(tmp_path / "empty.toml", environ=EMPTY, flags={"server": {"data_dir": "/d"}})
    assert empty == config.load(environ=EMPTY, flags={"server": {"data_dir": "/d"}})


def test_flags_win_over_our_names_over_the_platforms_over_the_file(file: Path) -> None:
    flags = {"server": {"port": 4444}}
    platform = {"PORT": "2222"}
    ours = {"PAIRQUIZ_SERVER__PORT": "3333"}
    assert config.load(file, environ=EMPTY).server.port == 1111
    assert config.load(file, environ=platform).server.port == 2222
    assert config.load(file, environ=ours | platform).server.port == 3333
    assert config.load(file, environ=platform | ours).server.port == 3333
    settings = config.load(file, environ=platform | ours, flags=flags)
    assert (settings.server.port, settings.server.region) == (4444, "file")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("SERVER__PORT", "0", 0),
        ("SERVER__HOST", "127.0.0.2", "127.0.0.2"),
        ("SERVER__HOST", "::1", "::1"),
        ("SERVER__REGION", "eu-west", "eu-west"),
        ("SERVER__REGION", '"7"', "7"),
        ("SERVER__ALLOWED_ORIGINS", '["https://a.example", "null"]', ("https://a.example", "null")),
        ("SERVER__ALLOWED_ORIGINS", "[]", ()),
        ("SERVER__ALLOWED_ORIGINS", "auto", "auto"),
        ("SERVER__TRUSTED_PROXIES", "3", 3),
        ("DATABASE__CONNECT_TIMEOUT_S", "3", 3.0),
        ("DATABASE__CONNECT_TIMEOUT_S", "0.5", 0.5),
        ("DATABASE__TRANSACTION_POOLER", "true", True),
        ("DATABASE__TRANSACTION_POOLER", "auto", "auto"),
        ("LOG__SOCKETIO", "true", True),
        ("LOG__LEVEL", "debug", "debug"),
    ],
)
def test_a_name_in_the_environment_is_read_as_toml_else_as_text(name: str, text: str, value: object) -> None:
    section, _, key = name.lower().partition("__")
    assert getattr(getattr(load(**{f"PAIRQUIZ_{name}": text}), section), key) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SERVER__REGION", "7"),
        ("SERVER__HOST", '""'),
        ("SERVER__TRUSTED_PROXIES", "-1"),
        ("SERVER__TRUSTED_PROXIES", "true"),
        ("SERVER__ALLOWED_ORIGINS", "[1]"),
        ("SERVER__ALLOWED_ORIGINS", "everybody"),
        ("SERVER__PING_INTERVAL_S", "0"),
        ("DATABASE__CONNECT_TIMEOUT_S", "inf"),
        ("DATABASE__CONNECT_TIMEOUT_S", "nan"),
        ("DATABASE__CONNECT_TIMEOUT_S", "0"),
        ("DATABASE__TRANSACTION_POOLER", "maybe"),
        ("DATABASE__COMMIT_PACE_MS", "1.5"),
        ("AUTH__MODE", "open"),
        ("AUTH__AUDIENCE", "[]"),
        ("GAME__QUESTION_COUNT", "51"),
        ("GAME__TIME_LIMIT_S", "4"),
        ("GAME__POINTS", "99999999999999999999"),
        ("GAME__WAITING_TTL_S", "9999999999"),
        ("GAME__LAG_CREDIT_MAX_MS", "40000"),
        ("LIMITS__MESSAGE_BYTES", "1"),
        ("LOG__SOCKETIO", "yes"),
        ("SERVER__PORT__EXTRA", "1"),
        ("SERVER__", "1"),
        ("__PORT", "1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name: str, text: str) -> None:
    said = refusal(**{f"PAIRQUIZ_{name}": text})
    assert f"PAIRQUIZ_{name}" in said
    assert "config.toml" in said


@pytest.mark.parametrize("name", ["PORT", "PAIRQUIZ_SERVER__PORT", "DATABASE_URL", "SUPABASE_URL", "REDIS_URL"])
def test_an_empty_name_is_unset(name: str) -> None:
    assert load(**{name: ""}) == load()


@pytest.mark.parametrize("name", ["JWT_SECRET", "PAIRQUIZ_GUEST_SECRET", "PAIRQUIZ_METRICS__TOKEN"])
@pytest.mark.parametrize("secret", ["", "x" * 31, "ä" * 15, SECRET + "\n"])
def test_a_secret_that_is_empty_or_too_short_is_refused(name: str, secret: str) -> None:
    said = refusal(**{name: secret})
    assert name in said
    assert secret not in said or not secret


@pytest.mark.parametrize("secret", ["x" * 32, "ä" * 16])
def test_a_secret_of_32_bytes_is_enough(secret: str) -> None:
    assert load(JWT_SECRET=secret).jwt_secret == secret
    assert load(PAIRQUIZ_GUEST_SECRET=secret).guest_secret == secret
    assert load(PAIRQUIZ_METRICS__TOKEN=secret).metrics_token == secret


def test_secrets_come_from_the_environment_alone(file: Path) -> None:
    file.write_text(f'[auth]\njwt_secret = "{SECRET}"\n')
    with pytest.raises(ConfigError, match=r"there is no setting auth\.jwt_secret"):
        config.load(file, environ=EMPTY)
    assert "auth.jwt_secret" in refusal(PAIRQUIZ_AUTH__JWT_SECRET=SECRET)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({"DATABASE_URL": "postgres://a:b@c/d"}, "postgres://a:b@c/d"),
        ({"SUPABASE_URL": "postgresql://a:b@c:6543/d"}, "postgresql://a:b@c:6543/d"),
        ({"DATABASE_URL": "postgresql://a/b", "SUPABASE_URL": "postgresql://c/d"}, "postgresql://a/b"),
        ({"DATABASE_URL": "", "SUPABASE_URL": "postgresql://c/d"}, "postgresql://c/d"),
        ({"SUPABASE_URL": "https://abc.supabase.co", "JWT_SECRET": SECRET}, None),
        (
            {"DATABASE_URL": "postgresql://a/b", "SUPABASE_URL": "https://abc.supabase.co", "JWT_SECRET": SECRET},
            "postgresql://a/b",
        ),
    ],
)
def test_the_database_is_what_the_platform_names(environ: dict[str, str], url: str | None) -> None:
    assert config.load(environ=environ).database_url == url


@pytest.mark.parametrize("project", ["https://abc.supabase.co", "https://abc.supabase.co/"])
def test_a_supabase_project_sets_the_issuer_unless_it_is_named(project: str) -> None:
    environ = {"SUPABASE_URL": project, "JWT_SECRET": SECRET}
    assert config.load(environ=environ).auth.issuer == "https://abc.supabase.co/auth/v1"
    assert config.load(environ=environ | {"PAIRQUIZ_AUTH__ISSUER": "https://me"}).auth.issuer == "https://me"
    assert load(SUPABASE_URL="postgresql://c/d").auth.issuer == ""


@pytest.mark.parametrize("project", ["https://abc.supabase.co", "https://abc.supabase.co/"])
def test_a_supabase_project_names_its_keys_unless_others_are_named(project: str) -> None:
    keys = "https://abc.supabase.co/auth/v1/.well-known/jwks.json"
    settings = load(SUPABASE_URL=project)
    assert (settings.auth.jwks_url, settings.users_known, settings.guests_allowed) == (keys, True, False)
    assert load(SUPABASE_URL=project, PAIRQUIZ_SERVER__HOST="0.0.0.0", JWT_SECRET=SECRET).auth.jwks_url == keys
    assert load(SUPABASE_URL=project, PAIRQUIZ_AUTH__JWKS_URL="https://me/k").auth.jwks_url == "https://me/k"
    assert load(SUPABASE_URL=project, PAIRQUIZ_AUTH__JWKS_URL='""').auth.jwks_url == ""
    assert load(SUPABASE_URL="postgresql://c/d").auth.jwks_url == ""


@pytest.mark.parametrize(
    "url",
    ["https://a.example/keys?v=1", "https://a:444/", "http://127.0.0.1:1/k", "http://[::1]/k", "http://localhost/"],
)
def test_keys_may_come_over_tls_or_from_this_machine(url: str) -> None:
    settings = load(PAIRQUIZ_AUTH__JWKS_URL=url)
    assert settings.auth.jwks_url == url
    assert not settings.guests_allowed


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/keys",
        "http://127.0.0.1.a.example/keys",
        "http://10.0.0.1/keys",
        "https://",
        "https://:443/keys",
        "https://me:word@a.example/keys",
        "https://a.example/keys#part",
        "https://a.example:port/keys",
        "https://[::1/keys",
        "https://a.example/ke ys",
        "file:///etc/passwd",
        "//a.example/keys",
        "keys",
    ],
)
def test_keys_that_somebody_else_could_choose_are_refused(url: str) -> None:
    assert "auth.jwks_url" in refusal(PAIRQUIZ_AUTH__JWKS_URL=url)


def test_the_pooler_is_known_by_its_port_unless_it_is_named() -> None:
    assert not load().transaction_pooler
    assert not load(DATABASE_URL="postgresql://a/b").transaction_pooler
    assert not load(DATABASE_URL="postgresql://a:5432/b").transaction_pooler
    assert load(DATABASE_URL="postgresql://a:6543/b").transaction_pooler
    assert load(PAIRQUIZ_DATABASE__TRANSACTION_POOLER="true").transaction_pooler
    assert not load(
        DATABASE_URL="postgresql://a:6543/b", PAIRQUIZ_DATABASE__TRANSACTION_POOLER="false"
    ).transaction_pooler


@pytest.mark.parametrize(
    ("environ", "guests"),
    [
        ({}, True),
        ({"JWT_SECRET": SECRET}, False),
        ({"SUPABASE_URL": "https://abc.supabase.co"}, False),
        ({"PAIRQUIZ_AUTH__JWKS_URL": "https://abc.example/keys", "PAIRQUIZ_AUTH__MODE": "required"}, False),
        ({"PAIRQUIZ_AUTH__JWKS_URL": "https://abc.example/keys", "PAIRQUIZ_AUTH__MODE": "guest"}, True),
        ({"JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__MODE": "guest"}, True),
        ({"JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__MODE": "required"}, False),
    ],
)
def test_guests_may_play_while_there_is_no_secret_or_by_name(environ: dict[str, str], guests: bool) -> None:
    settings = config.load(environ=environ)
    assert settings.guests_allowed is guests
    assert settings.allowed_origins == (("*",) if guests else config.DEVELOPMENT_ORIGINS)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "quiz.example"])
def test_guests_on_an_open_address_must_be_asked_for_by_name(host: str) -> None:
    assert "PAIRQUIZ_AUTH__MODE=guest" in refusal(PAIRQUIZ_SERVER__HOST=host)
    assert load(PAIRQUIZ_SERVER__HOST=host, PAIRQUIZ_AUTH__MODE="guest").guests_allowed
    assert not load(PAIRQUIZ_SERVER__HOST=host, JWT_SECRET=SECRET).guests_allowed


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_guests_on_loopback_need_no_word(host: str) -> None:
    assert load(PAIRQUIZ_SERVER__HOST=host).guests_allowed


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://a.example",
        "http://localhost:5173",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "capacitor://localhost",
        "http://1.2.3.4",
    ],
)
def test_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    assert load(PAIRQUIZ_SERVER__ALLOWED_ORIGINS=f'["{origin}"]').allowed_origins == (origin,)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "a.example",
        "https://",
        "https://a.example/",
        "https://a.example/path",
        "https://a.example:443",
        "http://[::1]:80",
        "https://bücher.example",
        "https://A.example",
        "HTTPS://a.example",
        "https://*.example",
        "https://me@a.example",
        "https://a.example:port",
        "https://a.example https://b.example",
        "http://[::1",
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    assert repr(origin) in refusal(PAIRQUIZ_SERVER__ALLOWED_ORIGINS=f'["{origin}"]')


def test_a_data_folder_is_relative_to_whoever_names_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = file.parents[1] / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    beside = file.parent
    automatic = config.ROOT_DATA_DIR if os.geteuid() == 0 else beside / "var"

    def data_dir(environ: Mapping[str, str] = EMPTY, **flags: Any) -> Path:
        return config.load(file, environ=environ, flags={"server": flags}).data_dir

    assert data_dir() == automatic
    assert data_dir(data_dir="mine") == here / "mine"
    assert data_dir({"PAIRQUIZ_SERVER__DATA_DIR": "mine"}) == here / "mine"
    assert data_dir({"PAIRQUIZ_SERVER__DATA_DIR": "auto"}) == automatic
    assert data_dir(data_dir="/some/where") == Path("/some/where")
    assert data_dir(data_dir="~/quiz") == Path.home() / "quiz"
    file.write_text('[server]\ndata_dir = "mine"\n')
    assert data_dir() == beside / "mine"
    assert data_dir(data_dir="../other") == here.parent / "other"
    assert config.load(Path(os.path.relpath(file)), environ=EMPTY).data_dir == beside / "mine"


def test_the_automatic_data_folder_is_beside_the_file_for_an_ordinary_user(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert config.load(file, environ=EMPTY).data_dir == file.parent / "var"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert config.load(file, environ=EMPTY).data_dir == Path("/var/lib/pairquiz-server")


def test_the_automatic_data_folder_of_an_installed_package_is_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "share" / "pairquiz-server" / "config.toml"
    installed.parent.mkdir(parents=True)
    shutil.copy(CHECKOUT / "config.toml", installed)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.chdir(tmp_path)
    assert config.load(installed, environ=EMPTY).data_dir == tmp_path / "var"


def test_another_page_is_relative_to_whoever_names_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = file.parents[1] / "here"
    for folder in (here, file.parent):
        (folder / "mine").mkdir(parents=True)
        (folder / "mine" / "index.html").touch()
    monkeypatch.chdir(here)
    named = {"PAIRQUIZ_SERVER__PAGE": "mine"}
    assert config.load(file, environ=named).page == here / "mine"
    file.write_text('[server]\npage = "mine"\n')
    assert config.load(file, environ=EMPTY).page == file.parent / "mine"
    # It is shown whoever may play: it may know how to get a token.
    assert config.load(file, environ={"JWT_SECRET": SECRET}).page == file.parent / "mine"


@pytest.mark.parametrize("text", ["nowhere", "/dev/null", "~nobody-of-this-name/page", "a\0b"])
def test_a_folder_without_a_page_is_refused(text: str) -> None:
    assert "server.page" in refusal(PAIRQUIZ_SERVER__PAGE=text)


def test_without_a_page_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pairquiz_server.config.folders._PACKAGE", tmp_path / "pairquiz_server")
    nothing = config.load(environ=EMPTY)
    assert (nothing.page, nothing.page_missing) == (None, True)
    wished = config.load(environ={"PAIRQUIZ_SERVER__PAGE": "none"})
    assert (wished.page, wished.page_missing) == (None, False)


@pytest.mark.parametrize("place", ["frontend/dist", "pairquiz_server/_page/dist"])
def test_the_page_that_came_with_the_server_is_for_guests(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pairquiz_server.config.folders._PACKAGE", tmp_path / "pairquiz_server")
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "index.html").touch()
    assert config.load(environ=EMPTY).page == tmp_path / place
    issuer = config.load(environ={"JWT_SECRET": SECRET})
    assert (issuer.page, issuer.page_missing) == (None, False)
    assert config.load(environ={"JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__MODE": "guest"}).page == tmp_path / place


def test_settings_cannot_be_changed() -> None:
    settings = load(PAIRQUIZ_SERVER__ALLOWED_ORIGINS='["https://a.example"]')
    with pytest.raises(AttributeError):
        settings.server = None  # type: ignore[misc,assignment]
    with pytest.raises(AttributeError):
        settings.server.port = 1  # type: ignore[misc]
    hash(settings)


@pytest.mark.parametrize(
    "url", ["redis://cache", "redis://:word@cache:6379/0", "rediss://user:word@cache:6380", "unix:///run/redis.sock"]
)
def test_redis_is_taken_with_or_without_tls_or_by_its_socket(url: str) -> None:
    assert load().redis_url is None
    assert load(REDIS_URL=url).redis_url == url


@pytest.mark.parametrize(
    "url", ["cache:6379", "http://cache", "redis://", "redis://:secretword@cache:port", "unix://", "redis+unix:///x"]
)
def test_another_address_of_redis_is_refused_without_being_shown(url: str) -> None:
    said = refusal(REDIS_URL=url)
    assert said.startswith("REDIS_URL ")
    assert "secretword" not in said


def test_a_wrong_value_is_told_by_the_name_that_set_it() -> None:
    assert "server.port (from PORT)" in refusal(PORT="65536")
    assert "PAIRQUIZ_SERVER_PORT: write PAIRQUIZ_<SECTION>__<KEY>" in refusal(PAIRQUIZ_SERVER_PORT="1")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the project's wheel, whose libraries are this environment's; needs no network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "config.toml"):
        shutil.copy(CHECKOUT / name, source)
    for name in ("pairquiz_server", "sql"):
        shutil.copytree(CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    page = source / "frontend" / "dist" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("a page")

    def run(*command: str | Path) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        subprocess.run(command, check=True, cwd=folder, capture_output=True, timeout=120, env=environ)

    venv = folder / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    run(*pip, "--python", venv / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    libraries = Path(msgspec.__file__).parents[1]
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return venv


def test_an_installed_wheel_carries_its_settings_its_sql_and_the_page(installed: Path, tmp_path: Path) -> None:
    program = """
import json, sys
from pairquiz_server import config
from pairquiz_server.store import migrations, queries
names = [f"{one.number:04} {one.name}" for one in migrations.read_migrations()]
page = config.load(environ={}).page
file, sql = config.default_file(), queries.sql_folder()
print(json.dumps([str(file), str(page), str(sql), names, len(queries.load("matches"))]))
"""
    run = subprocess.run(
        [installed / "bin" / "python", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True, env={}
    )
    file, page, sql, names, queries = msgspec.json.decode(run.stdout)
    assert Path(file) == installed / "share" / "pairquiz-server" / "config.toml"
    assert Path(file).read_text() == (CHECKOUT / "config.toml").read_text()
    assert (Path(page) / "index.html").read_text() == "a page"
    assert Path(page).is_relative_to(installed)
    assert Path(sql).is_relative_to(installed)
    assert names == [f"{one.number:04} {one.name}" for one in read_migrations()]
    assert queries > 0


def test_an_installed_command_keeps_its_data_where_it_is_started(installed: Path, tmp_path: Path) -> None:
    def data_dir(*words: str) -> Path:
        command = [installed / "bin" / "pairquiz-server", "config", *words]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True, env={})
        return Path(msgspec.json.decode(run.stdout)["data_dir"])

    assert data_dir() == (config.ROOT_DATA_DIR if os.geteuid() == 0 else tmp_path / "var")
    assert data_dir("--data-dir", "mine") == tmp_path / "mine"


def test_where_nothing_can_be_written_the_operators_socket_has_a_place_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    sockets = config.load(environ={"DATABASE_URL": "postgresql://a@b/c"}).admin_sockets
    assert sockets is not None
    assert str(sockets.of(8000)).startswith("/tmp/pairquiz-server-")
