"""What the accounts list can be sorted by."""

from __future__ import annotations

from typing import Any

from django.db.models import DateTimeField, F, IntegerField, Max, OuterRef, Subquery
from django.db.models.functions import Cast, NullIf, Round

from accounts.choices import TOUCH_KINDS
from accounts.models import Activity
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
    "touch": "touched_at",
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


def order_of(sort: str) -> keyset.Order:
    """The order that ``sort`` names; the default one for a word that means nothing."""
    return keyset.Order(*SORTS.get(sort, SORTS[DEFAULT_SORT]))


def derived() -> dict[str, Any]:
    """Figures that are not columns: per cent of the seats given to people, and the last call, meeting or mail."""
    touches = Activity.objects.filter(account=OuterRef("pk"), kind__in=TOUCH_KINDS).order_by().values("account")
    return {
        "seat_use": Cast(Round(F("assigned_users") * 100.0 / NullIf(F("seats"), 0)), IntegerField(null=True)),
        "touched_at": Subquery(touches.annotate(last=Max("at")).values("last"), output_field=DateTimeField(null=True)),
    }
