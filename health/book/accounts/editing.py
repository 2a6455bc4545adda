"""The values that the list's edits take, read from what a form sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.actions.editing import FIELDS
from accounts.errors import RuleViolated
from accounts.fields import Field, Unreadable, identifier
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.record_fields import ACCOUNT
from health.book.listing import filter_choices

Pairs = Sequence[tuple[str, str]]


def read_value(field: str, raw: str) -> Any:
    """What ``raw`` stands for in ``field``: a row, text, a day, or None for nothing.

    Raises RuleViolated naming the field when it stands for nothing that is there.
    """
    model = FIELDS.get(field)
    if field not in FIELDS:
        raise RuleViolated("unknown_field", "This is not edited here.", "field")
    if model is None:
        return _plain(field, raw)
    if not raw:
        return None
    key = identifier(raw)
    rows = User.objects.active().staff() if model is User else model._default_manager.all()
    found = rows.filter(pk=key).first() if key else None
    if found is None:
        raise RuleViolated("unknown", "Choose one of the list.", field)
    return found


def _plain(field: str, raw: str) -> Any:
    known: Field = ACCOUNT[field]
    try:
        return known.read(raw) if raw.strip() else known.empty
    except Unreadable as wrong:
        raise RuleViolated(wrong.rule, wrong.message, field) from wrong


def options_for(field: str, user: User) -> Pairs | None:
    """What may be chosen for ``field``; None where it is typed in. No query while the choices are kept."""
    choices = filter_choices(user)
    known: dict[str, tuple[str, Pairs]] = {
        "owner": ("Nobody", choices.assignable),
        "tier": ("No tier", choices.tiers),
        "stage": ("No stage", choices.stages),
    }
    if field not in known:
        return None
    nothing, pairs = known[field]
    return [("", nothing), *pairs]


def value_of(account: Account, field: str) -> str:
    """The account's value of ``field`` as a form sends it."""
    value = getattr(account, Account._meta.get_field(field).attname)  # type: ignore[union-attr]
    return "" if value is None else str(value)


def words_for(field: str, value: str) -> str:
    """A sent value in words, also of a row that is not on offer any more. One query for a row."""
    if not value:
        return "nothing"
    model = {"owner": User, "tier": Tier, "stage": LifecycleStage}.get(field)
    if model is None:
        return value
    found = model._default_manager.filter(pk=identifier(value)).first() if identifier(value) else None
    return str(found) if found else "nothing"
