"""The blocks of code in the documents, and the commands in them."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *TOP.glob("*.md"),
        *TOP.glob("docs/**/*.md"),
        *[TOP / name for name in ("examples/README.md", "frontend/README.md", "frontend/client/README.md")],
    ]
)

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SAVED = re.compile(r"save this as `([\w./-]+)`", re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, where it stands, and the name to save it by, if it has one."""

    language: str
    text: str
    place: str
    saved_as: str | None

    def commands(self) -> list[str]:
        """The commands of a shell's block, each on one line."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def name_of(document: Path) -> str:
    return document.relative_to(TOP).as_posix()


def blocks(document: Path) -> Iterator[Block]:
    """The blocks of a document, in their order."""
    text = document.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        before = text[: found.start()]
        saved = _SAVED.search(before.rstrip().rpartition("\n\n")[2])
        place = f"{name_of(document)}:{before.count(chr(10)) + 1}"
        yield Block(found[2], textwrap.dedent(found[3]), place, saved[1] if saved else None)


def calls_of_ours(document: Path) -> Iterator[list[str]]:
    """The words behind `pairquiz-server`, wherever a document shows it as code; what is no command line is left out."""
    text = document.read_text(encoding="utf-8")
    shells = [command for block in blocks(document) if block.language == "sh" for command in block.commands()]
    spans = re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text))
    for code in (*shells, *spans):
        code = re.sub(r"^docker (run|build|compose exec) .*?pairquiz-server( \.$)?", "", code)
        for call in re.findall(r"(?:^|[\s/(])pairquiz-server((?: [^|;&)`>]+)?)", code):
            yield shlex.split(call, comments=True)
