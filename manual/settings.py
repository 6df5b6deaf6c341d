"""The reference of the settings, from config.toml and its comments."""

import re
from collections.abc import Iterator

HEAD = """\
# Settings

For whoever runs a server. Written of [config.toml](../config.toml) (`scripts/docs --write`), which holds every
setting at its default, and may be copied, changed and given as `--config`. A setting that is unknown or wrong stops
the start with one line that names it; `pairquiz-server config` prints what is in force, without secrets.
"""

_SECTION = re.compile(r"\[(\w+)\]")
_SETTING = re.compile(r"(\w+) = (.+)")


def reference(config: str) -> str:
    """Return the page: a section for each table of the file, and a row for each setting."""
    head, *sections = re.split(r"^(?=\[\w+\]$)", config, flags=re.MULTILINE)
    # Its first line says what the page's first lines say.
    return "\n".join([HEAD, "\n\n".join(_paragraphs(head)[1:]) + "\n", *(_section(section) for section in sections)])


def _section(section: str) -> str:
    title, _, rest = section.partition("\n")
    name = title.strip("[]")
    return "\n".join([f"## {name}\n", *_rows(name, rest)])


def _rows(section: str, text: str) -> Iterator[str]:
    comment: list[str] = []
    in_table = False
    for line in text.splitlines():
        if setting := _SETTING.fullmatch(line):
            # What stands before the last paragraph of a comment is about all that follows.
            *before, what = _paragraphs("\n".join(comment))
            for paragraph in before:
                yield f"\n{paragraph}\n" if in_table else f"{paragraph}\n"
            if before or not in_table:
                yield "| setting | default | what |\n|---|---|---|"
            cell = what.replace("|", r"\|")
            yield f"| `{section}.{setting[1]}` | `{setting[2]}` | {cell} |"
            comment, in_table = [], True
        else:
            comment.append(line)
    yield ""


def _paragraphs(comment: str) -> list[str]:
    """The paragraphs of a comment, each as one line of Markdown: values and names in it become code."""
    lines = [line.removeprefix("#").strip() for line in comment.strip().splitlines()]
    paragraphs = re.split(r"\n\n+", "\n".join(lines).strip())
    return [_with_code(" ".join(paragraph.split("\n"))) for paragraph in paragraphs]


def _with_code(text: str) -> str:
    """Text of a comment as Markdown: names of the environment, and values in quotes, are code."""
    code = r"""`[^`]+`|\w+\.\w+ = "\w+"|\w+='[^']*'|PAIRQUIZ_<\w+>__<\w+>|\bPAIRQUIZ_\w*(?:=\w+)?…?|"[^"]*"|\["\*"\]"""
    names = r"\b(?:[A-Z]+_[A-Z_]+|PORT)\b|\b(?:server|auth|game|database|limits)\.\w+"
    return re.sub(f"({code}|{names})", lambda found: found[0] if found[0].startswith("`") else f"`{found[0]}`", text)
