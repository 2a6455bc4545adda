"""Small pieces of HTML, used by templates (as tags) and by tables that format their rows in Python."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

# The library's own: Django's is lazy about translations, which costs six times as much a call.
from html import escape

from django.utils.safestring import SafeString, mark_safe

from ui import formats
from ui.charts import Chart
from ui.icons import sprite_url


def html(markup: str) -> SafeString:
    """Markup built here from escaped parts."""
    return mark_safe(markup)


@lru_cache(maxsize=512)
def icon(name: str, css: str = "") -> SafeString:
    """One icon of the sprite, hidden from screen readers: the text beside it says the same."""
    return html(
        f'<svg class="icon {escape(css)}" aria-hidden="true" focusable="false">'
        f'<use href="{sprite_url()}#{escape(name)}"/></svg>'
    )


@lru_cache(maxsize=32)
def shape(tone: str) -> SafeString:
    """The shape that goes with a band's tone: circle, diamond, triangle, square or dashed ring."""
    return html(
        f'<svg class="shape" aria-hidden="true" focusable="false"><use href="{sprite_url()}#s-{escape(tone)}"/></svg>'
    )


def badge(label: object, tone: str = "neutral", mark: str = "") -> SafeString:
    """A pill; ``tone`` neutral, info, good, watch or risk; ``mark`` adds that tone's shape."""
    drawn = shape(mark) if mark else ""
    return html(f'<span class="badge" data-tone="{escape(tone)}">{drawn}{escape(str(label))}</span>')


def health(score: Decimal | float | str | None, tone: str, band: str = "", *, label: bool = False) -> SafeString:
    """A score with the shape of its band; ``label`` shows the band's name, else only screen readers hear it."""
    name = band or ("No data" if score is None else "")
    value = formats.DASH if score is None else escape(_score(score))
    words = (
        f' <span class="health-label">{escape(name)}</span>' if label else f'<span class="vh"> {escape(name)}</span>'
    )
    return html(
        f'<span class="health" data-band="{escape(tone)}">{shape(tone)}<span class="num">{value}</span>{words}</span>'
    )


def _score(score: Decimal | float | str) -> str:
    return score if isinstance(score, str) else formats.number(score)


def delta(
    change: Decimal | float | None,
    unit: str = "",
    good: str = "up",
    period: str = "in 30 days",
    places: int | None = None,
) -> SafeString:
    """A change with an arrow. ``good`` says which direction is welcome: up, down or neither.

    No change shows nothing and is only told to who listens.
    """
    if change is None:
        return html("")
    if not change:
        return html(f'<span class="vh">no change {escape(period)}</span>')
    up = change > 0
    tone = "" if good == "neither" else "pos" if up == (good == "up") else "neg"
    word = "up" if up else "down"
    return html(
        f'<span class="delta" data-tone="{tone}">{icon("arrow-up" if up else "arrow-down")}'
        f'{formats.number(abs(change), places)}{escape(unit)}<span class="vh"> {word} {escape(period)}</span></span>'
    )


def avatar(name: object, size: str = "") -> SafeString:
    """A person's initials in a circle, decoration beside the name."""
    return _avatar(str(name or ""), size)


@lru_cache(maxsize=2048)
def _avatar(text: str, size: str) -> SafeString:
    return html(
        f'<span class="avatar" data-hue="{formats.hue(text)}" data-size="{escape(size)}" aria-hidden="true">'
        f"{escape(formats.initials(text))}</span>"
    )


def logo(name: object, size: str = "") -> SafeString:
    """A company's initial in a square, decoration beside the name."""
    return _logo(str(name or ""), size)


@lru_cache(maxsize=4096)
def _logo(text: str, size: str) -> SafeString:
    return html(
        f'<span class="logo" data-hue="{formats.hue(text) * 7 % 6}" data-size="{escape(size)}" aria-hidden="true">'
        f"{escape(formats.initials(text)[:1])}</span>"
    )


def options(pairs: Iterable[tuple[str, str]], chosen: str = "") -> SafeString:
    """The ``option`` elements of a select, one marked as chosen."""
    return html(
        "".join(
            f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
            for value, label in pairs
        )
    )


def figure(chart: Chart | None) -> SafeString:
    """A chart in its three widths with the same numbers as a table below it; empty for None."""
    return html("") if chart is None else chart.html()
