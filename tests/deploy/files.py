"""The files that deploy, as what runs them reads them."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cli.conftest import PATIENCE_S

CHECKOUT = Path(__file__).parents[2]
SECRET = "a-secret-of-at-least-thirty-two-bytes"
BY_PLATFORMS = ["Dockerfile", "docker-compose.yml", "render.yaml", "Procfile", "app.json"]
"""Where the tools and the platforms look for them."""
DEPLOY = sorted(
    str(path.relative_to(CHECKOUT))
    for folder in ("caddy", "haproxy", "kubernetes", "nginx", "systemd")
    for path in (CHECKOUT / "deploy" / folder).iterdir()
)
FILES = [*BY_PLATFORMS, *DEPLOY, "docs/deployment.md"]

Instruction = tuple[str, str]


def read(name: str) -> str:
    return (CHECKOUT / name).read_text()


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions: a word and the rest, continued lines joined."""
    lines = [line for line in read("Dockerfile").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def arguments() -> dict[str, str]:
    """What the Dockerfile's own ARGs are, where nobody says otherwise."""
    pairs = [rest.partition("=") for word, rest in instructions() if word == "ARG"]
    return {name: value for name, _, value in pairs}


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


def health_check(**environ: str) -> int:
    """Run the image's own health check, and return its exit code."""
    program = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
    assert program[0] == "bash", "no Python starts for it every ten seconds"
    given = {"PATH": os.environ["PATH"], **environ}
    run = subprocess.run(program, env=given, capture_output=True, timeout=PATIENCE_S, check=False)
    return run.returncode


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
