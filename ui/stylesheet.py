"""Joins the sources in ``ui/src/css`` and the tokens into the one stylesheet of the product."""

from __future__ import annotations

import re
from pathlib import Path

from ui.tokens import variables_css

SOURCES = Path(__file__).parent / "src" / "css"
# Later layers win whatever the specificity, so the order of the files inside a layer is only for reading.
LAYERS = "@layer reset, tokens, base, layout, components, charts, utilities;\n"
ORDER = (
    "base",
    "layout",
    "navigation",
    "controls",
    "marks",
    "cards",
    "tables",
    "lists",
    "accountlist",
    "account",
    "timeline",
    "work",
    "desk",
    "forms",
    "overlays",
    "auth",
    "portal",
    "articles",
    "charts",
    "utilities",
    "print",
)


def build_stylesheet() -> str:
    """The text of ``static/app.css``."""
    sources = "".join((SOURCES / f"{name}.css").read_text() for name in ORDER)
    return LAYERS + variables_css() + _lean(sources)


def _lean(css: str) -> str:
    """``css`` without comments and indentation: both are for whoever reads the sources."""
    return re.sub(r"^\s+", "", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL), flags=re.MULTILINE)
