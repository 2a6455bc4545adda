"""The words of a mail: HTML made safe and made plain, what it quotes folded away. Pure."""

from __future__ import annotations

import re
from html import unescape

import nh3

TAGS = {
    "p", "br", "hr", "div", "span", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "s", "u", "code", "pre",
    "blockquote", "ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
# SECURITY: no picture is loaded from elsewhere: it would tell its sender who read the mail, where and when.
ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
# Dropped with what is in them.
SILENT = {"script", "style", "title", "head", "template", "noscript", "iframe", "object", "svg", "math"}
_BREAKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|tr|li|h[1-6]|blockquote|table|ul|ol)\s*>|<hr\s*/?>")
# Lines with which programs begin the message they answer.
_QUOTES = re.compile(
    r"(?im)^[ \t]*(?:"
    r"on\b[^\n]{4,200}(?:\n[^\n]{0,100})?\bwrote:"
    r"|am\b[^\n]{4,200}(?:\n[^\n]{0,100})?\bschrieb\b[^\n]{0,100}:"
    r"|le\b[^\n]{4,200}(?:\n[^\n]{0,100})?\ba écrit\s*:"
    r"|-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|forwarded message)\s*-{2,}"
    r"|_{10,}[ \t]*\n[ \t]*(?:from|von|de):"
    r"|from:[^\n]+\n[ \t]*(?:sent|date|to):"
    r")"
)


def safe_html(html: str) -> str:
    """``html`` with nothing in it that acts, loads or hides: text, tables, lists and links."""
    return nh3.clean(
        html, tags=TAGS, clean_content_tags=SILENT, attributes=ATTRIBUTES, url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    ).strip()  # fmt: skip


def plain_text(html: str) -> str:
    """The words of ``html``, with its lines and paragraphs."""
    marked = _BREAKS.sub(lambda found: found.group(0) + "\n", html)
    words = unescape(nh3.clean(marked, tags=set(), clean_content_tags=SILENT, attributes={}))
    lines = (" ".join(line.split()) for line in words.replace("\xa0", " ").splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def fold(text: str) -> tuple[str, str]:
    """(what was written, what was quoted below it). Everything is written where nothing stands above a quote."""
    text = text.replace("\r\n", "\n").strip("\n")
    found = _QUOTES.search(text)
    begin = min(found.start() if found else len(text), _tail(text))
    written = text[:begin].strip()
    return (written, text[begin:].strip()) if written else (text.strip(), "")


def _tail(text: str) -> int:
    """Where the block of lines with ``>`` at the end begins; the end of ``text`` where there is none."""
    begin = end = len(text)
    while end:
        start = text.rfind("\n", 0, end - 1) + 1
        line = text[start:end].strip()
        if line and not line.startswith(">"):
            break
        begin, end = (start if line else begin), start
    return begin
