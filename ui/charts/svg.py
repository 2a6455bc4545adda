"""SVG primitives. One markup serves page, PDF and mail.

Literal light colours sit in presentation attributes, which every renderer understands; each mark also carries a
class (``f-risk``, ``s-line``) that the page's stylesheet overrides with a variable. A CSS rule beats a presentation
attribute, so dark mode costs nothing and the content policy needs no inline style.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from math import ceil, floor, log10
from zlib import crc32

from ui.tokens import LIGHT

FONT = "Inter, system-ui, sans-serif"
NARROW, MIDDLE, WIDE = 350, 600, 860
Formatter = Callable[[float], str]


def coordinate(value: float) -> str:
    """A number with at most one decimal, the precision a screen shows."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def tag(name: str, body: str | None = None, /, **attributes: object) -> str:
    """An element. ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}/>" if body is None else f"<{name}{written}>{body}</{name}>"


def _attribute(value: object) -> str:
    return coordinate(value) if isinstance(value, int | float) else escape(str(value))


def fill(key: str, **attributes: object) -> dict[str, object]:
    """Attributes that fill a mark with a token. Pale "no data" gets an outline, being under 3:1 by itself."""
    result: dict[str, object] = {"class_": f"f-{key}", "fill": LIGHT[key], **attributes}
    if key == "nodata":
        result.update(stroke=LIGHT["control"], stroke_width=1)
    return result


def stroke(key: str, width: float = 1, **attributes: object) -> dict[str, object]:
    """Attributes that draw a line in a token's colour."""
    return {"class_": f"s-{key}", "stroke": LIGHT[key], "stroke_width": width, "fill": "none", **attributes}


def line(x1: float, y1: float, x2: float, y2: float, key: str = "line", width: float = 1, **attributes: object) -> str:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **stroke(key, width, **attributes))


def text(
    x: float,
    y: float,
    content: object,
    key: str = "text-3",
    size: float = 11,
    *,
    anchor: str = "",
    weight: int | None = None,
) -> str:
    """A label; ``anchor`` is start (empty), middle or end."""
    return tag(
        "text",
        escape(str(content)),
        x=x,
        y=y,
        font_size=size,
        text_anchor=anchor or None,
        font_weight=weight,
        class_=f"f-{key}",
        fill=LIGHT[key],
    )


def document(width: float, height: float, body: str, title: str, desc: str, css: str = "", **attributes: object) -> str:
    """The whole image: named by ``title``, with ``desc`` stating the finding."""
    name = f"c{crc32(f'{title}{css}{width}'.encode()):x}"
    return tag(
        "svg",
        f'<title id="{name}t">{escape(title)}</title><desc id="{name}d">{escape(desc)}</desc>{body}',
        class_=f"chart {css}".strip(),
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}t {name}d",
        font_family=FONT,
        font_size=11,
        **attributes,
    )


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values from at or above ``low`` to at or below ``high``, about ``count`` steps apart."""
    span = high - low if high > low else 1.0
    raw = span / count
    power = 10.0 ** floor(log10(raw))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= raw * 0.999)
    first = ceil(low / step - 1e-9)
    return [round((first + k) * step, 6) for k in range(int((low + span - first * step) / step + 1e-9) + 1)]


def tip(head: str, rows: Iterable[tuple[str, str, str]]) -> str:
    """The text of a hover layer: a heading and rows of (colour key, label, value). Shown as text, never as HTML."""
    clean = [part.replace("|", "/").replace(";;", ";") for row in rows for part in row]
    joined = "".join(f";;{key}|{label}|{value}" for key, label, value in zip(*[iter(clean)] * 3, strict=True))
    return head.replace(";;", ";") + joined


def rounded_top(x: float, y: float, width: float, height: float, radius: float, **attributes: object) -> str:
    """A rectangle whose upper corners are rounded."""
    r = max(0.0, min(radius, width / 2, height))
    c = coordinate
    path = (
        f"M{c(x)} {c(y + height)}V{c(y + r)}q0 {c(-r)} {c(r)} {c(-r)}h{c(width - 2 * r)}"
        f"q{c(r)} 0 {c(r)} {c(r)}V{c(y + height)}z"
    )
    return tag("path", d=path, **attributes)


def mark(key: str, x: float, y: float, size: float) -> str:
    """The shape of a band's tone, or a small square for any other colour, centred on (x, y)."""
    c = coordinate
    if key in {"good", "best"}:
        return tag("circle", cx=x, cy=y, r=size * 0.5, **fill(key))
    if key == "watch":
        h = size * 0.6
        return tag("path", d=f"M{c(x)} {c(y - h)}l{c(h)} {c(h)}l{c(-h)} {c(h)}l{c(-h)} {c(-h)}z", **fill(key))
    if key == "risk":
        return tag(
            "path", d=f"M{c(x)} {c(y - size * 0.55)}l{c(size * 0.6)} {c(size * 1.05)}h{c(-size * 1.2)}z", **fill(key)
        )
    return tag("rect", x=x - size / 2, y=y - size / 2, width=size, height=size, rx=2, **fill(key))


def polyline(points: list[tuple[float, float]]) -> str:
    """The ``d`` of a path through the points."""
    return "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)
