"""One table of colours: the page's CSS variables, the charts' attributes and the PDF all come from here.

Each token has a light and a dark value. Contrast of every pair that carries text or a mark is proven in
``tests/ui/test_tokens.py`` (WCAG 2.2: 4.5 for text, 3 for marks).
"""

from __future__ import annotations

COLORS: dict[str, tuple[str, str]] = {
    # Surfaces and lines
    "bg": ("#F6F7F9", "#0D0F13"),
    "surface": ("#FFFFFF", "#14171C"),
    "surface-2": ("#F1F2F5", "#1B1F26"),
    "surface-3": ("#E7E9EE", "#252A33"),
    "line": ("#E2E4EA", "#262B34"),
    "line-strong": ("#C8CCD6", "#3B424F"),
    "control": ("#838A99", "#737C8D"),
    # Text
    "text": ("#15171C", "#ECEEF2"),
    "text-2": ("#454B57", "#B5BBC7"),
    "text-3": ("#5F6675", "#929AA9"),
    # Accent
    "accent": ("#3350C4", "#93A7FF"),
    "accent-solid": ("#3350C4", "#4962D8"),
    "on-accent": ("#FFFFFF", "#FFFFFF"),
    "accent-soft": ("#EAEEFC", "#1C2546"),
    "accent-ink": ("#2840A6", "#B3C1FF"),
    # Health bands: solid for marks, ink for text, soft for fills. A shape and a word go with each.
    "best": ("#0B5F52", "#3FC4AC"),
    "best-ink": ("#0A5347", "#6FDCC7"),
    "best-soft": ("#D5EDE8", "#0C332D"),
    "good": ("#0F8A76", "#1F9D88"),
    "good-ink": ("#0A6456", "#5FD1BC"),
    "good-soft": ("#E0F3EF", "#0E2A26"),
    "watch": ("#C98200", "#F2C55C"),
    "watch-ink": ("#7C4A03", "#F2C258"),
    "watch-soft": ("#FCF1D3", "#2D240E"),
    "warn": ("#C2570C", "#EE8A45"),
    "warn-ink": ("#8A3B07", "#FFB27A"),
    "warn-soft": ("#FBE9DB", "#331E0F"),
    "risk": ("#AE1F1A", "#E0493F"),
    "risk-ink": ("#A8221B", "#FF958B"),
    "risk-soft": ("#FCEAE8", "#351A18"),
    "nodata": ("#B4BAC6", "#4B5362"),
    "nodata-ink": ("#5F6675", "#929AA9"),
    # Categories, at most four and a grey
    "c1": ("#3350C4", "#7F95FF"),
    "c2": ("#1296A8", "#45C4D4"),
    "c3": ("#C2570C", "#F2A65A"),
    "c4": ("#8C2A6B", "#D774B0"),
    "c5": ("#7B8392", "#7C8494"),
    # A sequence with the ink to write on each step; r1 is "below the baseline"
    "q0": ("#EEF1FB", "#171C2B"),
    "q1": ("#D9E0F8", "#1E2744"),
    "q2": ("#B9C6F1", "#283767"),
    "q3": ("#8FA2E6", "#344A8F"),
    "q4": ("#536CCD", "#4861B8"),
    "q5": ("#3D58C0", "#7288E0"),
    "q6": ("#263E9B", "#A3B4FB"),
    "r1": ("#F9D9B8", "#4A3216"),
    "q0-ink": ("#15171C", "#ECEEF2"),
    "q1-ink": ("#15171C", "#ECEEF2"),
    "q2-ink": ("#15171C", "#ECEEF2"),
    "q3-ink": ("#15171C", "#ECEEF2"),
    "q4-ink": ("#FFFFFF", "#ECEEF2"),
    "q5-ink": ("#FFFFFF", "#0D0F13"),
    "q6-ink": ("#FFFFFF", "#0D0F13"),
    "r1-ink": ("#5A2E04", "#F7D3A8"),
}
LIGHT: dict[str, str] = {name: light for name, (light, _dark) in COLORS.items()}
DARK: dict[str, str] = {name: dark for name, (_light, dark) in COLORS.items()}

# The packs and tenants name their bands as they like, in the colours of the schema; a page knows these tones.
TONES = ("best", "good", "watch", "warn", "risk", "nodata", "neutral")
_TONE_OF_COLOUR = {"green": "good", "yellow": "watch", "amber": "watch", "orange": "warn", "red": "risk"}


def tone_of(colour: str | None) -> str:
    """The tone for a band's colour word (red, amber, green …); ``nodata`` for none, ``neutral`` if unknown."""
    if not colour:
        return "nodata"
    return _TONE_OF_COLOUR.get(colour.lower(), "neutral")


def tones_of(colours: list[str]) -> list[str]:
    """The tones of a scorecard's bands, best first; the better of two greens is ``best`` so that both can be told."""
    tones = [tone_of(colour) for colour in colours]
    return ["best" if tone == "good" and tones[at + 1 : at + 2] == ["good"] else tone for at, tone in enumerate(tones)]


def variables_css() -> str:
    """The tokens as CSS variables, and one fill and one stroke class for each, for the charts."""
    variables = "\n".join(f"    --{name}: light-dark({light}, {dark});" for name, (light, dark) in COLORS.items())
    marks = "\n".join(
        f"  .f-{name} {{ fill: var(--{name}); }}\n  .s-{name} {{ stroke: var(--{name}); }}" for name in COLORS
    )
    return (
        "@layer tokens {\n  :root {\n    color-scheme: light dark;\n"
        f"{variables}\n  }}\n"
        "  :root[data-theme=light] { color-scheme: light; }\n"
        "  :root[data-theme=dark] { color-scheme: dark; }\n}\n"
        f"@layer charts {{\n{marks}\n}}\n"
    )
