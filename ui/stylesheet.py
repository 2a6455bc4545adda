"""Joins the sources in ``ui/src/css`` and the tokens into the one stylesheet of the product."""

from __future__ import annotations

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
    """The text of ``static/app.css``, a line for each layer. Needs the ``lightningcss`` package (development only).

    Raises ValueError for a source that is no CSS.
    """
    import lightningcss

    sources = "".join((SOURCES / f"{name}.css").read_text() for name in ORDER)
    packed = lightningcss.process_stylesheet(LAYERS + variables_css() + sources, minify=True)
    return packed.replace("@layer ", "\n@layer ").lstrip() + "\n"
