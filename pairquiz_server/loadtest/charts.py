"""Charts as SVG, to stand in a page that loads nothing. Pure."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from msgspec import Struct

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 12, 34
_INNER_W, _INNER_H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


class Line(Struct, frozen=True):
    """A line of a chart: its name, its values, and the number of its colour (the page has 1 to 4)."""

    name: str
    values: Sequence[float]
    colour: int


class Scale(Struct, frozen=True):
    """Where values stand on the vertical axis, from `low` to `high`; in a scale of powers, those of ten."""

    low: float
    high: float
    powers: bool

    def place(self, value: float) -> float:
        """Return the distance from the top."""
        if self.powers:
            part = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            part = (value - self.low) / (self.high - self.low)
        return TOP + _INNER_H * (1 - min(max(part, 0.0), 1.0))

    def marks(self) -> list[float]:
        """Return the values that are written beside the axis."""
        if self.powers:
            first, last = round(log10(self.low)), round(log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        return [self.high * part / 4 for part in range(5)]


def line_chart(title: str, unit: str, at: Sequence[float], lines: Sequence[Line], *, across: str, powers: bool) -> str:
    """Draw lines over `at`, which rises; `across` says what that is."""
    values = [value for line in lines for value in line.values]
    scale = _scale(values, powers=powers)
    begin, end = (at[0], at[-1]) if at else (0.0, 1.0)
    span = end - begin or 1.0

    def x(place: float) -> float:
        return LEFT + _INNER_W * (place - begin) / span

    drawn = [_frame(scale), _across([(x(mark), mark) for mark in _round_marks(begin, end)])]
    for line in lines:
        points = " ".join(f"{x(a):.1f},{scale.place(v):.1f}" for a, v in zip(at, line.values, strict=True))
        drawn.append(f'<polyline class="line c{line.colour}" points="{points}"/>')
        drawn += [
            f'<circle class="dot c{line.colour}" cx="{x(a):.1f}" cy="{scale.place(v):.1f}" r="2.5">'
            f"<title>{escape(line.name)}: {_number(v)} {escape(unit)} at {_number(a)} {escape(across)}</title></circle>"
            for a, v in zip(at, line.values, strict=True)
        ]
    legend = "".join(f'<span class="key c{line.colour}">{escape(line.name)}</span>' for line in lines)
    return _figure(title, f"{unit}, over {across}", "".join(drawn), legend)


def bar_chart(title: str, unit: str, bars: Sequence[tuple[float, int]]) -> str:
    """Draw how many there are up to each edge, on an axis of powers; `unit` is that of the edges."""
    scale = _scale([count for _, count in bars], powers=False)
    width = _INNER_W / max(len(bars), 1)
    drawn = [_frame(scale)]
    for number, (edge, count) in enumerate(bars):
        top = scale.place(count)
        drawn.append(
            f'<rect class="bar" x="{LEFT + number * width + 1:.1f}" y="{top:.1f}" width="{max(width - 2, 1):.1f}" '
            f'height="{TOP + _INNER_H - top:.1f}"><title>up to {_number(edge)} {escape(unit)}: {count:,}</title></rect>'
        )
    every = max(1, ceil(len(bars) / 10))
    drawn.append(_across([(LEFT + (number + 1) * width, bars[number][0]) for number in range(0, len(bars), every)]))
    return _figure(title, f"answers, by {unit}", "".join(drawn), "")


def _scale(values: Sequence[float], *, powers: bool) -> Scale:
    most = max(values, default=1.0) or 1.0
    if powers:
        least = min((value for value in values if value > 0), default=0.1)
        low, high = floor(log10(least)), ceil(log10(most))
        return Scale(10.0**low, 10.0 ** max(high, low + 1), powers=True)
    step = 10.0 ** floor(log10(most))
    return Scale(0.0, next(step * part for part in (1, 2, 4, 6, 8, 10, 12) if step * part >= most), powers=False)


def _round_marks(begin: float, end: float) -> list[float]:
    span = end - begin
    if span <= 0:
        return [begin]
    step = 10.0 ** floor(log10(span))
    step *= next(part for part in (0.2, 0.5, 1, 2) if span / (step * part) <= 8)
    return [step * number for number in range(ceil(begin / step), floor(end / step) + 1)]


def _frame(scale: Scale) -> str:
    marks = [(scale.place(mark), mark) for mark in scale.marks()]
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="mark" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(mark)}</text>'
        for y, mark in marks
    )


def _across(marks: Sequence[tuple[float, float]]) -> str:
    return "".join(
        f'<text class="mark" x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{_number(mark)}</text>'
        for x, mark in marks
    )


def _figure(title: str, unit: str, drawn: str, legend: str) -> str:
    return (
        f'<figure><figcaption><b>{escape(title)}</b> <span class="unit">{escape(unit)}</span>{legend}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{drawn}</svg></figure>'
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
