"""Fields of the workspace's own on every ticket: which there are, and the values that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.keys import insert_key, new_key
from accounts.audit import record
from accounts.errors import RuleViolated
from support.actions.log import one_line
from support.models import TicketField

if TYPE_CHECKING:
    from accounts.models import User

KINDS = ("text", "number", "choice", "day", "yes_no")
TAKEN = "There is or was a field with this key."
MOST_FIELDS, MOST_OPTIONS = 40, 100


@transaction.atomic
def save_field(
    field: TicketField | None,
    *,
    label: str,
    kind: str = "text",
    key: str = "",
    options: Sequence[str] = (),
    is_required: bool = False,
    shown_to_customer: bool = False,
    position: int = 0,
    actor: User,
    at: datetime,
) -> TicketField:
    """Make a field, or write ``field`` anew; its key and kind stay. Returns it. Raises RuleViolated."""
    row = TicketField.objects.select_for_update().get(pk=field.pk) if field else TicketField(key=_new_key(key, label))
    if field is None:
        if kind not in KINDS:
            raise RuleViolated("kind", f"Use one of {', '.join(KINDS)}.", "kind")
        if TicketField.objects.filter(retired_at=None).count() >= MOST_FIELDS:
            raise RuleViolated("too_many", f"At most {MOST_FIELDS} fields.", "label")
        row.kind = kind
    elif kind != row.kind:
        raise RuleViolated("kind", "What is written already has this kind; make another field.", "kind")
    before = field_shown(row) if field else None
    row.label, row.options = one_line(label, "label", 80), _options(row.kind, options)
    row.is_required, row.shown_to_customer, row.position = is_required, shown_to_customer, position
    if field:
        row.save()
    else:
        insert_key(row, taken=TAKEN, field="key" if key else "label")
    record("ticket_field.save", row, actor=actor, at=at, before=before, after=field_shown(row))
    return row


@transaction.atomic
def retire_field(field: TicketField, *, actor: User, at: datetime) -> None:
    """Take a field away, if it is there still; what tickets hold in it stays with them."""
    found = TicketField.objects.select_for_update().filter(pk=field.pk, retired_at=None).first()
    if found is not None:
        found.retired_at = at
        found.save(update_fields=["retired_at"])
        record("ticket_field.retire", found, actor=actor, at=at, before={"key": found.key})


def clean_custom(
    values: Mapping[str, Any], *, kept: Mapping[str, Any] | None = None, required: bool = False
) -> dict[str, Any]:
    """``values`` by the workspace's fields, over those a ticket ``kept``; null empties one. One query.

    A field nobody knows, or a value that does not fit, is refused at ``custom/key``; with ``required`` so is one
    that is missing. Raises RuleViolated.
    """
    known = {field.key: field for field in TicketField.objects.filter(retired_at=None)}
    found = dict(kept or {})
    for key, value in values.items():
        if key in found and found[key] == value:
            continue
        if key not in known:
            raise RuleViolated("unknown", "There is no such field on tickets.", f"custom/{str(key)[:40]}")
        clean = fitting(known[key], value)
        if clean is None:
            found.pop(key, None)
        else:
            found[key] = clean
    for key, field in known.items():
        if required and field.is_required and found.get(key) in {None, ""}:
            raise RuleViolated("required", f"{field.label}: required.", f"custom/{key}")
    return found


def fitting(field: TicketField, value: Any) -> Any:
    """``value`` as a ticket keeps it in ``field``, None for nothing. Raises RuleViolated."""
    if value is None or value == "":
        return None
    refuse = RuleViolated(field.kind, _RULES[field.kind].format(label=field.label), f"custom/{field.key}")
    if field.kind == "yes_no":
        if not isinstance(value, bool):
            raise refuse
        return value
    if field.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
            raise refuse
        return value
    if not isinstance(value, str):
        raise refuse
    text = value.replace("\x00", "").strip()
    if len(text) > 1000 or (field.kind == "choice" and text not in field.options):
        raise refuse
    if field.kind == "day":
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise refuse from None
    return text or None


_RULES = {
    "text": "{label}: a text of at most 1,000 characters.",
    "number": "{label}: a number.",
    "choice": "{label}: one of its options.",
    "day": "{label}: a day such as 2026-11-24.",
    "yes_no": "{label}: true or false.",
}


def field_shown(field: TicketField) -> dict[str, Any]:
    """A field as the audit log keeps it."""
    names = ("key", "label", "kind", "options", "is_required", "shown_to_customer", "position")
    return {name: getattr(field, name) for name in names}


def _options(kind: str, options: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(" ".join(str(option).split()) for option in options if str(option).strip()))
    if kind == "choice" and not found:
        raise RuleViolated("required", "List the options.", "options")
    if len(found) > MOST_OPTIONS or any(len(option) > 80 for option in found):
        raise RuleViolated("options", f"At most {MOST_OPTIONS} options of up to 80 characters.", "options")
    return found if kind == "choice" else []


def _new_key(key: str, label: str) -> str:
    return new_key(TicketField.objects, key, label, limit=40, otherwise="field", taken=TAKEN, named="label")
