"""Defining fields of the workspace's own on accounts: made, changed, moved, archived and restored. Values stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.text import slugify

from accounts.actions.locking import lock_source, locked
from accounts.audit import record
from accounts.choices import FieldKind
from accounts.errors import RuleViolated
from accounts.fields import Unreadable
from accounts.models import Account, OwnField
from accounts.own_values import (
    KEY,
    LONGEST_KEY,
    LONGEST_LABEL,
    LONGEST_OPTION,
    MOST_OPTIONS,
    FieldDefinition,
    cleaned,
)
from accounts.queries.own_fields import forget_fields
from accounts.queries.own_values import misfit
from accounts.record_fields import ACCOUNT
from tenants.on_commit import run_on_commit

if TYPE_CHECKING:
    from accounts.models import User

MOST_FIELDS, LONGEST_HELP = 60, 200
CHANGEABLE = ("label", "kind", "options", "help_text")


@transaction.atomic
def define_field(
    *,
    label: str,
    kind: str,
    key: str = "",
    options: Sequence[str] = (),
    help_text: str = "",
    actor: User | None,
    at: datetime,
) -> OwnField:
    """A new field, last in order; without ``key`` its label makes one. Returns it. What accounts hold stays.

    Raises RuleViolated naming the field: a key or label in use, a choice without options, more than 60 fields.
    """
    _one_at_a_time()
    live = list(OwnField.objects.live())
    if len(live) >= MOST_FIELDS:
        raise RuleViolated("too_many", f"At most {MOST_FIELDS} fields. Archive one first.", "label")
    field = OwnField(created_at=at, updated_at=at, position=max((each.position for each in live), default=-1) + 1)
    field.label, field.help_text = _label(label), _help(help_text)
    field.kind, field.options = _kind(kind), _options(kind, options)
    _check_label(field)
    field.key = _new_key(key, field.label)
    field.save(force_insert=True)
    record("account_field.created", field, actor=actor, at=at, after=_shown(field))
    _forget()
    return field


@transaction.atomic
def change_field(
    field: OwnField, *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> OwnField:
    """Change ``label``, ``kind``, ``options`` or ``help_text``; the key stays. Returns the field.

    Raises RuleViolated naming the field, also when accounts hold values that would not fit any more and how many;
    StaleVersion when somebody was faster.
    """
    _one_at_a_time()
    field = locked(field, expected_version=expected_version)
    before, was = _shown(field), field.definition
    field.label = _label(changes.get("label", field.label))
    field.help_text = _help(changes.get("help_text", field.help_text))
    field.kind = _kind(changes.get("kind", field.kind))
    field.options = _options(field.kind, changes.get("options", field.options))
    _check_label(field)
    after = _shown(field)
    changed = [name for name in CHANGEABLE if before[name] != after[name]]
    if not changed:
        return field
    if "kind" in changed:
        _check_tests(field)
    if {"kind", "options"} & set(changed):
        _check_values(was, field)
    _save(field, at)
    old, new = ({name: side[name] for name in changed} for side in (before, after))
    record("account_field.changed", field, actor=actor, at=at, before=old, after=new)
    return field


@transaction.atomic
def move_field(field: OwnField, step: int, *, actor: User | None, at: datetime) -> OwnField:
    """Move a field by ``step`` places among those that are not archived, as far as it goes. Returns it."""
    _one_at_a_time()
    order = list(OwnField.objects.live())
    place = next((at for at, each in enumerate(order) if each.pk == field.pk), None)
    if place is None:
        raise RuleViolated("archived", "An archived field has no place. Restore it first.")
    to = min(max(place + step, 0), len(order) - 1)
    if to == place:
        return order[place]
    moved = order.pop(place)
    order.insert(to, moved)
    for number, each in enumerate(order):
        each.position = number
    OwnField.objects.bulk_update(order, ["position"])
    record("account_field.moved", moved, actor=actor, at=at, before={"place": place + 1}, after={"place": to + 1})
    _forget()
    return moved


@transaction.atomic
def archive_field(
    field: OwnField, *, actor: User | None, at: datetime, expected_version: int | None = None
) -> OwnField:
    """Take a field out of pages, lists and choices; what accounts hold stays with them. Returns it."""
    _one_at_a_time()
    field = locked(field, expected_version=expected_version)
    if field.archived_at is None:
        field.archived_at = at
        _save(field, at)
        record("account_field.archived", field, actor=actor, at=at)
    return field


@transaction.atomic
def restore_field(
    field: OwnField, *, actor: User | None, at: datetime, expected_version: int | None = None
) -> OwnField:
    """Bring an archived field back, last in order, with what accounts hold. Returns it.

    Raises RuleViolated when another field took its label, or there are 60.
    """
    _one_at_a_time()
    field = locked(field, expected_version=expected_version)
    if field.archived_at is None:
        return field
    live = list(OwnField.objects.live())
    if len(live) >= MOST_FIELDS:
        raise RuleViolated("too_many", f"At most {MOST_FIELDS} fields. Archive one first.")
    field.archived_at, field.position = None, max((each.position for each in live), default=-1) + 1
    _check_label(field)
    _save(field, at)
    record("account_field.restored", field, actor=actor, at=at)
    return field


def clean_custom(custom: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What an account that holds ``kept`` holds after ``custom``, as ``own_values.cleaned`` says. One query.

    Raises RuleViolated at ``custom/key`` for the first value that does not fit, at ``custom`` for too much in all.
    """
    if not custom:
        return dict(kept)
    held, errors = cleaned(custom, OwnField.objects.live().named(custom).by_key(), kept)
    for wrong in errors:
        raise RuleViolated(wrong.rule, wrong.message, wrong.field.replace(".", "/", 1))
    return within_limits(held)


