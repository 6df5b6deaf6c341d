"""The deployment files say what is true of the server, and their commands work."""

import asyncio
import configparser
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from aiohttp import ClientSession

import pairquiz_server
from pairquiz_server import config
from pairquiz_server.cli.main import main
from pairquiz_server.config import ConfigError, Settings
from tests.cli.conftest import PATIENCE_S, clean_environment, serving
from tests.conftest import Server

CHECKOUT = Path(pairquiz_server.__file__).parents[1]
SECRET = "a-secret-of-at-least-thirty-two-bytes"
FILES = ["Dockerfile", "docker-compose.yml", "render.yaml", "Procfile", "app.json", "docs/deployment.md"]

Instruction = tuple[str, str]


def read(name: str) -> str:
    return (CHECKOUT / name).read_text()


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions: a word and the rest, continued lines joined."""
    lines = [line for line in read("Dockerfile").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def final_stage() -> list[Instruction]:
    """The instructions of the image itself."""
    all_of_them = instructions()
    last = max(number for number, (word, _) in enumerate(all_of_them) if word == "FROM")
    return all_of_them[last:]


def only(word: str) -> str:
    """The rest of the one instruction of this kind in the image."""
    (rest,) = [rest for found, rest in final_stage() if found == word]
    return rest


def image_environment() -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(only("ENV")))


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return loaded


def compose_environment(service: str, **given: str) -> dict[str, str]:
    """A service's environment as Compose fills it in; a `:?` that is not given is a KeyError.

    A name without a value is passed on where it is given, and else is not there.
    """

    def fill(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        return given[name] if kind == ":?" else given.get(name) or word

    written = compose()["services"][service]["environment"]
    filled = {name: re.sub(r"\$\{(\w+)(:[?-])([^}]*)\}", fill, str(value)) for name, value in written.items() if value}
    return filled | {name: given[name] for name, value in written.items() if value is None and name in given}


def render() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("render.yaml"))
    return loaded


def environments() -> dict[str, dict[str, str]]:
    """What each platform gives the server, with a secret and a database filled in."""
    secrets = {"DATABASE_URL": "postgresql://a:b@c/d", "JWT_SECRET": SECRET}
    (service,) = render()["services"]
    heroku = {name: entry.get("value", "") for name, entry in json.loads(read("app.json"))["env"].items()}
    return {
        "image": image_environment() | secrets,
        "compose": compose_environment("server", POSTGRES_PASSWORD="pw", JWT_SECRET=SECRET),
        "render": {one["key"]: one.get("value", "") for one in service["envVars"]} | secrets | {"PORT": "10000"},
        "heroku": heroku | secrets | {"PORT": "5000"},
    }


@pytest.mark.parametrize(
    ("platform", "proxies", "port"),
    [("image", 0, 8000), ("compose", 0, 8000), ("render", 3, 10000), ("heroku", 1, 5000)],
)
def test_a_platform_gives_the_server_settings_that_it_takes(platform: str, proxies: int, port: int) -> None:
    environ = environments()[platform]
    assert "PAIRQUIZ_SERVER__TRUSTED_PROXIES" in environ, "said, not left to the default"
    settings: Settings = config.load(environ=environ)
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", port)
    assert settings.server.trusted_proxies == proxies
    assert not settings.guests_allowed
    assert settings.database_url is not None


@pytest.mark.parametrize("platform", ["image", "compose", "render", "heroku"])
def test_no_platform_starts_the_server_without_a_secret(platform: str) -> None:
    environ = environments()[platform]
    del environ["JWT_SECRET"]
    with pytest.raises(ConfigError, match="set JWT_SECRET"):
        config.load(environ=environ)


def test_no_file_holds_a_secret() -> None:
    assert "JWT_SECRET" not in image_environment()
    assert "JWT_SECRET" not in compose_environment("server", POSTGRES_PASSWORD="pw")
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        compose_environment("postgres", JWT_SECRET=SECRET)
    (service,) = render()["services"]
    (secret,) = [one for one in service["envVars"] if one["key"] == "JWT_SECRET"]
    assert secret == {"key": "JWT_SECRET", "sync": False}
    assert json.loads(read("app.json"))["env"]["JWT_SECRET"].keys() == {"description", "required"}


def test_the_image_is_built_of_the_locked_dependencies_and_of_files_that_are_sent() -> None:
    sent = [line.removeprefix("!") for line in read(".dockerignore").splitlines() if line.startswith("!")]
    assert "*" in read(".dockerignore").splitlines(), "all else stays out"
    copied = [
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert sorted(copied) == sorted(sent)
    assert [name for name in copied if not (CHECKOUT / name).exists()] == []
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert "--constraint constraints.txt ." in install
    assert {line.split("==")[0].lower() for line in read("constraints.txt").splitlines() if "==" in line} >= {
        "aiohttp",
        "asyncpg",
        "python-socketio",
        "uvloop",
    }
    assert all(rest.split()[0].split(":")[1].endswith("-slim") for word, rest in instructions() if word == "FROM")


def test_the_image_brings_the_page_built_by_a_node_that_is_new_enough() -> None:
    stages = [rest for word, rest in instructions() if word == "FROM"]
    assert int(re.search(r"^node:(\d+)-slim AS page$", stages[0])[1]) >= 20  # type: ignore[index]
    (built,) = [rest for word, rest in instructions() if word == "RUN" and "npm" in rest]
    assert "npm ci --ignore-scripts" in built
    assert built.endswith("npm run build")
    assert ("COPY", "--from=page /source/frontend/dist frontend/dist") in instructions()
    ignored = read(".dockerignore").splitlines()
    assert ignored.index("**/node_modules") > ignored.index("!frontend")
    assert ignored.index("**/dist") > ignored.index("!frontend")


def test_what_the_wheel_is_made_of_is_copied_into_the_image() -> None:
    copied = " ".join(rest for word, rest in instructions() if word == "COPY")
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "config.toml", "sql"} <= set(copied.split())


def test_every_file_of_the_package_that_is_no_program_is_in_the_wheel() -> None:
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    travel = [(name.replace(".", "/"), kind) for name, kind in setup["options.package_data"].items()]
    package = CHECKOUT / "pairquiz_server"
    files = [path.relative_to(CHECKOUT) for path in package.rglob("*.*") if path.suffix not in (".py", ".pyc")]
    assert len(files) > 10
    for file in files:
        assert any(str(file.parent) == folder and file.match(kind) for folder, kind in travel), file


def test_the_image_runs_as_nobody_special_and_stops_by_sigterm() -> None:
    user = only("USER")
    assert user.isdigit()
    assert int(user) > 0
    assert any(f"--uid {user}" in rest for word, rest in final_stage() if word == "RUN")
    words = [word for word, _ in final_stage()]
    assert words.index("USER") < words.index("CMD")
    assert only("STOPSIGNAL") == "SIGTERM"
    assert json.loads(only("CMD")) == ["pairquiz-server", "serve"], "no shell stands between us and the signal"


def health_check(port: str) -> int:
    """Run the image's own health check, and return its exit code."""
    program = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
    assert program[0] == "python"
    run = subprocess.run(
        [sys.executable, *program[1:]], env={"PORT": port}, capture_output=True, timeout=PATIENCE_S, check=False
    )
    return run.returncode


