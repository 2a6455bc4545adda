"""A chart as a page needs it: three widths to choose from, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from ui.icons import sprite_url


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG in three widths, of which the container's width picks one, so that labels keep their size on a phone.

    ``heads`` and ``rows`` are the same numbers as a table; the first cell of a row is its heading.
    """

    title: str
    narrow: str
    middle: str
    wide: str
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    def html(self) -> SafeString:
        """The figure with its "Show as table" below; about 4–20 kB."""
        return mark_safe(
            f'<div class="fig"><div class="w">{self.wide}</div><div class="m">{self.middle}</div>'
            f'<div class="n">{self.narrow}</div></div>{self._table()}'
        )

    def _table(self) -> str:
        if not self.rows:
            return ""
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in self.heads)
        body = "".join(
            f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
            for first, *rest in self.rows
        )
        return (
            '<details class="data"><summary><svg class="icon" aria-hidden="true" focusable="false">'
            f'<use href="{sprite_url()}#chevron-right"/></svg> Show as table</summary>'
            f'<div class="scroll-x" tabindex="0" role="region" aria-label="{escape(self.title)} as a table">'
            f'<table><caption class="vh">{escape(self.title)}</caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></details>"
        )
