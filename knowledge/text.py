"""Markdown to HTML that is safe on any page, and passages of it. Pure.

HTML in the source is shown as text, then whatever the renderer made is reduced to the tags and attributes below,
so that neither a mistake of one nor of the other lets a script through.
"""

from __future__ import annotations

import re
from html import unescape

import nh3
from markdown_it import MarkdownIt

TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "a", "table", "thead", "tbody", "tr", "th", "td", "img",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
# Pictures of our own only: the page's policy would load no other.
PICTURE = re.compile(r"/kb/pictures/[0-9a-f-]{36}/")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def to_html(markdown: str) -> str:
    """``markdown`` as safe HTML. Its highest heading is of the second level: the page's title is the first."""
    tokens = _MARKDOWN.parse(markdown)
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1]) for token in headings), default=2)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"
    raw = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(
        raw,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        attribute_filter=_own_pictures,
    )


def to_words(markdown: str) -> str:
    """The words of ``markdown`` in one line, for search and summaries."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", to_html(markdown))).split())


def _own_pictures(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) == ("img", "src") and not PICTURE.fullmatch(value):
        return None
    return value
