"""A ring for two to five parts of one whole, always labelled. The requirements ask for the colour pie by name."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from django.utils.safestring import SafeString, mark_safe

from ui.charts.svg import Formatter, coordinate, document, mark, stroke, tag, text, tip
from ui.formats import percent

RADIUS, CENTRE_X, WIDTH, RING_WIDTH = 62, 84, 320, 168
_GAP, _ROW = 0.03, 36


def donut(
    title: str,
    desc: str,
    parts: Sequence[tuple[str, str, float]],
    formatter: Formatter,
    centre: tuple[str, str] = ("", ""),
    *,
    legend: bool = True,
) -> SafeString:
    """The SVG of (token, label, amount) parts with the total in the middle; an empty ring for nothing.

    Without ``legend`` it is the ring alone, for a page that names the parts beside it.
    """
    height = max(170, _ROW * len(parts) + 16) if legend else 170
    middle = height / 2
    total = sum(amount for _key, _label, amount in parts)
    drawn = tag("circle", cx=CENTRE_X, cy=middle, r=RADIUS, **stroke("surface-3", 20))
    angle = -pi / 2
    for key, label, amount in parts:
        end = angle + 2 * pi * amount / (total or 1)
        if amount:
            drawn += _slice(key, label, formatter(amount), amount / total, angle, end, middle)
        angle = end
    for at, (key, label, amount) in enumerate(parts if legend else ()):
        y = middle - (len(parts) - 1) * _ROW / 2 + at * _ROW
        share = f" · {percent(amount / total * 100)}" if total else ""
        drawn += mark(key, 180, y - 5, 9) + text(192, y - 1, label, "text", 12, weight=600)
        drawn += text(192, y + 14, f"{formatter(amount)}{share}", "text-2", 12)
    drawn += text(CENTRE_X, middle + 2, centre[0], "text", 20, anchor="middle", weight=600)
    drawn += text(CENTRE_X, middle + 18, centre[1], anchor="middle")
    return mark_safe(document(WIDTH if legend else RING_WIDTH, height, drawn, title, desc, "donut"))


def _slice(key: str, label: str, value: str, share: float, start: float, end: float, middle: float) -> str:
    a, b = start + _GAP / 2, max(end - _GAP / 2, start + _GAP / 2 + 0.01)
    if share > 0.995:
        a, b = start, start + 2 * pi * 0.9999
    large = 1 if b - a > pi else 0
    c = coordinate
    path = (
        f"M{c(CENTRE_X + RADIUS * cos(a))} {c(middle + RADIUS * sin(a))}A{RADIUS} {RADIUS} 0 {large} 1 "
        f"{c(CENTRE_X + RADIUS * cos(b))} {c(middle + RADIUS * sin(b))}"
    )
    rows = [(key, "Share", percent(share * 100)), ("note", "", value)]
    return tag("g", tag("path", d=path, **stroke(key, 20)), data_tip=tip(label, rows), class_="arc")
