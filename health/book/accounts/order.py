"""What the accounts list can be sorted by."""

from __future__ import annotations

from typing import Any

from django.db.models import F, IntegerField, TextField
from django.db.models.functions import Cast, Left, NullIf, Round

from accounts.choices import FieldKind
from accounts.own_values import PREFIX
from accounts.queries.own_fields import known_fields
from accounts.queries.own_values import typed
from ui import keyset

# Sort key: path, and whether it runs downwards. The path may be one of ``DERIVED``.
_PATHS = {
    "health": "health__score",
    "change": "health__change_30d",
    "name": "name",
    "arr": "arr",
    "renewal": "renewal_on",
    "owner": "owner__name",
    "tier": "tier__rank",
    "stage": "stage__position",
    "segment": "segment",
    "since": "customer_since_on",
    "seats": "seat_use",
    "touch": "last_touch__at",
}
SORTS = {sign + key: (path, bool(sign)) for key, path in _PATHS.items() for sign in ("", "-")}
SORT_NAMES = {
    "health": "Health, lowest first",
    "change": "Falling fastest",
    "-change": "Rising fastest",
    "-arr": "ARR, largest first",
    "renewal": "Renewal, next first",
    "touch": "Last touch, longest ago first",
    "seats": "Seats used, fewest first",
    "-seats": "Seats used, most first",
    "name": "Name",
    "owner": "Owner",
    "-tier": "Tier, highest first",
    "stage": "Stage",
}
DEFAULT_SORT = "health"
# What rows that are sorted by an own field carry its value as.
OWN = "own_sorted"
# Of a text: addresses carry what a page ends at.
_SORTED_LENGTH = 100


def order_of(sort: str) -> keyset.Order:
    """The order that ``sort`` names; the default one for a word that means nothing."""
    if sort.removeprefix("-").startswith(PREFIX):
        return keyset.Order(OWN, sort.startswith("-"))
    return keyset.Order(*SORTS.get(sort, SORTS[DEFAULT_SORT]))


def derived(sort: str = "") -> dict[str, Any]:
    """Figures that are not columns: per cent of the seats given to people, and the value of the own field by which
    rows are sorted. One look-up for that one.
    """
    key = sort.removeprefix("-").removeprefix(PREFIX)
    own = {OWN: sorted_by(key)} if sort.removeprefix("-").startswith(PREFIX) else {}
    return own | {
        "seat_use": Cast(Round(F("assigned_users") * 100.0 / NullIf(F("seats"), 0)), IntegerField(null=True)),
    }


def sorted_by(key: str) -> Any:
    """What rows are sorted by for the own field ``key``, an archived one too. One look-up. Raises KeyError."""
    field = known_fields()[key]
    if field.kind in {FieldKind.TEXT, FieldKind.LINK}:
        return Left(typed(field), _SORTED_LENGTH, output_field=TextField(null=True))
    return typed(field)
