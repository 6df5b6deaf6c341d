"""What the files and the guide name exists."""

import json
import re
import tomllib

import click
import pytest

from pairquiz_server.cli.main import main
from tests.deploy.files import (
    BY_PLATFORMS,
    CHECKOUT,
    DEPLOY,
    FILES,
    SECRET,
    compose_environment,
    image_environment,
    read,
    render,
)

SECRET_SHAPED = re.compile(r"[0-9a-f]{32}|BEGIN [A-Z ]*PRIVATE KEY")


def code(name: str) -> str:
    """What a file has to run: all of it, or what the guide shows as code; continued lines joined."""
    text = re.sub(r"\\\n\s*", "", read(name))
    if not name.endswith(".md"):
        return text
    return "\n".join(block or words for block, words in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL))


@pytest.mark.parametrize("name", [*FILES, "config.toml"])
def test_every_setting_that_is_named_exists(name: str) -> None:
    known = tomllib.loads(read("config.toml"))
    for section in ("metrics", "admin"):
        known.setdefault(section, {})["token"] = "a secret, which stands in no file"
    for section, key in re.findall(r"PAIRQUIZ_([A-Z]+)__([A-Z_]+)", read(name)):
        assert key.lower() in known[section.lower()], f"{section}__{key}"


@pytest.mark.parametrize("name", [*BY_PLATFORMS, "docs/deployment.md"])
def test_every_command_that_is_named_exists(name: str) -> None:
    for first, second in re.findall(r"pairquiz-server ([a-z]+)(?: ([a-z]+))?(?!\S)", code(name)):
        command = main.commands[first]
        assert not isinstance(command, click.Group) or second in command.commands


def test_every_file_that_the_guide_names_exists() -> None:
    named = set(
        re.findall(r"`(\w[\w./-]*\.(?:yml|yaml|json|txt|toml|py)|Dockerfile|Procfile)`", read("docs/deployment.md"))
    )
    assert named >= {"Dockerfile", "Procfile", "docker-compose.yml", "render.yaml", "app.json", "requirements.txt"}
    assert [name for name in named if not (CHECKOUT / name).exists()] == []


def test_the_guide_speaks_of_every_platform_and_of_what_was_not_run() -> None:
    headings = re.findall(r"^## (.+)$", read("docs/deployment.md"), re.MULTILINE)
    assert headings == [
        "Docker",
        "Docker Compose",
        "Kubernetes",
        "systemd",
        "A domain with TLS",
        "Compression and caching",
        "Render",
        "Heroku",
        "Supabase",
        "Staging",
        "What was run, and what was only read",
    ]


def test_no_file_holds_a_secret() -> None:
    assert "JWT_SECRET" not in image_environment()
    assert not [name for name in DEPLOY if SECRET_SHAPED.search(read(name))]
    assert "JWT_SECRET" not in compose_environment("server-1", POSTGRES_PASSWORD="pw")
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        compose_environment("postgres", JWT_SECRET=SECRET)
    (service,) = render()["services"]
    (secret,) = [one for one in service["envVars"] if one["key"] == "JWT_SECRET"]
    assert secret == {"key": "JWT_SECRET", "sync": False}
    assert json.loads(read("app.json"))["env"]["JWT_SECRET"].keys() == {"description", "required"}
