"""The filters in words: what the panel offers, and what stands as a chip above the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts.models import User
from accounts.own_values import FieldDefinition, own_answers, token_of
from health.book.accounts.asked import Asked
from health.book.accounts.filters import MANY, ListFilters
from health.book.accounts.own_filters import BAD, CHOSEN, HIGH, LOW, NONE, RANGED, OwnFilter
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
SEATS = (("low", "Under 50 %"), ("high", "90 % and more"), ("over", "More than bought"))
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
class OwnFacet:
    """The filter by an own field: ``options`` to choose, a text to type, or both ends of a range."""

    name: str
    label: str
    kind: str
    options: tuple[tuple[str, str, bool], ...]
    words: str = ""
    low: tuple[str, str] = ("", "")
    high: tuple[str, str] = ("", "")
    is_set: bool = False


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


def own_facets(fields: Iterable[FieldDefinition], filters: ListFilters) -> list[OwnFacet]:
    """The panel's filters by own fields, in the order of ``fields``."""
    chosen = {each.field.key: each for each in filters.own}
    return [_own_facet(field, chosen.get(field.key) or OwnFilter(field)) for field in fields]


def _own_facet(field: FieldDefinition, asked: OwnFilter) -> OwnFacet:
    offered = [*own_answers(field), (NONE, "Not set"), (BAD, "Does not fit")]
    marked = tuple((value, text, value in asked.values) for value, text in offered)
    words = "".join(value for value in asked.values if value not in {NONE, BAD}) if field.kind not in CHOSEN else ""
    low, high = (LOW + field.key, asked.low), (HIGH + field.key, asked.high)
    is_set = bool(asked.values or asked.low or asked.high)
    return OwnFacet(field.name, field.label, _shape(field), marked, words, low, high, is_set)


def _shape(field: FieldDefinition) -> str:
    return "chosen" if field.kind in CHOSEN else field.kind if field.kind in RANGED else "typed"


def _own_chip(each: OwnFilter, asked: Asked, path: str, more: Mapping[str, str]) -> Chip:
    names = {**dict(own_answers(each.field)), NONE: "not set", BAD: "does not fit"}
    said = [names.get(value, f"contains {value}") for value in each.values]
    if each.low or each.high:
        low, high = each.low, each.high
        said.append(f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}")
    label = f"{each.field.label} (archived)" if each.field.is_archived else each.field.label
    kept = tuple(other for other in asked.filters.own if other != each)
    return Chip(token_of(each.name), label, ", ".join(said), _without(asked, path, more, own=kept))


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
    return found + [_own_chip(each, asked, path, more) for each in filters.own]


def _range(filters: ListFilters) -> str:
    if filters.arr_min and filters.arr_max:
        return f"{_amount(filters.arr_min)} to {_amount(filters.arr_max)}"
    return f"from {_amount(filters.arr_min)}" if filters.arr_min else f"up to {_amount(filters.arr_max)}"


def _amount(text: str) -> str:
    return f"{float(text):,.2f}".removesuffix(".00")


def _without(asked: Asked, path: str, more: Mapping[str, str], **changes: Any) -> str:
    return replace(asked, filters=replace(asked.filters, **changes)).url(path, more)
