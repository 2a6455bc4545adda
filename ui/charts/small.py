"""Charts the size of a word: sparkline, bullet, share bar."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

from ui.charts.svg import coordinate, document, fill, line, polyline, stroke, tag

HEIGHT = 24


def spark(values: Sequence[float | None], key: str = "c1", *, width: int = 84) -> SafeString:
    """A sparkline of at least two values, hidden from screen readers: the number stands beside it. Else nothing."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:
        return mark_safe("")
    low, span = min(known), max(known) - min(known)
    step = (width - 6) / (len(known) - 1)
    middle = HEIGHT / 2
    points = [
        (2 + at * step, HEIGHT - 4 - (HEIGHT - 8) * (value - low) / span if span else middle)
        for at, value in enumerate(known)
    ]
    x, y = points[-1]
    drawn = tag("path", d=polyline(points), stroke_linejoin="round", stroke_linecap="round", **stroke(key, 1.5))
    drawn += tag("circle", cx=x, cy=y, r=2.25, **fill(key))
    return mark_safe(
        f'<svg class="spark" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        f'aria-hidden="true" focusable="false">{drawn}</svg>'
    )


def bullet(
    value: float, target: float | None = None, key: str = "c1", *, width: int = 160, top: float = 100, label: str = ""
) -> SafeString:
    """A bar from 0 to ``top`` with a mark at ``target``. Hidden from screen readers unless ``label`` names it."""

    def x(amount: float) -> float:
        return width * max(0.0, min(amount, top)) / (top or 1)

    drawn = tag("rect", x=0, y=3, width=width, height=8, rx=4, **fill("surface-3"))
    if value > 0:
        drawn += tag("rect", x=0, y=3, width=max(x(value), 4), height=8, rx=4, **fill(key))
    if target is not None:
        at = min(x(target), width - 1)
        drawn += line(at, 0, at, 14, "text", 2)
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return mark_safe(
        f'<svg class="bullet" viewBox="0 0 {width} 14" width="{width}" height="14" preserveAspectRatio="none" '
        f'{named} focusable="false">{drawn}</svg>'
    )


def share_bar(title: str, desc: str, parts: Sequence[tuple[str, str, float]]) -> SafeString:
    """One bar divided among (token, label, amount) parts; empty for nothing to divide."""
    total = sum(amount for _key, _label, amount in parts)
    if not total:
        return mark_safe("")
    width, x, drawn = 640, 0.0, ""
    for key, _label, amount in parts:
        size = width * amount / total
        if size:
            drawn += tag("rect", x=x, y=0, width=max(size - 2, 1), height=12, rx=3, **fill(key))
        x += size
    return mark_safe(document(width, 12, drawn, title, desc, "sharebar", preserveAspectRatio="none"))


def split_bar(part: float, whole: float, top: float) -> SafeString:
    """A bar of ``whole`` on a scale up to ``top``, its first ``part`` in the colour of risk. Decoration."""
    width = 600

    def x(amount: float) -> float:
        return width * max(0.0, min(amount, top)) / (top or 1)

    drawn = tag("rect", x=0, y=0, width=width, height=8, **fill("surface-3"))
    drawn += tag("rect", x=0, y=0, width=x(whole), height=8, **fill("c1"))
    if part:
        drawn += tag("rect", x=0, y=0, width=max(x(part), 2), height=8, **fill("risk"))
    return mark_safe(
        f'<svg class="splitbar" viewBox="0 0 {width} 8" width="{width}" height="8" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">{drawn}</svg>'
    )


def dots(states: Sequence[str]) -> SafeString:
    """A row of squares, one a period, in the tones given; decoration beside the same information in words."""
    size, gap = 10, 3
    drawn = "".join(
        tag("rect", x=at * (size + gap), y=0, width=size, height=size, rx=2, **fill(tone))
        for at, tone in enumerate(states)
    )
    width = coordinate(len(states) * (size + gap))
    return mark_safe(
        f'<svg class="dots" viewBox="0 0 {width} {size}" width="{width}" height="{size}" aria-hidden="true" '
        f'focusable="false">{drawn}</svg>'
    )
