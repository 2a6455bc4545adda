"""The values that the list's edits take: what may be edited, read from what a form sent, and said in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from accounts.actions.editable import FIELDS
from accounts.choices import FieldKind
from accounts.errors import RuleViolated
from accounts.fields import Field, Unreadable, identifier
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.own_values import PREFIX, FieldDefinition, as_text, as_typed, held, in_words, own_answers, read_own
from accounts.queries.own_fields import known_fields, live_fields
from accounts.record_fields import ACCOUNT
from health.book.accounts.columns import EDITABLE, heading_of
from health.book.listing import filter_choices

Pairs = Sequence[tuple[str, str]]
NAMES = {
    "owner": "Owner",
    "tier": "Tier",
    "stage": "Stage",
    "segment": "Segment",
    "industry": "Industry",
    "renewal_on": "Renewal",
}


def own_field(name: str) -> FieldDefinition | None:
    """The own field that a column or an edit calls ``name``, unless it is archived. One look-up for such a name."""
    return live_fields().get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None


def field_behind(column: str) -> str:
    """What an edit of ``column`` sets; empty where it is not edited in place."""
    return column if own_field(column) else EDITABLE.get(column, "")


def name_of(field: str) -> str:
    """What a field of an edit is called, also one that was archived since."""
    if not field.startswith(PREFIX):
        return NAMES.get(field, field)
    key = field.removeprefix(PREFIX)
    known = known_fields().get(key)
    return known.label if known else key


def label_of(column: str) -> str:
    """What the form of one value calls it."""
    return "Renewal" if column == "renewal" else heading_of(column, known_fields()).label


def hint_of(field: str) -> str:
    """What an own field is for, told where it is filled in."""
    own = own_field(field)
    return own.help_text if own else ""


def input_type(field: str) -> str:
    """The type of the input in which a value is typed."""
    own = own_field(field)
    is_day = own.kind == FieldKind.DATE if own else field == "renewal_on"
    return "date" if is_day else "text"


def read_value(field: str, raw: str) -> Any:
    """What ``raw`` stands for in ``field``: a row, text, a day, the value of an own field, or None for nothing.

    Raises RuleViolated naming the field when it stands for nothing that is there.
    """
    if field.startswith(PREFIX):
        return _own(field, raw)
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


def _own(field: str, raw: str) -> Any:
    own = own_field(field)
    if own is None:
        raise RuleViolated("unknown_field", "There is no such field any more.", "field")
    try:
        return read_own(own, raw)
    except Unreadable as wrong:
        raise RuleViolated(wrong.rule, wrong.message, field) from wrong


def _plain(field: str, raw: str) -> Any:
    known: Field = ACCOUNT[field]
    try:
        return known.read(raw) if raw.strip() else known.empty
    except Unreadable as wrong:
        raise RuleViolated(wrong.rule, wrong.message, field) from wrong


def options_for(field: str, user: User, value: str = "") -> Pairs | None:
    """What may be chosen for ``field``; None where it is typed in. No query while the choices are kept.

    What stands there (``value``) is offered too, so that an option that is gone is not lost by looking at it.
    """
    own = own_field(field)
    if own is not None:
        return _own_options(own, value)
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


def _own_options(own: FieldDefinition, value: str) -> Pairs | None:
    if own.kind not in {FieldKind.CHOICE, FieldKind.YES_NO}:
        return None
    pairs = own_answers(own)
    kept = [(value, f"{value} (does not fit)")] if value and value not in dict(pairs) else []
    return [("", "Not set"), *pairs, *kept]


def value_of(account: Account, field: str) -> str:
    """The account's value of ``field`` as a form sends it."""
    own = own_field(field)
    if own is not None:
        found = held(own, account.custom)
        return as_typed(found.value) if found.fits else as_text(found.value)
    value = getattr(account, Account._meta.get_field(field).attname)  # type: ignore[union-attr]
    return "" if value is None else str(value)


def words_for(field: str, value: str) -> str:
    """A sent value in words, also of a row that is not on offer any more. One query for a row."""
    if not value:
        return "nothing"
    own = own_field(field)
    if own is not None:
        return dict(own_answers(own)).get(value, value)
    model = {"owner": User, "tier": Tier, "stage": LifecycleStage}.get(field)
    if model is None:
        return value
    found = model._default_manager.filter(pk=identifier(value)).first() if identifier(value) else None
    return str(found) if found else "nothing"


def words_of_kept(field: str, kept: str | None) -> str:
    """A value that an edit kept, in words."""
    if field.startswith(PREFIX):
        return "nothing" if kept is None else in_words(json.loads(kept)) or "nothing"
    return words_for(field, kept or "")
