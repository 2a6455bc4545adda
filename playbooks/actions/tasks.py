"""Ticking a CTA's tasks off, and adding one's own."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from accounts.audit import record
from accounts.errors import RuleViolated, StaleVersion
from playbooks.actions.ctas import MAX_TASKS, NotOpen, locked
from playbooks.choices import CtaStatus
from playbooks.models import Cta, Task

if TYPE_CHECKING:
    from accounts.models import User

EDITABLE = frozenset({"title", "detail", "due_on"})


@transaction.atomic
def complete_task(task: Task, *, actor: User | None, at: datetime, expected_version: int | None = None) -> Task:
    """Tick ``task``; ticking a ticked one changes nothing. Refused on a closed CTA."""
    task = _locked(task, expected_version)
    if task.completed_at is None:
        _store(task, completed_at=at, completed_by=actor)
        record("task.complete", task, actor=actor, at=at, after={"cta": str(task.cta_id)}, account=task.cta.account)
    return task


@transaction.atomic
def reopen_task(task: Task, *, actor: User | None, at: datetime, expected_version: int | None = None) -> Task:
    """Take the tick away again; an open task stays as it is."""
    task = _locked(task, expected_version)
    if task.completed_at is not None:
        before = {"completed_at": task.completed_at.isoformat()}
        _store(task, completed_at=None, completed_by=None)
        record("task.reopen", task, actor=actor, at=at, before=before, account=task.cta.account)
    return task


@transaction.atomic
def add_task(cta: Cta, *, title: str, due_on: date | None = None, detail: str = "", actor: User, at: datetime) -> Task:
    """Add a task at the end of an unclosed CTA, due with it unless ``due_on`` says otherwise."""
    cta = locked(cta)
    if cta.status == CtaStatus.CLOSED:
        raise NotOpen("closed", "The CTA is closed.", "status")
    if cta.tasks.count() >= MAX_TASKS:
        raise RuleViolated("too_many", f"A CTA holds at most {MAX_TASKS} tasks.", "title")
    last = cta.tasks.aggregate(last=Max("position"))["last"]
    task = Task.objects.create(
        cta=cta,
        position=0 if last is None else last + 1,
        title=_title(title),
        detail=detail,
        due_on=due_on or cta.due_on,
    )
    record("task.add", task, actor=actor, at=at, after={"title": task.title, "cta": str(cta.pk)}, account=cta.account)
    return task


@transaction.atomic
def update_task(task: Task, *, actor: User, at: datetime, expected_version: int | None = None, **changes: Any) -> Task:
    """Change title, detail or due day."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise RuleViolated("unknown", f"Cannot be changed here: {', '.join(sorted(unknown))}.", min(unknown))
    task = _locked(task, expected_version)
    if "title" in changes:
        changes["title"] = _title(changes["title"])
    before = {name: str(getattr(task, name)) for name in changes}
    after = {name: str(value) for name, value in changes.items()}
    if before != after:
        _store(task, **changes)
        record("task.update", task, actor=actor, at=at, before=before, after=after, account=task.cta.account)
    return task


def _locked(task: Task, expected_version: int | None) -> Task:
    rows = Task.objects.select_for_update(of=("self", "cta")).select_related("cta__account")
    row = rows.get(pk=task.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    if row.cta.status == CtaStatus.CLOSED:
        raise NotOpen("closed", "The CTA is closed.", "status")
    return row


def _store(task: Task, **values: Any) -> None:
    for name, value in values.items():
        setattr(task, name, value)
    task.version += 1
    task.save(update_fields=[*values, "version"])


def _title(value: str) -> str:
    value = " ".join(str(value).split())
    if not value or len(value) > 200:
        raise RuleViolated("title", "Give a title of at most 200 characters.", "title")
    return value
