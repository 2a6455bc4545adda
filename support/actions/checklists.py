"""Checklists of the desk: brought by packs, started by people or by the month, worked and closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.errors import RuleViolated, StaleVersion
from support.models import Checklist, ChecklistItem, ChecklistTemplate

if TYPE_CHECKING:
    from accounts.models import User

MOST_NOTES = 10_000
MONTHLY, PREVENTION = "escalation-review", "escalation-prevention"


def install_cycles(definitions: Sequence[Mapping[str, Any]], *, pack: str, at: datetime) -> None:
    """Bring the pack's improvement cycles up to ``definitions``."""
    wanted = {f"cycle-{each['key']}": (each["name"], each["steps"], False) for each in definitions}
    _install(wanted, "cycle-", pack=pack, at=at)


def install_reviews(ladder: Mapping[str, Any], *, pack: str, at: datetime) -> None:
    """Bring the checklists that the pack's ladder names up to it: the monthly review and the habits of prevention."""
    printed = {
        MONTHLY: ("Monthly escalation review", ladder.get("monthly_review"), True),
        PREVENTION: ("Escalation prevention", ladder.get("prevention"), False),
    }
    wanted = {key: (name, list(steps), monthly) for key, (name, steps, monthly) in printed.items() if steps}
    _install(wanted, "escalation-", pack=pack, at=at)


@transaction.atomic
def start_checklist(
    template: ChecklistTemplate, *, actor: User | None, at: datetime, month: date | None = None
) -> Checklist:
    """Start ``template``, for ``month`` where it is about one. Returns it with its steps; nobody's yet.

    Raises RuleViolated where one is open already.
    """
    # Two at once wait for each other here: the second finds what the first has started.
    template = ChecklistTemplate.objects.select_for_update().get(pk=template.pk)
    month = month.replace(day=1) if month else None
    if template.is_monthly and month is None:
        month = _month_before(at)
    same = Checklist.objects.filter(template=template)
    if (same.filter(month=month) if month else same.open()).exists():
        raise RuleViolated("checklist.open", "This one is started already.", "template")
    made = Checklist.objects.create(template=template, month=month, opened_at=at, opened_by=actor)
    ChecklistItem.objects.bulk_create(
        ChecklistItem(checklist=made, text=text[:200], position=position)
        for position, text in enumerate(template.steps)
    )
    record("checklist.start", made, actor=actor, at=at, after={"name": str(made), "steps": len(template.steps)})
    return made


def open_monthly(*, at: datetime) -> int:
    """Open the review of the month that is over wherever a pack wants one; how many. Two at once open one."""
    month, opened = _month_before(at), 0
    known = Checklist.objects.filter(month=month).values("template")
    for template in ChecklistTemplate.objects.filter(is_monthly=True, retired_at=None).exclude(pk__in=known):
        try:
            start_checklist(template, actor=None, at=at, month=month)
            opened += 1
        except RuleViolated:
            continue
    return opened


@transaction.atomic
def work_checklist(
    checklist: Checklist,
    *,
    owners: Mapping[UUID, User | None],
    done: Sequence[UUID],
    notes: str,
    actor: User,
    at: datetime,
    expected_version: int | None = None,
) -> Checklist:
    """Set whose each step is, which are done, and the notes; it closes with its last step and opens again without it.

    Steps by key; those ``owners`` does not name keep theirs. Raises RuleViolated, StaleVersion.
    """
    row = Checklist.objects.select_for_update(of=("self",)).select_related("template").get(pk=checklist.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    items = list(row.items.select_related("owner"))
    unknown = {*owners, *done} - {item.pk for item in items}
    if unknown:
        raise RuleViolated("step", "There is no such step.", "done")
    written = notes.replace("\x00", "").strip()
    if len(written) > MOST_NOTES:
        raise RuleViolated("too_long", f"At most {MOST_NOTES:,} characters.", "notes")
    before, ticked = _shown(row, items), set(done)
    for item in items:
        item.owner = owners.get(item.pk, item.owner)
        if item.pk not in ticked:
            item.done_at = item.done_by = None
        elif item.done_at is None:
            item.done_at, item.done_by = at, actor
    ChecklistItem.objects.bulk_update(items, ["owner", "done_at", "done_by"])
    row.notes = written
    all_done = all(item.done_at for item in items)
    row.closed_at = (row.closed_at or at) if all_done else None
    row.version += 1
    row.save(update_fields=["notes", "closed_at", "version"])
    record("checklist.work", row, actor=actor, at=at, before=before, after=_shown(row, items))
    return row


def _install(wanted: Mapping[str, tuple[str, Any, bool]], prefix: str, *, pack: str, at: datetime) -> None:
    for key, (name, steps, monthly) in wanted.items():
        fields = {"name": name, "steps": list(steps), "is_monthly": monthly, "retired_at": None}
        ChecklistTemplate.objects.update_or_create(pack=pack, key=key, defaults=fields)
    gone = ChecklistTemplate.objects.filter(pack=pack, key__startswith=prefix, retired_at=None).exclude(key__in=wanted)
    gone.update(retired_at=at)


def _month_before(at: datetime) -> date:
    """The first day of the month that is over, by the workspace's calendar."""
    return (timezone.localtime(at).date().replace(day=1) - timedelta(days=1)).replace(day=1)


def _shown(row: Checklist, items: Sequence[ChecklistItem]) -> dict[str, Any]:
    steps = {
        item.text: {"owner": item.owner.email if item.owner else None, "done": item.done_at is not None}
        for item in items
    }
    return {"steps": steps, "notes": row.notes}
