"""What may stand on the command line of those who look after players and matches."""

import re
from typing import Any
from uuid import UUID

import click

from pairquiz_server.protocol.admin import OPERATOR_MAX
from pairquiz_server.protocol.admin.questions import AGO_MAX_S, NOTE_MAX
from pairquiz_server.rules.player import PLAYER_ID_MAX
from pairquiz_server.rules.question import printable

_SPAN = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


class PlayerId(click.ParamType[str]):
    """An id as tokens prove it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was said, or fail with what may be said."""
        if not (1 <= len(value) <= PLAYER_ID_MAX and printable(value)):
            self.fail(f"an id is a text of 1 to {PLAYER_ID_MAX} characters", param, ctx)
        return str(value)


class MatchId(click.ParamType[str]):
    """The id of a match: the last part of its link."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was said, or fail with what may be said."""
        try:
            return str(UUID(value))
        except ValueError:
            self.fail(f"{value!r} is no match's id: see pairquiz-server matches list", param, ctx)


class Sought(click.ParamType[str]):
    """A text that a player may be known by."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was said, or fail with what may be said."""
        if not (value.strip() and printable(value)):
            self.fail("an id, a name or a label has at least one character, and no control characters", param, ctx)
        return str(value)


class Note(click.ParamType[str]):
    """A text of an operator's, for others to read."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was said, or fail with what may be said."""
        if not (1 <= len(value) <= NOTE_MAX and value.strip() and printable(value)):
            self.fail(f"1 to {NOTE_MAX} characters, and no control characters", param, ctx)
        return str(value)


class OperatorName(click.ParamType[str]):
    """What an operator is called, as a header carries it."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was said, or fail with what may be said."""
        if not (len(value) <= OPERATOR_MAX and value.isprintable()):
            self.fail(f"a name has at most {OPERATOR_MAX} characters, and no control characters", param, ctx)
        return str(value)


class Span(click.ParamType[int]):
    """A span such as 30m, 12h, 30d or 4w, in seconds."""

    name = "span"

    def __init__(self, most_s: int = AGO_MAX_S) -> None:
        self._most_s = most_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return what was said, or fail with what may be said."""
        if isinstance(value, int):
            return value
        found = _SPAN.fullmatch(value)
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if not seconds:
            self.fail(f"{value!r} is no span such as 30m, 12h, 30d or 4w", param, ctx)
        if seconds > self._most_s:
            self.fail(f"{value} is too long: no more than {self._most_s // 86400}d, such as 12h", param, ctx)
        return seconds
