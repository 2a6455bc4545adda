"""A workspace's own accent: from one colour the shades that its pages need, readable in light and in dark.

Hue and as much of the chroma as the screen can show stay; lightness moves until every pair of ``PAIRS`` reaches
WCAG's 4.5 (the pairs that ``tests/ui/test_tokens.py`` proves for the product's own accent). The arithmetic is
Björn Ottosson's OKLab, in which a step of lightness looks the same in every hue. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import atan2, cbrt, cos, hypot, sin
from typing import NamedTuple

from ui.tokens import DARK, LIGHT

HEX = re.compile(r"#[0-9a-fA-F]{6}")
READABLE = 4.5
# What stands on what: (text, ground).
PAIRS = (("accent", "surface"), ("accent", "bg"), ("on-accent", "accent-solid"), ("accent-ink", "accent-soft"))
STEP = 0.005


class Shade(NamedTuple):
    """A colour by lightness (0–1), chroma (0–0.4) and hue (radians)."""

    lightness: float
    chroma: float
    hue: float


def shades(accent: str) -> dict[str, tuple[str, str]]:
    """Light and dark value of each accent token, made from ``accent`` (``#RRGGBB``).

    Raises ValueError for anything else.
    """
    if not HEX.fullmatch(accent):
        raise ValueError("a colour is # and six hexadecimal digits")
    wanted = _shade(accent)
    light = _theme(wanted, LIGHT, soft=0.95, ink=0.42, towards=-STEP)
    dark = _theme(wanted, DARK, soft=0.25, ink=0.80, towards=STEP)
    return {name: (light[name], dark[name]) for name in light}


def stylesheet(accent: str) -> str:
    """The tokens of ``accent`` as CSS, to be loaded after the product's own."""
    rules = "".join(f"--{name}: light-dark({light}, {dark}); " for name, (light, dark) in shades(accent).items())
    return f"@layer tokens {{ :root {{ {rules}}} }}\n"


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's ratio of two colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _theme(wanted: Shade, theme: dict[str, str], *, soft: float, ink: float, towards: float) -> dict[str, str]:
    on_page = _until(wanted, towards, lambda colour: _reads(colour, (theme["surface"], theme["bg"])))
    under_white = _until(wanted, -STEP, lambda colour: _reads("#FFFFFF", (colour,)))
    ground = _hex(Shade(soft, min(wanted.chroma, 0.045), wanted.hue))
    return {
        "accent": on_page,
        "accent-solid": under_white,
        "on-accent": "#FFFFFF",
        "accent-soft": ground,
        "accent-ink": _until(wanted._replace(lightness=ink), towards, lambda colour: _reads(colour, (ground,))),
    }


def _until(shade: Shade, step: float, good: Callable[[str], bool]) -> str:
    """The first colour that is ``good`` on the way to black or white, which always are."""
    colour = _hex(shade)
    while not good(colour):
        shade = shade._replace(lightness=min(1.0, max(0.0, shade.lightness + step)))
        colour = _hex(shade)
    return colour


def _reads(text: str, grounds: Iterable[str]) -> bool:
    return all(contrast(text, ground) >= READABLE for ground in grounds)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> tuple[float, float, float]:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def _shade(colour: str) -> Shade:
    red, green, blue = _linear(colour)
    long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Shade(lightness, hypot(a, b), atan2(b, a))


def _hex(shade: Shade) -> str:
    """``shade`` on a screen; what the screen cannot show loses chroma, never lightness or hue."""
    chroma = shade.chroma
    while True:
        parts = _rgb(shade._replace(chroma=chroma))
        if chroma <= 0 or all(-0.0005 <= part <= 1.0005 for part in parts):
            return "#" + "".join(f"{round(255 * _gamma(min(1.0, max(0.0, part)))):02X}" for part in parts)
        chroma = max(0.0, chroma - 0.004)


def _rgb(shade: Shade) -> tuple[float, float, float]:
    a, b = shade.chroma * cos(shade.hue), shade.chroma * sin(shade.hue)
    long = (shade.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (shade.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (shade.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