def within_limits(custom: Mapping[str, Any]) -> dict[str, Any]:
    """``custom``, whole, where it is no more than a record holds. Raises RuleViolated at ``custom``."""
    try:
        return dict(ACCOUNT["custom"].read(custom))
    except Unreadable as wrong:
        raise RuleViolated(wrong.rule, wrong.message, "custom") from wrong


def _one_at_a_time() -> None:
    lock_source("account_field", "")


def _save(field: OwnField, at: datetime) -> None:
    field.version += 1
    field.updated_at = at
    field.save()
    _forget()


def _forget() -> None:
    """At once for this transaction, and after it for whoever read the old ones meanwhile."""
    forget_fields()
    run_on_commit(forget_fields)


def _check_values(was: FieldDefinition, field: OwnField) -> None:
    """Refuse a kind or options that values would not fit which fit until now."""
    lost = Account.objects.filter(misfit(field.definition)).exclude(misfit(was)).count()
    if not lost:
        return
    accounts = f"{lost:,} account{'' if lost == 1 else 's'}"
    if was.kind == field.kind:
        text = f"{accounts} hold{'s' if lost == 1 else ''} an option that is not listed any more."
        raise RuleViolated("options_in_use", f"{text} Keep it, or give them another first.", "options")
    text = f"What {accounts} hold{'s' if lost == 1 else ''} does not fit this kind. Change those values first."
    raise RuleViolated("kind_in_use", text, "kind")


def _check_tests(field: OwnField) -> None:
    """Refuse a kind by which segments do not test the field."""
    broken: list[str] = import_string(settings.OWN_FIELD_TESTS)(field.definition)
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        names = ", ".join(f"“{name}”" for name in broken[:3])
        text = f"Segments test it by its present kind: {names}{more}. Change their rules first."
        raise RuleViolated("kind_tested", text, "kind")


def _check_label(field: OwnField) -> None:
    if OwnField.objects.live().filter(label__iexact=field.label).exclude(pk=field.pk).exists():
        raise RuleViolated("label_taken", f"There is a field called {field.label}.", "label")


def _new_key(key: str, label: str) -> str:
    wanted = key.strip() or slugify(label)[:LONGEST_KEY].strip("-").replace("-", "_") or "field"
    if not KEY.fullmatch(wanted):
        text = f"A key has at most {LONGEST_KEY} characters, and no slash, comma, colon or tilde."
        raise RuleViolated("key", text, "key")
    if OwnField.objects.filter(key=wanted).exists():
        raise RuleViolated("key_taken", "There is or was a field with this key.", "key" if key.strip() else "label")
    return wanted


def _label(label: str) -> str:
    return _line(label, "label", LONGEST_LABEL, required=True)


def _help(text: str) -> str:
    return _line(text, "help_text", LONGEST_HELP)


def _line(text: str, field: str, limit: int, *, required: bool = False) -> str:
    found = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", str(text)).split())
    if required and not found:
        raise RuleViolated("required", "A field needs a label.", field)
    if len(found) > limit:
        raise RuleViolated("too_long", f"At most {limit} characters.", field)
    return found


def _kind(kind: str) -> str:
    if kind not in FieldKind.values:
        raise RuleViolated("kind", f"One of {', '.join(FieldKind.values)}.", "kind")
    return kind


def _options(kind: str, options: Sequence[str]) -> list[str]:
    """The options of a choice, without blanks and repetitions; none for another kind."""
    if kind != FieldKind.CHOICE:
        return []
    found = [_line(option, "options", LONGEST_OPTION) for option in options]
    found = [option for option in dict.fromkeys(found) if option]
    if not found:
        raise RuleViolated("required", "A choice needs at least one option.", "options")
    if len(found) > MOST_OPTIONS:
        raise RuleViolated("options", f"At most {MOST_OPTIONS} options.", "options")
    if len({option.casefold() for option in found}) < len(found):
        raise RuleViolated("options", "Two options differ only in upper and lower case.", "options")
    if any(option.startswith("~") for option in found):
        raise RuleViolated("options", "An option does not begin with a tilde.", "options")
    return found


def _shown(field: OwnField) -> dict[str, Any]:
    """A field as the audit log keeps it."""
    return {name: getattr(field, name) for name in ("key", *CHANGEABLE)}
