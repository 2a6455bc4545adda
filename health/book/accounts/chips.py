"""The filters in words: what the panel offers, and what stands as a chip above the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts.models import User
from health.book.accounts.asked import Asked
from health.book.accounts.filters import MANY, ListFilters
from health.book.filters import MINE, NOBODY
from health.book.listing import filter_choices

BANDS = (("red", "Red"), ("orange", "Orange"), ("watch", "Yellow"), ("green", "Green"), ("none", "No data"))
RENEWALS = (
    ("overdue", "Overdue"),
    ("30", "In 30 days"),
    ("60", "In 60 days"),
    ("90", "In 90 days"),
    ("180", "In 180 days"),
)
SILENCES = (("14", "14 days"), ("30", "30 days"), ("60", "60 days"), ("90", "90 days"), ("never", "Ever"))
SEATS = (("low", "Under 50%"), ("high", "90% and more"), ("over", "More than bought"))
CHANGES = (("down", "Falling"), ("up", "Rising"))
SEEN = (("changed", "Changed since I looked"),)
STATUSES = (
    ("live", "Live"),
    ("prospect", "Prospects"),
    ("active", "Active"),
    ("churned", "Churned"),
    ("archived", "Archived"),
)
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter of the panel: its options, each with whether it is chosen. ``many``: several may be."""

    name: str
    label: str
    options: tuple[tuple[str, str, bool], ...]
    many: bool
    is_set: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is set, in words, and the address of the view without it."""

    name: str
    label: str
    text: str
    url: str


def offered(user: User) -> dict[str, tuple[str, Pairs]]:
    """Every filter by name with its label and options, for this reader. At most six queries, mostly none."""
    choices = filter_choices(user)
    return {
        "band": ("Health", BANDS),
        "owner": ("Owner", [(MINE, "Me"), (NOBODY, "Nobody"), *choices.owners]),
        "tier": ("Tier", choices.tiers),
        "segment": ("Segment", choices.segments),
        "stage": ("Stage", choices.stages),
        "renewal": ("Renewal", RENEWALS),
        "silent": ("No touch for", SILENCES),
        "change": ("Score in 30 days", CHANGES),
        "seats": ("Seats given out", SEATS),
        "seen": ("News", SEEN),
        "status": ("Status", STATUSES),
    }


def facets(offer: Mapping[str, tuple[str, Pairs]], filters: ListFilters) -> list[Facet]:
    """The panel's filters in order; one without options is left out."""
    found = []
    for name, (label, options) in offer.items():
        value = getattr(filters, name)
        chosen = set(value) if name in MANY else {value}
        if not options:
            continue
        marked = tuple((key, text, key in chosen) for key, text in options)
        is_set = bool(value) and (name, value) != ("status", "live")
        found.append(Facet(name, label, marked, name in MANY, is_set))
    return found


def chips(offer: Mapping[str, tuple[str, Pairs]], asked: Asked, path: str, more: Mapping[str, str]) -> list[Chip]:
    """What is set, in the panel's order. A value that the panel does not offer is shown as it stands."""
    filters = asked.filters
    found = [Chip("q", "Search", filters.q, _without(asked, path, more, q=""))] if filters.q else []
    for name, (label, options) in offer.items():
        value: Any = getattr(filters, name)
        if not value or (name, value) == ("status", "live"):
            continue
        names = dict(options)
        values = value if name in MANY else (value,)
        text = ", ".join(names.get(each, each if name == "segment" else "unknown") for each in values)
        empty: Any = () if name in MANY else "live" if name == "status" else ""
        found.append(Chip(name, label, text, _without(asked, path, more, **{name: empty})))
    if filters.arr_min or filters.arr_max:
        found.append(Chip("arr_min", "ARR", _range(filters), _without(asked, path, more, arr_min="", arr_max="")))
    return found


def _range(filters: ListFilters) -> str:
    if filters.arr_min and filters.arr_max:
        return f"{_amount(filters.arr_min)} to {_amount(filters.arr_max)}"
    return f"from {_amount(filters.arr_min)}" if filters.arr_min else f"up to {_amount(filters.arr_max)}"


def _amount(text: str) -> str:
    return f"{float(text):,.2f}".removesuffix(".00")


def _without(asked: Asked, path: str, more: Mapping[str, str], **changes: Any) -> str:
    return replace(asked, filters=replace(asked.filters, **changes)).url(path, more)
