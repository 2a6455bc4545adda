"""Why a score changed: a horizontal waterfall. Totals are markers, not bars, so that a cut axis cannot mislead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from ui.charts.chart import Chart
from ui.charts.svg import MIDDLE, NARROW, WIDE, document, fill, line, mark, tag, text, ticks, tip
from ui.formats import number, signed

TOP, ROW, RIGHT = 24, 32, 48
_LETTER = 6.4


@dataclass(frozen=True, slots=True)
class Total:
    """Where the score stood: a name such as a day, the value, the tone of its band."""

    name: str
    value: float
    tone: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one dimension added (or took), in points of the score, and why."""

    name: str
    change: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """From this value up the band has this name."""

    value: float
    name: str


def waterfall(
    title: str, desc: str, start: Total, steps: Sequence[Step], end: Total, cuts: Sequence[Cut] = ()
) -> Chart:
    """The chart; the steps are drawn as given and must sum to the difference, which the caller computed."""

    def draw(width: int, label_room: int) -> str:
        return document(
            width, TOP + ROW * (len(steps) + 2) + 8, _body(width, label_room, start, steps, end, cuts), title, desc
        )

    longest = max(len(name) for name in [start.name, end.name, *(step.name for step in steps)])
    room = int(min(190, longest * _LETTER + 14))
    rows = [
        [start.name, number(start.value), ""],
        *([step.name, _points(step.change), step.why] for step in steps),
        [end.name, number(end.value), ""],
    ]
    drawn = (draw(NARROW, min(room, 126)), draw(MIDDLE, min(room, 160)), draw(WIDE, room))
    return Chart(title, *drawn, heads=["Part", "Points", "Why"], rows=rows)


def _points(change: float) -> str:
    """A change with its sign, with one decimal unless it is whole."""
    rounded = round(change, 1)
    return signed(rounded, 0 if rounded == int(rounded) else 1)


def _range(start: Total, steps: Sequence[Step], end: Total) -> tuple[float, float]:
    at = start.value
    seen = [at, end.value]
    for step in steps:
        at += step.change
        seen.append(at)
    low, high = floor((min(seen) - 4) / 10) * 10, ceil((max(seen) + 4) / 10) * 10
    return max(0, low), min(100, max(high, low + 20))


def _body(width: int, left: int, start: Total, steps: Sequence[Step], end: Total, cuts: Sequence[Cut]) -> str:
    low, high = _range(start, steps, end)
    bottom = TOP + ROW * (len(steps) + 2) + 2

    def x(value: float) -> float:
        return left + (width - left - RIGHT) * (value - low) / (high - low)

    parts = []
    for value in ticks(low, high, 4 if width > NARROW else 3):
        parts += [line(x(value), TOP - 4, x(value), bottom), text(x(value), TOP - 10, number(value), anchor="middle")]
    parts += _cuts([(x(cut.value), cut) for cut in cuts if low < cut.value < high], width, bottom)
    at = start.value
    parts.append(_total(start, 0, x, left, width))
    for row, step in enumerate(steps, 1):
        parts.append(
            line(x(at), TOP + row * ROW - ROW / 2 + 9, x(at), TOP + row * ROW + ROW / 2 - 9, "line-strong", 1.25)
        )
        parts.append(_step(step, row, at, x, left, width))
        at += step.change
    last = len(steps) + 1
    parts.append(
        line(x(at), TOP + last * ROW - ROW / 2 + 9, x(at), TOP + last * ROW + ROW / 2 - 9, "line-strong", 1.25)
    )
    parts.append(_total(end, last, x, left, width))
    return "".join(parts)


def _cuts(cuts: Sequence[tuple[float, Cut]], width: int, bottom: float) -> list[str]:
    """Where bands begin. A name stands on the side where there is room; without any its line stays unnamed."""
    parts, taken = [], 0.0
    for at, cut in sorted(cuts, key=lambda pair: pair[0]):
        parts.append(line(at, TOP - 4, at, bottom, "control", 1.25, stroke_dasharray="3 3"))
        name = f"{cut.name} from {number(cut.value)}"
        size = len(name) * _LETTER
        sides = [(at + 5, at + 5, ""), (at - 5 - size, at - 5, "end")]
        for begins, place, anchor in sides[::-1] if at > width * 0.72 else sides:
            if begins >= taken and begins + size <= width:
                parts.append(text(place, bottom + 4, name, anchor=anchor))
                taken = begins + size
                break
    return parts


def _cell(content: str, left: int) -> str:
    room = int((left - 8) / _LETTER)
    return content if len(content) <= room else content[: room - 1].rstrip() + "…"


def _total(total: Total, row: int, x, left: int, width: int) -> str:  # noqa: ANN001 - the scale
    y = TOP + row * ROW + ROW / 2
    at = x(total.value)
    flip = at > width - RIGHT - 30
    body = tag("rect", x=0, y=y - ROW / 2, width=width, height=ROW, class_="hit", fill="transparent")
    body += text(0, y + 4, _cell(total.name, left), "text", 12, weight=600)
    body += line(at, y - 10, at, y + 10, "text", 3, stroke_linecap="round")
    body += mark(total.tone, at + (-48 if flip else 13), y, 9)
    body += text(at + (-39 if flip else 22), y + 4.5, number(total.value), "text", 13, weight=600)
    return tag("g", body, data_tip=tip(total.name, [(total.tone, "Score", number(total.value))]), class_="row")


def _step(step: Step, row: int, before: float, x, left: int, width: int) -> str:  # noqa: ANN001 - the scale
    y = TOP + row * ROW + ROW / 2
    a, b = sorted((before, before + step.change))
    shown = _points(step.change)
    flat = not shown.strip("+−0.")
    key = "c5" if flat else "good" if step.change > 0 else "risk"
    body = tag("rect", x=0, y=y - ROW / 2, width=width, height=ROW, class_="hit", fill="transparent")
    body += text(0, y + 4, _cell(step.name, left), "text-2", 12)
    body += tag("rect", x=x(a), y=y - 8, width=max(x(b) - x(a), 2), height=16, rx=2, **fill(key))
    if step.change < 0 and not flat and x(a) - 40 > left:
        body += text(x(a) - 6, y + 4, shown, "risk-ink", 12, anchor="end", weight=600)
    else:
        ink = "text-3" if flat else "good-ink" if step.change > 0 else "risk-ink"
        body += text(x(b) + 6, y + 4, "0" if flat else shown, ink, 12, weight=600)
    rows = [(key, "Effect on score", "0" if flat else shown)]
    if step.why:
        rows.append(("note", "", step.why))
    return tag("g", body, data_tip=tip(step.name, rows), class_="row")
