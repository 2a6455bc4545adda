"""The side bar, the phone's tab bar and the palette's pages. Built in Python: every page pays for them."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from accounts import navigation as pages_of
from ui.atoms import html, icon, logo

register = template.Library()


@register.simple_tag
def address(url_name: str) -> str:
    """The path of a page, or nothing while it does not exist."""
    return pages_of.address(url_name)


@register.simple_tag
def address_of(url_name: str, *arguments: Any) -> str:
    """The path of one thing's page, or nothing while nobody serves that name."""
    try:
        return reverse(url_name, args=arguments)
    except NoReverseMatch:
        return ""


Entries = tuple[tuple[pages_of.Entry, str], ...]


@register.simple_tag(takes_context=True)
def pages(context: template.Context) -> SafeString:
    """Every page the reader may open, as the palette's first options."""
    return _options(pages_of.entries_for(context["user"]))


@lru_cache(maxsize=64)
def _options(entries: Entries) -> SafeString:
    return html(
        "".join(
            f'<a role="option" aria-selected="false" tabindex="-1" id="p-{at}" href="{escape(url)}">'
            f"{_mark(entry)}<span>{escape(entry.label)}</span>"
            f"<small>{'Account' if entry.section == pages_of.OPENED else 'Page'}</small></a>"
            for at, (entry, url) in enumerate(entries, 1)
        )
    )


@register.simple_tag(takes_context=True)
def navigation(context: template.Context, form: str = "side") -> SafeString:
    """The navigation as ``side`` bar, ``phone`` tab bar or plain ``menu``."""
    user, request = context.get("user"), context.get("request")
    if user is None or request is None or not user.is_authenticated:
        return html("")
    entries = pages_of.entries_for(user)
    here = _current([url for entry, url in entries if entry.section != pages_of.OPENED], request)
    if form == "phone":
        return _phone(entries, here)
    return _side(entries, here, None if form == "menu" else user)


def _current(urls: list[str], request: Any) -> str:
    """The entry the reader is on: exactly this view, else the longest path that begins the address."""
    full = request.get_full_path()
    if full in urls:
        return full
    # A view stays the one that is open while its filters are being changed.
    view = request.GET.get("view", "")
    if view:
        opened = next((url for url in urls if f"?view={view}" in url), "")
        if opened:
            return opened
    matching = [
        url for url in urls if "?" not in url and (request.path == url or (url != "/" and request.path.startswith(url)))
    ]
    return max(matching, key=len, default="")


def _link(entry: pages_of.Entry, url: str, here: str, count: int | None = None) -> str:
    current = ' aria-current="page"' if url == here else ""
    number = f'<span class="count">{count:,}</span>' if count else ""
    return f'<a href="{escape(url)}"{current}>{_mark(entry)} {escape(entry.label)}{number}</a>'


def _mark(entry: pages_of.Entry) -> str:
    return logo(entry.label) if entry.icon == pages_of.LOGO else icon(entry.icon)


def _side(entries: Entries, here: str, user: Any) -> SafeString:
    parts, section, opened = [], None, False
    counts = pages_of.counts_for(user) if user is not None else {}
    for entry, url in entries:
        if entry.section != section:
            parts.append("</ul>" if opened else "")
            parts.append(f'<p class="nav-h">{escape(entry.section)}</p>' if entry.section else "")
            parts.append('<ul class="nav" role="list">')
            section, opened = entry.section, True
        count = None if entry.query else counts.get(entry.url_name)
        parts.append(f"<li>{_link(entry, url, here, count)}</li>")
    return html("".join(parts) + ("</ul>" if opened else ""))


def _phone(entries: Entries, here: str) -> SafeString:
    links = [_link(entry, url, here) for entry, url in entries if entry.phone][:4]
    search = pages_of.address("accounts:search")
    if search and not any(entry.url_name == "portal:home" for entry, _url in entries):
        links.append(f'<a href="{search}" data-open="palette">{icon("search")} Search</a>')
    return html(f'<nav class="tabbar-m" aria-label="Main, phone" data-count="{len(links)}">{"".join(links)}</nav>')
