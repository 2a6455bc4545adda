"""Making, changing and deleting segments. Members are found in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.actions.locking import differences, locked
from accounts.audit import record
from accounts.errors import RuleViolated
from health.actions.membership import Moves, evaluate_segments
from health.actions.recompute import lock_health
from health.models import Segment
from health.segments.catalogue import fields
from health.segments.rules import RuleError, checked

if TYPE_CHECKING:
    from accounts.models import User

MOST_SEGMENTS = 100
_LIMITS = {"name": 80, "description": 300}


@transaction.atomic
def create_segment(*, name: str, rule: Any, actor: User | None, at: datetime, description: str = "") -> Segment:
    """A new segment with its members. Returns it.

    Raises RuleViolated naming the field: no name or one in use, a rule that is none, more than 100 segments.
    """
    if Segment.objects.count() >= MOST_SEGMENTS:
        raise RuleViolated("segment.too_many", f"At most {MOST_SEGMENTS} segments. Delete one first.", "name")
    segment = Segment(created_by=actor, created_at=at, updated_at=at)
    for key, value in _checked({"name": name, "description": description, "rule": rule}).items():
        setattr(segment, key, value)
    _save(segment, new=True)
    after = {"name": segment.name, "description": segment.description, "rule": segment.rule}
    _evaluate(segment, at)
    record("segment.created", segment, actor=actor, at=at, after=after)
    return segment


@transaction.atomic
def change_segment(
    segment: Segment, *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> Segment:
    """Change ``name``, ``description`` or ``rule``; another rule finds its members anew. Returns the segment.

    Raises RuleViolated naming the field, StaleVersion when somebody was faster.
    """
    segment = locked(segment, expected_version=expected_version)
    clean = _checked(changes)
    before, after = differences(segment, clean)
    if not after:
        return segment
    for name in after:
        setattr(segment, name, clean[name])
    segment.version += 1
    segment.updated_at = at
    _save(segment, new=False)
    if "rule" in after:
        _evaluate(segment, at)
    record("segment.changed", segment, actor=actor, at=at, before=before, after=after)
    return segment


@transaction.atomic
def delete_segment(segment: Segment, *, actor: User | None, at: datetime, expected_version: int | None = None) -> None:
    """Delete a segment with the history of its members; the accounts stay."""
    segment = locked(segment, expected_version=expected_version)
    record("segment.deleted", segment, actor=actor, at=at, before={"name": segment.name, "rule": segment.rule})
    segment.delete()


def _evaluate(segment: Segment, at: datetime) -> Moves:
    lock_health()
    moves = evaluate_segments(at=at, only=[segment])
    segment.evaluated_at = at
    return moves


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    clean = dict(values)
    for name, limit in _LIMITS.items():
        if name in clean:
            clean[name] = str(clean[name]).strip()
            if len(clean[name]) > limit:
                raise RuleViolated("too_long", f"At most {limit} characters.", name)
    if "name" in clean and not clean["name"]:
        raise RuleViolated("required", "A segment needs a name.", "name")
    if "rule" in clean:
        try:
            clean["rule"] = checked(clean["rule"], fields())
        except RuleError as wrong:
            raise RuleViolated("segment.rule", wrong.message, f"rule{wrong.where}") from wrong
    return clean


def _save(segment: Segment, *, new: bool) -> None:
    try:
        with transaction.atomic():
            segment.save(force_insert=new)
    except IntegrityError as error:
        raise RuleViolated("segment.name_taken", "There is a segment of this name.", "name") from error
