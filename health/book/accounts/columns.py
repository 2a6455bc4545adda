"""The columns of the accounts list: how each is written on the page and in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from django.utils import timezone

from accounts.choices import AccountStatus, FieldKind
from accounts.own_values import PREFIX, FieldDefinition, held, token_of
from health.book.accounts.rows import TREND_WEEKS, Extras
from health.book.cells import FAINT_DASH, AccountCells, band_name, tone
from health.book.own import own_file_value, own_html
from ui import formats
from ui.atoms import icon
from ui.charts import bullet, spark
from ui.tables import Column

Row = Mapping[str, Any]
Fields = Mapping[str, FieldDefinition]
# What may be edited in the list: column and the account's field behind it.
EDITABLE = {
    "owner": "owner",
    "tier": "tier",
    "segment": "segment",
    "stage": "stage",
    "renewal": "renewal_on",
    "industry": "industry",
}
_SEATS_GOAL = 80


@dataclass(frozen=True, slots=True)
class Heading:
    """What a column is called, what it sorts by, its class, and the headings of its cells in a file."""

    label: str
    sort: str = ""
    css: str = ""
    file: tuple[str, ...] = ()

    @property
    def in_file(self) -> tuple[str, ...]:
        return self.file or (self.label,)


HEADINGS: dict[str, Heading] = {
    "health": Heading("Health", "health", file=("Health", "Band", "Change in 30 days")),
    "trend": Heading("8 weeks", css="c-p2"),
    "band": Heading("Band", css="c-p2"),
    "arr": Heading("ARR", "-arr", "n c-p1", file=("ARR", "Currency")),
    "renewal": Heading("Renews", "renewal", "n c-p1"),
    "owner": Heading("Owner", "owner", "c-p2"),
    "seats": Heading("Seats used", "seats", "c-p3", file=("Seats used in %", "Seats", "People given access")),
    "touch": Heading("Last touch", "touch", "n c-p2"),
    "why": Heading("Why it is here", css="c-p3"),
    "tier": Heading("Tier", "-tier", "c-p3"),
    "segment": Heading("Segment", "segment", "c-p3"),
    "stage": Heading("Stage", "stage", "c-p3"),
    "status": Heading("Status", css="c-p3"),
    "industry": Heading("Industry", css="c-p3"),
    "country": Heading("Country", css="c-p3"),
    "since": Heading("Customer since", "since", "n c-p3"),
    "coverage": Heading("Coverage", css="n c-p3", file=("Coverage in %",)),
}


def heading_of(key: str, own: Fields) -> Heading:
    """The heading of a column; ``own`` are the own fields by their keys."""
    if not key.startswith(PREFIX):
        return HEADINGS[key]
    field = own[key.removeprefix(PREFIX)]
    # Whoever chose one wants to see it: the list scrolls sideways instead of dropping it.
    return Heading(field.label, key, "n" if field.kind in {FieldKind.NUMBER, FieldKind.DATE} else "")


class ListCells(AccountCells):
    """Writes the list's cells, with what the columns need besides the rows. ``own`` are the own fields by key."""

    def __init__(self, today: date, extras: Extras, query: str = "", own: Fields | None = None) -> None:
        super().__init__(today)
        self.own = own or {}
        self.back = escape(f"?{urlencode({'list': query})}")
        self.extras = extras

    def cell(self, key: str) -> Callable[[Row], str]:
        """What writes the column ``key``; where the reader may edit, the cell's text opens the edit."""
        is_own = key.startswith(PREFIX)
        write: Callable[[Row], str] = (
            self._own(key) if is_own else getattr(self, f"in_{key}", None) or getattr(self, key)
        )
        if key not in EDITABLE and not is_own:
            return write
        name, token, step = escape(heading_of(key, self.own).label), token_of(key), quote(key, safe="")

        def linked(row: Row) -> str:
            if not row["may_edit"]:
                return write(row)
            pk = row["pk"]
            return (
                f'<a class="ed" data-edit id="e-{pk}-{token}" href="{self.url(row)}cells/{step}/">'
                f'<span class="vh">Edit {name}: </span>{write(row)}</a>'
            )

        return linked

    def _own(self, key: str) -> Callable[[Row], str]:
        """What writes the own field ``key``. A link is opened from the account's page: here the cell is edited."""
        field = self.own[key.removeprefix(PREFIX)]

        def write(row: Row) -> str:
            found = held(field, row["custom"])
            text = own_html(field, found, self.today)
            if not isinstance(found.value, str) or not found.fits:
                return text
            return f'<span class="why"><span title="{escape(found.value)}">{text}</span></span>'

        return write

    def trend(self, row: Row) -> str:
        values = self.extras.trend.get(row["pk"], [])
        drawn = spark(values, _SPARK.get(tone(row["health__current_rag"]), "c1"), width=64)
        return drawn or '<span class="faint">New</span>'

    def in_arr(self, row: Row) -> str:
        return f'<span class="num">{self.arr(row)}</span>'

    def seats(self, row: Row) -> str:
        used = row["seat_use"]
        if used is None:
            return FAINT_DASH
        return f'<span class="hd">{_bar(min(used, 101))}<span class="num">{used}%</span></span>'

    def touch(self, row: Row) -> str:
        touched = row["last_touch__at"]
        if touched is None:
            return '<span class="faint">Never</span>'
        days = (self.today - timezone.localtime(touched).date()).days
        return "Today" if days <= 0 else f'<span class="nowrap">{days:,} d</span>'

    def why(self, row: Row) -> str:
        reason = self.extras.why.get(row["pk"])
        if reason is None:
            return FAINT_DASH
        text = escape(reason.text)
        return f'<span class="why">{icon(reason.icon)}<span title="{text}">{text}</span></span>'

    def tier(self, row: Row) -> str:
        return _plain(row["tier__name"] or "")

    def segment(self, row: Row) -> str:
        return _plain(row["segment"])

    def status(self, row: Row) -> str:
        return _plain(_STATUS.get(row["status"], ""))

    def industry(self, row: Row) -> str:
        return _plain(row["industry"])

    def country(self, row: Row) -> str:
        return _plain(row["country"])

    def since(self, row: Row) -> str:
        day = row["customer_since_on"]
        return FAINT_DASH if day is None else f'<span class="dim nowrap">{formats.day(day, today=self.today)}</span>'

    def table_columns(self, keys: Iterable[str]) -> list[Column]:
        """The name and the chosen columns, in order."""
        found = [Column("Account", self.name, "name", heading=True)]
        for key in keys:
            heading = heading_of(key, self.own)
            found.append(Column(heading.label, self.cell(key), heading.sort, heading.css))
        return found


