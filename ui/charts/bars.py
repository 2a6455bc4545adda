"""Stacked bars: parts of a whole over time. The series that people compare goes first, on the common baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import ceil

from ui.charts.chart import Chart
from ui.charts.svg import (
    MIDDLE,
    NARROW,
    WIDE,
    Formatter,
    document,
    fill,
    line,
    mark,
    rounded_top,
    tag,
    text,
    ticks,
    tip,
)
from ui.formats import percent

TOP, BOTTOM, LEFT = 10, 24, 46
LABEL_ROOM, LABEL_STEP = 118, 30
NAME_ROOM, LETTER = 30, 6  # wide at least; a letter, on an average


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the bars: a token's name, what it stands for, one value a category (never negative)."""

    key: str
    label: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Frame:
    categories: Sequence[tuple[str, str]]
    series: Sequence[Series]
    formatter: Formatter
    axis: Formatter
    labels: bool
    width: int
    height: int

    @property
    def right(self) -> int:
        if self.labels:
            return self.width - LABEL_ROOM
        return self.width - max(8, LETTER * self.widest // 2)

    @property
    def widest(self) -> int:
        """Letters of the longest short name."""
        return max((len(short) for short, _long in self.categories), default=0)

    def totals(self) -> list[float]:
        return [sum(one.values[at] for one in self.series) for at in range(len(self.categories))]


def stacked_bars(
    title: str,
    desc: str,
    categories: Sequence[tuple[str, str]],
    series: Sequence[Series],
    formatter: Formatter,
    axis: Formatter | None = None,
) -> Chart:
    """Bars of (short, long) category names. Labels stand at the last bar except on a phone, which gets a legend."""
    # Three sizes and the table write the same values.
    formatter = cache(formatter)

    def draw(width: int, height: int, *, labels: bool) -> str:
        frame = _Frame(categories, series, formatter, axis or formatter, labels, width, height)
        return document(width, height, _body(frame), title, desc)

    rows = [
        [long, *(formatter(one.values[at]) for one in series), formatter(sum(one.values[at] for one in series))]
        for at, (_short, long) in reversed(list(enumerate(categories)))
    ]
    heads = ["Period", *(one.label for one in series), "Total"]
    drawn = (draw(NARROW, 230, labels=False), draw(MIDDLE, 250, labels=True), draw(WIDE, 262, labels=True))
    return Chart(title, *drawn, heads=heads, rows=rows)


def _body(frame: _Frame) -> str:
    totals = frame.totals()
    steps = ticks(0, max([*totals, 1e-9]))
    if all(float(total).is_integer() for total in totals):
        # What is counted has no halves: a step between would repeat the label of its neighbour.
        steps = [step for step in steps if step.is_integer()]
    if steps[-1] < max(totals, default=0):
        steps.append(steps[-1] + (steps[1] - steps[0] if len(steps) > 1 else 1))
    top = steps[-1] or 1.0
    floor_y = frame.height - BOTTOM
    parts = []
    for step in steps:
        y = floor_y - (floor_y - TOP) * step / top
        parts += [line(LEFT, y, frame.right, y, "line" if step else "line-strong")]
        parts += [text(LEFT - 8, y + 4, frame.axis(step), anchor="end")]
    room = (frame.right - LEFT) / max(1, len(frame.categories))
    every = ceil(max(NAME_ROOM, LETTER * frame.widest + 6) / room)
    for at in range(len(frame.categories)):
        parts.append(_bar(frame, at, room, top, totals[at]))
        parts.append(_category(frame, at, room, every))
    if frame.labels and frame.categories:
        parts.append(_labels(frame, top, totals[-1]))
    return "".join(parts)


def _category(frame: _Frame, at: int, room: float, every: int) -> str:
    last = at == len(frame.categories) - 1
    if (len(frame.categories) - 1 - at) % every:
        return ""
    x = LEFT + at * room + room / 2
    bold = last and frame.labels
    return text(
        x,
        frame.height - 7,
        frame.categories[at][0],
        "text" if bold else "text-3",
        anchor="middle",
        weight=600 if bold else None,
    )


def _bar(frame: _Frame, at: int, room: float, top: float, total: float) -> str:
    floor_y = frame.height - BOTTOM
    width = min(room * 0.6, 44)
    x = LEFT + at * room + (room - width) / 2
    scale = (floor_y - TOP) / top
    base = 0.0
    drawn = [tag("rect", x=LEFT + at * room, y=TOP, width=room, height=floor_y - TOP, class_="hit", fill="transparent")]
    live = [one for one in frame.series if one.values[at]]
    for one in live:
        value = one.values[at]
        height = max(value * scale - 1.5, 0.8)
        y = floor_y - (base + value) * scale
        if one is live[-1]:
            drawn.append(rounded_top(x, y, width, height, 3, **fill(one.key)))
        else:
            drawn.append(tag("rect", x=x, y=y, width=width, height=height, **fill(one.key)))
        base += value
    rows = [(one.key, one.label, frame.formatter(one.values[at])) for one in reversed(frame.series)]
    if len(frame.series) > 1:
        rows.append(("total", "Total", frame.formatter(total)))
    return tag("g", "".join(drawn), data_tip=tip(frame.categories[at][1], rows), class_="col")


def _labels(frame: _Frame, top: float, total: float) -> str:
    """Each series named beside the last bar, pushed apart where they would overlap."""
    floor_y = frame.height - BOTTOM
    base = 0.0
    places: list[list[float]] = []
    for one in frame.series:
        value = one.values[-1]
        places.append([floor_y - (base + value / 2) * (floor_y - TOP) / top])
        base += value
    shown = [place for one, place in zip(frame.series, places, strict=True) if one.values[-1]]
    for lower, upper in pairwise(shown):
        upper[0] = min(upper[0], lower[0] - LABEL_STEP)
    overflow = min(0.0, shown[-1][0] - 18) if shown else 0.0
    parts = []
    for one, (y,) in zip(frame.series, places, strict=True):
        if not one.values[-1]:
            continue
        y -= overflow
        share = f" · {percent(one.values[-1] / total * 100)}" if total else ""
        parts += [
            mark(one.key, frame.right + 16, y - 5, 9),
            text(frame.right + 27, y - 1, one.label, "text", weight=600),
        ]
        parts += [text(frame.right + 27, y + 13, f"{frame.formatter(one.values[-1])}{share}", "text-2")]
    return "".join(parts)
