"""How an account's row is written: cells shared by the accounts list and the portfolio."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from html import escape
from typing import Any

from django.urls import reverse

from ui import atoms, formats
from ui.tables import Column, Row
from ui.tokens import tone_of

_SOON_DAYS = 60
FAINT_DASH = '<span class="faint">–</span>'


@lru_cache(maxsize=1024)
def band_name(key: str | None) -> str:
    """A band's key as words: ``at-risk`` → ``At risk``."""
    return (key or "").replace("-", " ").replace("_", " ").capitalize()


def tone(rag: str | None) -> str:
    """The tone of an account's current colour; no colour is no data."""
    return "nodata" if not rag or rag == "none" else tone_of(rag)


# Fifty rows name a handful of people, stages and bands: each is written once a process, not once a row.
@lru_cache(maxsize=2048)
def _person(name: str) -> str:
    if not name:
        return '<span class="warn">Nobody</span>'
    return f'<span class="cell-name">{atoms.avatar(name)}<span class="dim nowrap">{escape(name)}</span></span>'


@lru_cache(maxsize=256)
def _stage(name: str) -> str:
    return f'<span class="dim nowrap">{escape(name)}</span>' if name else FAINT_DASH


@lru_cache(maxsize=256)
def _band(name: str) -> str:
    return f'<span class="dim nowrap">{escape(name)}</span>' if name else '<span class="faint">No data</span>'


class AccountCells:
    """Writes the cells of rows of ``health.book.listing.COLUMNS``, for one reader's today."""

    def __init__(self, today: date) -> None:
        self.today = today
        # One lookup for the page instead of one a row.
        marker = "00000000-0000-7000-8000-000000000000"
        # What an account's page is told about the list that its link stands in.
        self.back = ""
        self._url = reverse("accounts:account-detail", args=[marker]).replace(marker, "%s")

    def url(self, row: Row) -> str:
        return self._url % row["pk"]

    def name(self, row: Row) -> str:
        under = " · ".join(part for part in (row["tier__name"] or row["segment"], row["stage__name"]) if part)
        renews = f" · renews {formats.days_until(row['renewal_on'], self.today)}" if row["renewal_on"] else ""
        phone = f"{formats.money(row['arr'], row['currency'])}{renews}"
        return (
            f'<span class="cell-name">{atoms.logo(row["name"])}<span>'
            f'<a href="{self.url(row)}{self.back}">{escape(row["name"])}</a>'
            f'<span class="sub sub-d">{escape(under)}</span><span class="sub sub-m">{phone}</span></span></span>'
        )

    def health(self, row: Row) -> str:
        shown = row["health__shown"]
        if shown is not None:
            shown = str(shown).removesuffix(".0")
        mark = atoms.health(shown, tone(row["health__current_rag"]), band_name(row["health__current_band"]))
        change = row["health__change_30d"]
        arrow = atoms.delta(round(float(change), 1), places=1) if change is not None and shown is not None else ""
        return f'<span class="hd">{mark}{arrow}</span>'

    def band(self, row: Row) -> str:
        return _band(band_name(row["health__current_band"]))

    def arr(self, row: Row) -> str:
        return formats.money(row["arr"], row["currency"]) if row["arr"] else FAINT_DASH

    def renewal(self, row: Row) -> str:
        day = row["renewal_on"]
        if day is None:
            return FAINT_DASH
        left = (day - self.today).days
        css = "warn" if left <= _SOON_DAYS else "faint"
        words = f"{left} d" if left >= 0 else f"{-left} d ago"
        return f'<span class="nowrap">{formats.day(day, today=self.today)} <span class="{css}">{words}</span></span>'

    def owner(self, row: Row) -> str:
        return _person(row["owner__name"] or row["owner__email"] or "")

    def stage(self, row: Row) -> str:
        return _stage(row["stage__name"] or "")

    def coverage(self, row: Row) -> str:
        value: Any = row["health__coverage_pct"]
        return FAINT_DASH if value is None else f'<span class="dim">{value:.0f}%</span>'

    def columns(self) -> list[Column]:
        """The columns of the list, in order."""
        return [
            Column("Account", self.name, "name", heading=True),
            Column("Health", self.health, "health"),
            Column("Band", self.band, css="c-p2"),
            Column("ARR", self.arr, "-arr", "n c-p1"),
            Column("Renews", self.renewal, "renewal", "n c-p1"),
            Column("Owner", self.owner, css="c-p2"),
            Column("Stage", self.stage, css="c-p3"),
            Column("Coverage", self.coverage, css="n c-p3"),
        ]