_STATUS = dict(AccountStatus.choices)
_SPARK = {"risk": "c3", "warn": "c3", "good": "c2", "best": "c2"}


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return f'<span class="dim nowrap">{escape(text)}</span>' if text else FAINT_DASH


@lru_cache(maxsize=128)
def _bar(used: int) -> str:
    return bullet(used, _SEATS_GOAL, width=64)


def file_headings(keys: Iterable[str], today: date, own: Fields | None = None) -> list[str]:
    """The headings of a file with these columns: those of the page, a column of several figures in several."""
    found = ["Account"]
    for key in keys:
        found += _weeks(today) if key == "trend" else heading_of(key, own or {}).in_file
    return found


def _weeks(today: date) -> list[str]:
    return [f"Score on {today - timedelta(weeks=back)}" for back in reversed(range(TREND_WEEKS))]


def file_cells(row: Row, keys: Iterable[str], extras: Extras, own: Fields | None = None) -> list[Any]:
    """The values of a row in a file: numbers and days as such, everything else as text."""
    found: list[Any] = [row["name"]]
    for key in keys:
        if key.startswith(PREFIX):
            found.append(own_file_value((own or {})[key.removeprefix(PREFIX)], row["custom"]))
        else:
            found += _FILE[key](row, extras)
    return found


_FILE: dict[str, Callable[[Row, Extras], list[Any]]] = {
    "health": lambda row, _: [row["health__shown"], band_name(row["health__current_band"]), _rounded(row)],
    "trend": lambda row, extras: _scores(extras.trend.get(row["pk"])),
    "band": lambda row, _: [band_name(row["health__current_band"])],
    "arr": lambda row, _: [row["arr"], row["currency"]],
    "renewal": lambda row, _: [row["renewal_on"]],
    "owner": lambda row, _: [row["owner__name"] or row["owner__email"] or ""],
    "seats": lambda row, _: [row["seat_use"], row["seats"], row["assigned_users"]],
    "touch": lambda row, _: [row["last_touch__at"] and timezone.localtime(row["last_touch__at"]).date()],
    "why": lambda row, extras: [extras.why[row["pk"]].text if row["pk"] in extras.why else ""],
    "tier": lambda row, _: [row["tier__name"] or ""],
    "segment": lambda row, _: [row["segment"]],
    "stage": lambda row, _: [row["stage__name"] or ""],
    "status": lambda row, _: [_STATUS.get(row["status"], "")],
    "industry": lambda row, _: [row["industry"]],
    "country": lambda row, _: [row["country"]],
    "since": lambda row, _: [row["customer_since_on"]],
    "coverage": lambda row, _: [row["health__coverage_pct"]],
}


def _rounded(row: Row) -> Any:
    change = row["health__change_30d"]
    return None if change is None else round(change, 1)


def _scores(values: list[float | None] | None) -> list[float | None]:
    return [None if value is None else round(value, 1) for value in values or [None] * TREND_WEEKS]