async def test_the_health_check_of_the_image_is_true(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    assert await asyncio.to_thread(health_check, port) == 0
    assert await asyncio.to_thread(health_check, "1") != 0


def test_compose_passes_on_whatever_the_document_names() -> None:
    table = read("docs/deployment.md").partition("| name | what |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"PORT"}  # of the machine, not of the container
    assert len(named) > 8
    assert named <= compose()["services"]["server"]["environment"].keys()


def test_compose_takes_an_issuer_with_keys_of_its_own_in_place_of_a_secret() -> None:
    given = {"SUPABASE_URL": "https://x.supabase.co", "PAIRQUIZ_METRICS__TOKEN": SECRET}
    settings = config.load(environ=compose_environment("server", POSTGRES_PASSWORD="pw", **given))
    assert (settings.guests_allowed, settings.jwt_secret, settings.metrics_token) == (False, None, SECRET)
    given = {"PAIRQUIZ_AUTH__JWKS_URL": "https://x.example/keys", "PAIRQUIZ_AUTH__ISSUER": "https://x.example"}
    settings = config.load(environ=compose_environment("server", POSTGRES_PASSWORD="pw", **given))
    assert (settings.auth.jwks_url, settings.auth.issuer) == ("https://x.example/keys", "https://x.example")


def test_compose_starts_the_server_after_its_own_database() -> None:
    services = compose()["services"]
    server, postgres = services["server"], services["postgres"]
    given = {"POSTGRES_PASSWORD": "pw", "JWT_SECRET": SECRET}
    theirs = compose_environment("postgres", **given)
    assert compose_environment("server", **given)["DATABASE_URL"] == (
        f"postgresql://{theirs['POSTGRES_USER']}:{theirs['POSTGRES_PASSWORD']}@postgres:5432/{theirs['POSTGRES_DB']}"
    )
    assert server["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert f"--username={theirs['POSTGRES_USER']}" in postgres["healthcheck"]["test"]
    (volume,) = postgres["volumes"]
    name, folder = volume.split(":")
    assert name in compose()["volumes"]
    assert int(postgres["image"].partition(":")[2]) >= 18
    assert folder == "/var/lib/postgresql", "where the image keeps its data from 18 on"
    assert server["ports"] == ["${PORT:-8000}:8000"]
    assert server["build"] == "."


def test_compose_passes_on_what_its_operator_sets() -> None:
    given = {"POSTGRES_PASSWORD": "pw", "JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__MODE": "guest", "SUPABASE_URL": ""}
    given["PAIRQUIZ_SERVER__ALLOWED_ORIGINS"] = '["https://quiz.example"]'
    settings = config.load(environ=compose_environment("server", **given))
    assert settings.guests_allowed
    assert settings.allowed_origins == ("https://quiz.example",)


async def test_render_migrates_before_a_release_and_asks_a_path_that_exists(server: Server) -> None:
    (service,) = render()["services"]
    assert service["runtime"] == "docker"
    assert (CHECKOUT / service["dockerfilePath"]).is_file()
    assert service["preDeployCommand"] == "pairquiz-server migrate"
    (database,) = render()["databases"]
    (url,) = [one["fromDatabase"] for one in service["envVars"] if one["key"] == "DATABASE_URL"]
    assert url == {"name": database["name"], "property": "connectionString"}
    async with ClientSession() as session, session.get(server.url + service["healthCheckPath"]) as answer:
        assert answer.status == 200


def procfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in read("Procfile").splitlines())


def path_to_the_command() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def test_heroku_migrates_at_release_and_then_serves_on_its_port(empty_database_url: str) -> None:
    environ = clean_environment(DATABASE_URL=empty_database_url, JWT_SECRET=SECRET, PATH=path_to_the_command())

    def shell(line: str) -> str:
        run = subprocess.run(
            ["bash", "-c", line], env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True
        )
        return run.stdout

    assert "applied 0001" in shell(procfile()["release"])
    command = shlex.split(shell(f"echo {procfile()['web']}"))
    assert command[:2] == ["env", "PAIRQUIZ_SERVER__TRUSTED_PROXIES=1"]
    assert command[2:4] == ["pairquiz-server", "serve"]
    with serving(*command[4:], PORT="0", DATABASE_URL=empty_database_url, JWT_SECRET=SECRET) as server:
        server.await_screen()
        assert health_check(server.url.rpartition(":")[2]) == 0
        assert server.stop() == 0
    assert any('"address": "0.0.0.0:' in line for line in server.errors)


def test_heroku_installs_this_project_with_its_locked_dependencies() -> None:
    lines = [line for line in read("requirements.txt").splitlines() if not line.startswith("#")]
    assert lines == ["--constraint constraints.txt", "."]


@pytest.mark.parametrize("name", [*FILES, "config.toml"])
def test_every_setting_that_is_named_exists(name: str) -> None:
    known = {**tomllib.loads(read("config.toml")), "metrics": {"token": "a secret, which stands in no file"}}
    for section, key in re.findall(r"PAIRQUIZ_([A-Z]+)__([A-Z_]+)", read(name)):
        assert key.lower() in known[section.lower()], f"{section}__{key}"


def code(name: str) -> str:
    """What a file has to run: all of it, or what the guide shows as code; continued lines joined."""
    text = re.sub(r"\\\n\s*", "", read(name))
    if not name.endswith(".md"):
        return text
    return "\n".join(block or words for block, words in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL))


@pytest.mark.parametrize("name", FILES)
def test_every_command_that_is_named_exists(name: str) -> None:
    for first, second in re.findall(r"pairquiz-server ([a-z]+)(?: ([a-z]+))?(?!\S)", code(name)):
        command = main.commands[first]
        assert not isinstance(command, click.Group) or second in command.commands


def test_every_file_that_the_guide_names_exists() -> None:
    named = set(
        re.findall(r"`([\w./-]+\.(?:yml|yaml|json|txt|toml|py)|Dockerfile|Procfile)`", read("docs/deployment.md"))
    )
    assert named >= {"Dockerfile", "Procfile", "docker-compose.yml", "render.yaml", "app.json", "requirements.txt"}
    assert [name for name in named if not (CHECKOUT / name).exists()] == []


def test_the_guide_speaks_of_every_platform_and_of_what_was_not_run() -> None:
    headings = re.findall(r"^## (.+)$", read("docs/deployment.md"), re.MULTILINE)
    assert headings == [
        "Docker",
        "Docker Compose",
        "Render",
        "Heroku",
        "Supabase",
        "Staging",
        "What was run, and what was only read",
    ]
