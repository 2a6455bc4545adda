"""A line over time, with an earlier period, a target and marked events. Lines may cut the axis; areas start at 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ui.charts.chart import Chart
from ui.charts.svg import (
    MIDDLE,
    NARROW,
    WIDE,
    Formatter,
    coordinate,
    document,
    line,
    polyline,
    stroke,
    tag,
    text,
    ticks,
    tip,
)
from ui.tokens import LIGHT

TOP, BOTTOM, LEFT, RIGHT = 18, 24, 46, 56
_LATE = 0.66
# About the width of a letter of an axis.
_LETTER = 6


@dataclass(frozen=True, slots=True)
class Line:
    """What to draw. ``values`` hold None where nothing was measured: a gap, not a zero."""

    title: str
    desc: str
    categories: Sequence[str]
    values: Sequence[float | None]
    formatter: Formatter
    label: str = "Value"
    key: str = "c1"
    compare: Sequence[float | None] = ()
    compare_label: str = "Year before"
    target: tuple[str, float] | None = None
    # (index of the category, what happened)
    events: Sequence[tuple[int, str]] = ()
    # (from this value up, name): thresholds as dashed lines
    low: float | None = None
    high: float | None = None
    # Right-hand notes of the table, e.g. the band of each point
    notes: Sequence[str] = ()
    note_head: str = "Note"

    def chart(self) -> Chart:
        """The three widths; a chart without any value has no picture to show and raises ValueError."""
        if not any(value is not None for value in self.values):
            message = "a line needs at least one value"
            raise ValueError(message)
        heads = ["Period", self.label]
        rows = [[name, self._text(value)] for name, value in zip(self.categories, self.values, strict=True)]
        if self.compare:
            heads.append(self.compare_label)
            rows = [[*row, self._text(value)] for row, value in zip(rows, self.compare, strict=True)]
        if self.notes:
            heads.append(self.note_head)
            rows = [[*row, note] for row, note in zip(rows, self.notes, strict=True)]
        said = _tips(self)
        drawn = [document(w, 200, _body(self, said, w, 200), self.title, self.desc) for w in (NARROW, MIDDLE, WIDE)]
        return Chart(self.title, *drawn, heads=heads, rows=rows[::-1])

    def _text(self, value: float | None) -> str:
        return "–" if value is None else self.formatter(value)

    def span(self) -> tuple[float, float]:
        """Lowest and highest value of the axis."""
        known = [value for value in (*self.values, *self.compare) if value is not None]
        if self.target:
            known.append(self.target[1])
        margin = (max(known) - min(known)) * 0.12 or abs(max(known)) * 0.1 or 1.0
        low = (
            self.low
            if self.low is not None
            else max(0.0, min(known) - margin)
            if min(known) >= 0
            else min(known) - margin
        )
        high = self.high if self.high is not None else max(known) + margin
        return low, high if high > low else low + 1


def _body(chart: Line, said: Sequence[str], width: int, height: int) -> str:
    low, high = chart.span()
    count = len(chart.categories)
    step = (width - LEFT - RIGHT) / max(1, count - 1)
    floor_y, top = height - BOTTOM, TOP + (14 if chart.compare else 0)

    def x(at: int) -> float:
        return LEFT + at * step

    def y(value: float) -> float:
        return floor_y - (floor_y - top) * (value - low) / (high - low)

    parts = []
    for value in _ticks(chart, low, high):
        parts += [
            line(LEFT, y(value), width - RIGHT, y(value)),
            text(LEFT - 8, y(value) + 4, chart.formatter(value), anchor="end"),
        ]
    if chart.compare:
        parts += _legend(chart)
    if chart.target:
        name, value = chart.target
        parts.append(line(LEFT, y(value), width - RIGHT, y(value), "text-3", 1.25, stroke_dasharray="5 4"))
        parts.append(text(LEFT + 4, y(value) - 5, name, "text-2"))
    for at, name in chart.events:
        late = at > count * _LATE
        parts.append(line(x(at), TOP - 2, x(at), floor_y, "control", 1.25, stroke_dasharray="2 3"))
        parts.append(text(x(at) + (-5 if late else 5), TOP + 6, name, "text-2", anchor="end" if late else ""))
    for values, path in (
        (chart.compare, stroke("c5", 1.5, stroke_dasharray="4 4")),
        (chart.values, stroke(chart.key, 2)),
    ):
        for run in _runs(values):
            points = [(x(at), y(value)) for at, value in run]
            parts.append(tag("path", d=polyline(points), stroke_linejoin="round", stroke_linecap="round", **path))
    last, value = next((at, v) for at, v in reversed(list(enumerate(chart.values))) if v is not None)
    dot = {"class_": f"f-{chart.key} dot", "fill": LIGHT[chart.key], "stroke": LIGHT["surface"], "stroke_width": 2}
    parts.append(tag("circle", cx=x(last), cy=y(value), r=4, **dot))
    parts.append(text(x(last) + 9, y(value) + 4, chart.formatter(value), "text", 12, weight=600))
    room = max(56, _LETTER * max(len(name) for name in chart.categories) + 10)
    every = max(1, -(-room // max(1, int(step))))
    for at in range(count):
        value = chart.values[at]
        parts.append(_column(chart, said[at], x(at), step, height, None if value is None else y(value)))
        if (count - 1 - at) % every == 0:
            parts.append(text(x(at), height - 7, chart.categories[at], anchor="middle"))
    return "".join(parts)


def _ticks(chart: Line, low: float, high: float) -> list[float]:
    """As many values of the axis, up to about four, as do not read alike."""
    found = [ticks(low, high, count) for count in (4, 3, 2)]
    return next((values for values in found if len({*map(chart.formatter, values)}) == len(values)), found[-1][:1])


def _legend(chart: Line) -> list[str]:
    """Which of two lines is which, above them."""
    at = LEFT + 26 + _LETTER * len(chart.label) + 16
    return [
        line(LEFT, 8, LEFT + 20, 8, chart.key, 2),
        text(LEFT + 26, 12, chart.label, "text-2"),
        line(at, 8, at + 20, 8, "c5", 1.5, stroke_dasharray="4 4"),
        text(at + 26, 12, chart.compare_label, "text-2"),
    ]


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches without a gap."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _tips(chart: Line) -> list[str]:
    """What each period says on hover, as an attribute."""
    events: dict[int, list[tuple[str, str, str]]] = {}
    for where, name in chart.events:
        events.setdefault(where, []).append(("note", "", name))
    found = []
    for at, name in enumerate(chart.categories):
        rows = [(chart.key, chart.label, chart._text(chart.values[at]))]
        if chart.compare:
            rows.append(("c5", chart.compare_label, chart._text(chart.compare[at])))
        found.append(escape(tip(name, rows + events.get(at, []))))
    return found


def _column(chart: Line, said: str, x: float, step: float, height: int, y: float | None) -> str:
    """The strip that shows the values of one period on hover. Most of a chart is strips: each is written at once."""
    c, floor_y = coordinate, height - BOTTOM
    point = ""
    if y is not None:
        colour = f'class="f-{chart.key} pt" fill="{LIGHT[chart.key]}"'
        point = f'<circle cx="{c(x)}" cy="{c(y)}" r="3.5" {colour} fill-opacity="0"/>'
    return (
        f'<g data-tip="{said}" class="col"><rect x="{c(x - step / 2)}" y="{TOP}" width="{c(step)}"'
        f' height="{floor_y - TOP}" class="hit" fill="transparent"/>'
        f'<line x1="{c(x)}" x2="{c(x)}" y1="{TOP}" y2="{floor_y}" class="cross" stroke="none"/>{point}</g>'
    )
