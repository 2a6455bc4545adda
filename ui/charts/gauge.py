"""A half ring with the bands on it: the number, its band, and how far it is from the next one."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from ui.charts.svg import coordinate, document, line, stroke, tag, text
from ui.formats import number

WIDTH, HEIGHT, RADIUS, CENTRE_Y = 168, 100, 70, 86


def _point(value: float, radius: float) -> tuple[float, float]:
    return WIDTH / 2 - radius * cos(pi * value / 100), CENTRE_Y - radius * sin(pi * value / 100)


def _arc(start: float, end: float, radius: float) -> str:
    (x0, y0), (x1, y1) = _point(start, radius), _point(end, radius)
    c = coordinate
    return f"M{c(x0)} {c(y0)}A{c(radius)} {c(radius)} 0 0 1 {c(x1)} {c(y1)}"


def gauge(
    title: str,
    desc: str,
    score: float | None,
    tone: str,
    label: str,
    zones: Sequence[tuple[float, str]],
    previous: float | None = None,
    shown: str = "",
) -> str:
    """The SVG. ``zones`` are (lower edge, tone), worst first, of a scale of 0–100; None scores draw an empty ring."""
    parts = []
    edges = [edge for edge, _tone in zones] + [100.0]
    for (start, zone), end in zip(zones, edges[1:], strict=True):
        inner = (start + (0.8 if start else 0), end - (0.8 if end < 100 else 0))
        parts.append(tag("path", d=_arc(*inner, RADIUS + 9), **stroke(zone, 3)))
    parts.append(tag("path", d=_arc(0, 100, RADIUS - 2), stroke_linecap="round", **stroke("surface-3", 11)))
    if score is not None and score > 0:
        parts.append(tag("path", d=_arc(0, min(score, 99.9), RADIUS - 2), stroke_linecap="round", **stroke(tone, 11)))
    if previous is not None:
        (x0, y0), (x1, y1) = _point(previous, RADIUS - 9), _point(previous, RADIUS + 5)
        parts.append(line(x0, y0, x1, y1, "text", 2))
    big = shown or ("–" if score is None else number(score))
    parts.append(text(WIDTH / 2, CENTRE_Y - 14, big, "text", 34, anchor="middle", weight=600))
    ink = f"{tone}-ink" if tone in {"best", "good", "watch", "warn", "risk", "nodata"} else "text-2"
    parts.append(text(WIDTH / 2, CENTRE_Y + 6, label, ink, 12, anchor="middle", weight=600))
    return document(WIDTH, HEIGHT, "".join(parts), title, desc, "gauge")
