"""The files of each platform say what is true of the server, and their commands work."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pairquiz_server import config
from pairquiz_server.config import ConfigError, Settings
from tests.cli.conftest import PATIENCE_S, clean_environment, serving
from tests.conftest import Server
from tests.deploy.files import CHECKOUT, SECRET, compose_environment, health_check, image_environment, read, render


def environments() -> dict[str, dict[str, str]]:
    """What each platform gives the server, with a secret and a database filled in."""
    secrets = {"DATABASE_URL": "postgresql://a:b@c/d", "JWT_SECRET": SECRET}
    (service,) = render()["services"]
    heroku = {name: entry.get("value", "") for name, entry in json.loads(read("app.json"))["env"].items()}
    return {
        "image": image_environment() | secrets,
        "compose": compose_environment("server-1", POSTGRES_PASSWORD="pw", JWT_SECRET=SECRET),
        "render": {one["key"]: one.get("value", "") for one in service["envVars"]} | secrets | {"PORT": "10000"},
        "heroku": heroku | secrets | {"PORT": "5000"},
    }


RENDER_SERVICE = {
    *("type", "name", "runtime", "plan", "region", "branch", "numInstances", "scaling", "autoDeployTrigger"),
    *("dockerfilePath", "dockerContext", "dockerCommand", "preDeployCommand", "healthCheckPath"),
    *("maxShutdownDelaySeconds", "domains", "disk", "envVars", "buildFilter"),
}
HEROKU_APP = {
    *("name", "description", "keywords", "website", "repository", "logo", "success_url"),
    *("scripts", "env", "formation", "image", "addons", "buildpacks", "stack", "environments"),
}


@pytest.mark.parametrize(
    ("platform", "proxies", "port"),
    [("image", 0, 8000), ("compose", 1, 8000), ("render", 3, 10000), ("heroku", 1, 5000)],
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
        assert health_check(PORT=server.url.rpartition(":")[2]) == 0
        assert server.stop() == 0
    assert any('"address": "0.0.0.0:' in line for line in server.errors)


def test_heroku_installs_this_project_with_its_locked_dependencies() -> None:
    lines = [line for line in read("requirements.txt").splitlines() if not line.startswith("#")]
    assert lines == ["--constraint constraints.txt", "."]


def test_the_platforms_files_have_only_keys_that_their_documents_name() -> None:
    """Neither platform's schema can be had from a package registry: these are the keys of their references."""
    blueprint = render()
    assert blueprint.keys() <= {"services", "databases", "envVarGroups", "previews"}
    (service,) = blueprint["services"]
    assert service.keys() <= RENDER_SERVICE
    for entry in service["envVars"]:
        assert entry.keys() in ({"key", "value"}, {"key", "sync"}, {"key", "fromDatabase"})
        assert isinstance(entry.get("value", ""), str)
    (database,) = blueprint["databases"]
    assert database.keys() <= {"name", "plan", "databaseName", "user", "region", "postgresMajorVersion", "ipAllowList"}
    app = json.loads(read("app.json"))
    assert app.keys() <= HEROKU_APP
    assert all(entry.keys() <= {"description", "value", "required", "generator"} for entry in app["env"].values())
    assert [entry.keys() for entry in (*app["addons"], *app["buildpacks"])] == [{"plan"}, {"url"}]
    assert app["formation"].keys() <= procfile().keys()
