"""The rows that bodies about incidents name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.fields import FieldError
from accounts.models import Account, Contact, User
from api.serializers import invalid
from support.choices import Origin
from support.models import Ticket
from support.queries.incident_scope import accounts_by, addressable, removable

MOST_NAMED = 1000
WAYS = {"of_tier": Origin.TIER, "of_segment": Origin.SEGMENT, "of_component": Origin.COMPONENT}


def ways_in(user: User, values: dict[str, Any]) -> tuple[list[Account], str]:
    """The accounts a body names by id, tier, segment or component, taken out of ``values``; and how they were named.

    Raises Problem 422 for an account ``user`` may not address, and for a way that finds nobody.
    """
    keys = values.pop("accounts", None) or []
    found = list(accounts_in(user, keys)) if keys else []
    origin = Origin.HAND
    for name, how in WAYS.items():
        value = values.pop(name, "") or ""
        if not value:
            continue
        rows = list(accounts_by(user, how, value).select_related("tier", "owner"))
        if not rows:
            raise invalid(FieldError(name, "nobody", "No account of yours is found by it."))
        found, origin = [*found, *rows], how
    return found, origin if not keys else Origin.HAND


def accounts_in(user: User, keys: list[str], *, gone: bool = False) -> list[Account]:
    """The accounts of these ids that ``user`` may address, with ``gone`` past customers too. Raises Problem 422."""
    ids = _ids(keys, "accounts")
    allowed = removable(user) if gone else addressable(user)
    found = {row.pk: row for row in allowed.filter(pk__in=ids).select_related("tier", "owner")}
    if any(key not in found for key in ids):
        raise invalid(FieldError("accounts", "unknown", "One of them is no account you may address."))
    return list(found.values())


def tickets_in(user: User, keys: list[str], *, field: str = "tickets") -> list[Ticket]:
    """The tickets of these ids that ``user`` may work. Raises Problem 422."""
    ids = _ids(keys, field)
    rows = Ticket.objects.workable_by(user).filter(pk__in=ids).select_related("account__tier", "account__owner")
    found = {row.pk: row for row in rows}
    if any(key not in found for key in ids):
        raise invalid(FieldError(field, "unknown", "There is no such ticket you may work."))
    return list(found.values())


def contacts_in(user: User, keys: list[str]) -> list[Contact]:
    """The contacts of these ids on accounts ``user`` may address. Raises Problem 422."""
    ids = _ids(keys, "contacts")
    rows = Contact.objects.present().filter(pk__in=ids, account__in=addressable(user)).select_related("account")
    found = {row.pk: row for row in rows}
    if any(key not in found for key in ids):
        raise invalid(FieldError("contacts", "unknown", "One of them is no contact you may write to."))
    return list(found.values())


def _ids(keys: list[str], field: str) -> list[UUID]:
    if len(keys) > MOST_NAMED:
        raise invalid(FieldError(field, "too_many", f"At most {MOST_NAMED}."))
    try:
        return list(dict.fromkeys(UUID(key) for key in keys))
    except ValueError as error:
        raise invalid(FieldError(field, "id", "One of them is no id.")) from error
