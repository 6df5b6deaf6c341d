"""Spans of time as somebody types them."""

import re
from typing import Any

import click

_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Span(click.ParamType[float]):
    """A span such as 500ms, 30s or 5m, in seconds; within bounds, in seconds too."""

    name = "span"

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        if isinstance(value, float):
            return value
        found = _SPAN.fullmatch(value.strip())
        seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
        if not self._least <= seconds <= self._most:
            self.fail(
                f"{value!r} is no span such as 500ms, 30s or 5m, of {self._least:g} s to {self._most:g} s", param, ctx
            )
        return seconds
