"""A page of the documents as one script of the shell: its files are saved, its commands run, its servers served."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.blocks import TOP, Block
from tests.docs.unrun import is_unrun

SERVES = ("scripts/run", "pairquiz-server serve")
"""What does not end by itself: the commands after it are another terminal's."""

HEAD = """\
set -euo pipefail
servers=()
trap '[ $? = 0 ] || echo "failed at $place: $BASH_COMMAND" >&2; kill "${servers[@]}" || true' EXIT
serve() {
    "$@" >server.log 2>&1 &
    servers+=($!)
    until grep -q "ready for players" server.log; do
        kill -0 "${servers[-1]}" || { cat server.log >&2; return 1; }
        sleep 0.05
    done
}
"""
TAIL = """\
for server in "${servers[@]}"; do kill -INT "$server"; wait "$server"; done
servers=()
"""


def serves_itself(page: list[Block]) -> bool:
    """Tell whether a page starts a server."""
    return any(command.startswith(SERVES) for block in page if block.language == "sh" for command in block.commands())


def script(document: str, page: list[Block], values: Mapping[str, str]) -> str:
    """Return all that a page has its reader do, with `values` in the place of what stands for them."""
    parts = [HEAD]
    for block in page:
        text = block.text
        for name, value in values.items():
            text = text.replace(name, value)
        parts.append(f"place={shlex.quote(block.place)}\n")
        if block.saved_as is not None:
            parts.append(f"cat >{shlex.quote(block.saved_as)} <<'END OF FILE'\n{text}END OF FILE\n")
        elif block.language == "sh":
            told = Block(block.language, text, block.place, None)
            parts.extend(_line(document, command) for command in told.commands())
    return "".join([*parts, TAIL])


def _line(document: str, command: str) -> str:
    if is_unrun(document, command):
        return ""
    return f"serve {command}\n" if command.startswith(SERVES) else f"{command}\n"


def checkout(folder: Path) -> None:
    """Make a folder look like a checkout that is set up: what the scripts install is there."""
    (folder / "scripts").mkdir()
    (folder / "scripts" / "run").symlink_to(TOP / "scripts" / "run")
    for name in ("setup", "page"):
        (folder / "scripts" / name).write_text("#!/bin/sh\n")
        (folder / "scripts" / name).chmod(0o755)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "var").mkdir()


def search_path(*folders: str) -> str:
    return os.pathsep.join([f"{sys.prefix}/bin", *folders, os.environ["PATH"]])
