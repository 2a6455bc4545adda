"""The tenant's own values: set beside the pack's, applied at once, taken back at any time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.methodology import calendar_definition
from accounts.audit import record
from accounts.errors import RuleViolated
from businesstime import InvalidCalendar
from packs import live
from packs.fields import Field, field_of, value_at, with_edits
from packs.models import PackItem, TenantEdit

if TYPE_CHECKING:
    from accounts.models import User


def edit_value(item: PackItem, path: str, value: Any, *, actor: User, at: datetime) -> PackItem:
    """Set the tenant's value at ``path``: ``edit_values`` with one."""
    return edit_values(item, {path: value}, actor=actor, at=at)


@transaction.atomic
def edit_values(item: PackItem, values: Mapping[str, Any], *, actor: User, at: datetime) -> PackItem:
    """Set the tenant's values at dotted paths, all or none; the pack's own value again takes an edit back.

    Raises RuleViolated where a field may not be set or a value does not fit it.
    """
    item = _locked(item)
    edits = live.edits_of([item])[item.pk]
    before = with_edits(item.data, edits)
    wanted = {path: _fitting(_known(item, path), value) for path, value in values.items()}
    changed = {path: value for path, value in wanted.items() if value != value_at(before, path)}
    if not changed:
        return item
    _check_whole(item, with_edits(item.data, {**edits, **changed}))
    for path, value in changed.items():
        if value == value_at(item.data, path):
            item.edits.filter(path=path).delete()
        else:
            TenantEdit.objects.update_or_create(
                item=item, path=path, defaults={"value": value, "edited_by": actor, "edited_at": at}
            )
    _apply(item, {path: value_at(before, path) for path in changed}, changed, actor=actor, at=at)
    return item


@transaction.atomic
def reset_value(item: PackItem, path: str, *, actor: User, at: datetime) -> PackItem:
    """Bring the pack's value at ``path`` back; nothing happens where the tenant set none."""
    item = _locked(item)
    edit = item.edits.filter(path=path).first()
    if edit:
        edit.delete()
        edits = live.edits_of([item])[item.pk]
        _check_whole(item, with_edits(item.data, edits))
        _apply(item, {path: edit.value}, {path: value_at(item.data, path)}, actor=actor, at=at)
    return item


def _locked(item: PackItem) -> PackItem:
    return PackItem.objects.select_for_update(of=("self",)).select_related("install").get(pk=item.pk)


def _known(item: PackItem, path: str) -> Field:
    field = field_of(item.section, path)
    if field is None:
        raise RuleViolated("not_editable", "This value belongs to the methodology.", path)
    return field


def _apply(item: PackItem, before: dict[str, Any], after: dict[str, Any], *, actor: User, at: datetime) -> None:
    live.apply(item.install, [item.section], actor=actor, at=at)
    record("pack.edit", item, actor=actor, at=at, before=before, after=after)


def _fitting(field: Field, value: Any) -> Any:
    """``value`` as the field keeps it. Raises RuleViolated."""
    if value in {None, ""}:
        if field.required:
            raise RuleViolated("required", f"{field.label} cannot be empty.", field.path)
        return None
    if field.kind == "text":
        if not isinstance(value, str) or len(value) > 200:
            raise RuleViolated("text", "Use at most 200 characters.", field.path)
        return value.strip()
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= 1_000_000:
        raise RuleViolated("number", f"{field.label}: use a number from 0 to 1,000,000.", field.path)
    return int(number) if number.is_integer() else number


def _check_whole(item: PackItem, data: dict[str, Any]) -> None:
    """What one field alone cannot know: ranges in order, hours that exist."""
    for name, value in data.items():
        if name.startswith("accounts_per_") and value:
            low, high = value.get("min"), value.get("max")
            if low is not None and high is not None and low > high:
                raise RuleViolated("range", "The lower figure is above the upper one.", f"{name}.min")
    if item.section == "calendars":
        try:
            calendar_definition(data)
        except InvalidCalendar as error:
            raise RuleViolated("calendar", error.problems[0].detail, error.problems[0].field) from error
