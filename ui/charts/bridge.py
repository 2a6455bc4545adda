"""A bridge: how one amount became another. Horizontal, so that labels fit a phone; totals are markers, not bars, so
that a cut axis cannot mislead.
"""

from __future__ import annotations

from collections.abc import Sequence

from ui.charts.chart import Chart
from ui.charts.svg import MIDDLE, NARROW, WIDE, Formatter, document, fill, line, tag, text, tip

ROW, BAR, LABEL, VALUE = 30, 16, 190, 74
_LETTER = 6.4
Amount = tuple[str, float]


def bridge(
    title: str,
    desc: str,
    start: Amount,
    steps: Sequence[Amount],
    end: Amount,
    formatter: Formatter,
    *,
    good: str = "up",
) -> Chart:
    """A marker at both (name, amount) ends and a bar a step; the steps must sum to the difference.

    ``good`` says which direction is welcome.
    """

    def draw(width: int) -> str:
        body = _body(width, start, steps, end, formatter, good)
        return document(width, ROW * (len(steps) + 2) + 4, body, title, desc)

    rows = [
        [start[0], formatter(start[1])],
        *([name, _signed(change, formatter)] for name, change in steps),
        [end[0], formatter(end[1])],
    ]
    return Chart(title, *(draw(width) for width in (NARROW, MIDDLE, WIDE)), heads=["Step", "Amount"], rows=rows)


def _signed(change: float, formatter: Formatter) -> str:
    return f"+{formatter(change)}" if change > 0 else formatter(change)


def _floor(levels: Sequence[float]) -> float:
    """Where the axis begins: a little below the lowest level, so that small steps between large ends show."""
    low, high = min(levels), max(levels)
    return max(low - (high - low) * 0.3, 0.0)


def _body(width: int, start: Amount, steps: Sequence[Amount], end: Amount, formatter: Formatter, good: str) -> str:
    left = min(LABEL, int(width * 0.4))
    levels = [start[1], end[1]]
    at = start[1]
    for _name, change in steps:
        at += change
        levels.append(at)
    floor = _floor(levels)
    top = max([*levels, floor + 1e-9])

    def x(value: float) -> float:
        return left + (width - left - VALUE) * (value - floor) / (top - floor or 1)

    parts = [_end(0, start, x, left, formatter)]
    at = start[1]
    for place, step in enumerate(steps, 1):
        parts.append(_step(place, step, at, x, left, formatter, good))
        at += step[1]
        parts.append(line(x(at), place * ROW + ROW / 2 + BAR / 2, x(at), (place + 1) * ROW + ROW / 2 - BAR / 2))
    parts.append(_end(len(steps) + 1, end, x, left, formatter))
    return "".join(parts)


def _fitting(name: str, left: int) -> str:
    room = int((left - 8) / _LETTER)
    return name if len(name) <= room else name[: room - 1].rstrip() + "…"


def _end(place: int, amount: Amount, x, left: int, formatter: Formatter) -> str:  # noqa: ANN001 - scale
    name, value = amount
    y = place * ROW + ROW / 2
    body = text(0, y + 4, _fitting(name, left), "text", 12, weight=600)
    body += line(x(value), y - BAR / 2 - 2, x(value), y + BAR / 2 + 2, "text", 3, stroke_linecap="round")
    body += text(x(value) + 7, y + 4, formatter(value), "text", 12, weight=600)
    return tag("g", body, data_tip=tip(name, [("c1", "", formatter(value))]), class_="row")


def _step(place: int, step: Amount, before: float, x, left: int, formatter: Formatter, good: str) -> str:  # noqa: ANN001
    name, change = step
    y = place * ROW + ROW / 2
    a, b = sorted((before, before + change))
    key = "good" if (change > 0) == (good == "up") else "risk"
    shown = _signed(change, formatter)
    body = text(0, y + 4, _fitting(name, left), "text-2", 12)
    body += tag("rect", x=x(a), y=y - BAR / 2, width=max(x(b) - x(a), 2), height=BAR, rx=2, **fill(key))
    body += text(x(b) + 7, y + 4, shown, f"{key}-ink", 12, weight=600)
    return tag("g", body, data_tip=tip(name, [(key, "", shown)]), class_="row")
