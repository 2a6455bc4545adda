"""A workspace's own playbooks: written, changed, retired and brought back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.keys import insert_free_key
from accounts.audit import record
from accounts.errors import RuleViolated
from playbooks.actions.ctas import MAX_TASKS
from playbooks.choices import DayUnit
from playbooks.models import Playbook, PlaybookTask

if TYPE_CHECKING:
    from accounts.models import User

MAX_DAYS = 730
_TEXTS = {"name": 120, "objective": 300, "entry": 200}
_STEP = {"step": 120, "title": 200}


@transaction.atomic
def write_playbook(
    playbook: Playbook | None, *, tasks: Sequence[dict[str, Any]], actor: User, at: datetime, **texts: str
) -> Playbook:
    """Write a new playbook (None), or change one of the workspace's own; CTAs at work keep the tasks they have.

    ``texts`` are ``name``, ``objective`` and ``entry``; each of ``tasks`` has ``title``, ``step``, ``offset_days``,
    ``unit`` and ``optional``. They stand in the order of their days. RuleViolated for one that a methodology
    brought: its next version would overwrite the change.
    """
    texts = {name: " ".join(texts.get(name, "").split()) for name in _TEXTS}
    _check(texts, tasks)
    playbook = _locked(playbook) if playbook else None
    before = _content(playbook) if playbook else None
    if playbook is None:
        playbook = Playbook(**texts)
        insert_free_key(playbook, playbook.name, limit=70, otherwise="playbook")
    elif playbook.pack:
        raise RuleViolated("pack", "This playbook comes with a methodology. Copy it and change the copy.")
    else:
        for name, text in texts.items():
            setattr(playbook, name, text)
        playbook.save()
    playbook.tasks.all().delete()
    ordered = sorted(tasks, key=lambda task: task["offset_days"])
    PlaybookTask.objects.bulk_create(
        PlaybookTask(playbook=playbook, position=position, **task) for position, task in enumerate(ordered)
    )
    after = _content(playbook)
    if before != after:
        action = "playbook.update" if before else "playbook.create"
        record(action, playbook, actor=actor, at=at, before=before, after=after)
    return playbook


@transaction.atomic
def retire_playbook(playbook: Playbook, *, actor: User, at: datetime) -> Playbook:
    """No CTA starts by it any more; those at work keep their tasks. A retired one stays as it is."""
    if playbook.pack:
        raise RuleViolated("pack", "This playbook comes with a methodology, which also takes it away.")
    playbook = _locked(playbook)
    if playbook.retired_at is None:
        _set_retired(playbook, at)
        record("playbook.retire", playbook, actor=actor, at=at)
    return playbook


@transaction.atomic
def restore_playbook(playbook: Playbook, *, actor: User, at: datetime) -> Playbook:
    """Bring a retired playbook of the workspace back."""
    if playbook.pack:
        raise RuleViolated("pack", "This playbook comes with a methodology, which also brings it back.")
    playbook = _locked(playbook)
    if playbook.retired_at is not None:
        _set_retired(playbook, None)
        record("playbook.restore", playbook, actor=actor, at=at)
    return playbook


def _locked(playbook: Playbook) -> Playbook:
    """``playbook`` as it is now. RACE: of two writers the second would bring back triggers and tasks of before."""
    return Playbook.objects.select_for_update().get(pk=playbook.pk)


def _set_retired(playbook: Playbook, at: datetime | None) -> None:
    playbook.retired_at = at
    playbook.save(update_fields=["retired_at"])


def _check(texts: dict[str, str], tasks: Sequence[dict[str, Any]]) -> None:
    if not texts["name"]:
        raise RuleViolated("required", "Give the playbook a name.", "name")
    for name, most in _TEXTS.items():
        if len(texts[name]) > most:
            raise RuleViolated("too_long", f"At most {most} characters.", name)
    if not 1 <= len(tasks) <= MAX_TASKS:
        raise RuleViolated("tasks", f"A playbook has 1 to {MAX_TASKS} tasks.", "tasks")
    for task in tasks:
        _check_task(task)


def _check_task(task: dict[str, Any]) -> None:
    if not task["title"].strip() or any(len(task[name]) > most for name, most in _STEP.items()):
        raise RuleViolated("tasks", "A task has a title of at most 200 characters, and a step of at most 120.", "tasks")
    if not 0 <= task["offset_days"] <= MAX_DAYS:
        raise RuleViolated("tasks", f"A task is due 0 to {MAX_DAYS} days after the CTA opens.", "tasks")
    if task["unit"] not in DayUnit.values:
        raise RuleViolated("tasks", f"Count days as one of {', '.join(DayUnit.values)}.", "tasks")


def _content(playbook: Playbook) -> dict[str, Any]:
    names = ("step", "title", "offset_days", "unit", "optional")
    return {name: getattr(playbook, name) for name in _TEXTS} | {"tasks": list(playbook.tasks.values_list(*names))}
