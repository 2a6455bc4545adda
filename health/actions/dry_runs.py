"""Dry runs: asked for by a person, worked through by a background task; only the report is stored."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.errors import RuleViolated
from health.actions.claiming import take
from health.actions.rehearsal import Rehearsal, would_be_on
from health.choices import DRY_RUN_WORKING, DryRunState
from health.models import DryRun, Trigger, TriggerVersion
from health.models.automation import MOST_DAYS
from health.queries.vocabulary import newest_versions

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
MOST_AT_ONCE = 2
KEPT_DAYS = 90


@transaction.atomic
def start_dry_run(trigger: Trigger | None = None, *, days: int = MOST_DAYS, actor: User | None, at: datetime) -> DryRun:
    """Ask for a dry run of the triggers that are on, with the draft (else the newest version) of ``trigger`` on too.

    A worker then runs it. Raises RuleViolated naming field and rule.
    """
    if not 1 <= days <= MOST_DAYS:
        raise RuleViolated("range", f"From 1 to {MOST_DAYS} days.", "days")
    if DryRun.objects.filter(state__in=DRY_RUN_WORKING).count() >= MOST_AT_ONCE:
        raise RuleViolated("busy", f"{MOST_AT_ONCE} dry runs are under way. Wait for one.")
    DryRun.objects.filter(created_at__lt=at - timedelta(days=KEPT_DAYS)).delete()
    dry_run = DryRun.objects.create(
        trigger=trigger,
        definition=None if trigger is None else _definition(trigger),
        days=days,
        start_at=at,
        created_by=actor,
        created_at=at,
        touched_at=at,
    )
    record("trigger.dry_run", trigger or dry_run, actor=actor, at=at, after={"days": days})
    from health.tasks import run_dry  # tasks stands above actions; only sending needs it.

    run_dry.delay_on_commit(str(dry_run.pk))
    return dry_run


def _definition(trigger: Trigger) -> dict[str, Any]:
    version = trigger.versions.first()
    definition = trigger.draft or (version.definition if version else None)
    if definition is None:
        raise RuleViolated("draft", "It has neither a version nor a draft.", "trigger")
    return dict(definition)


def run(dry_run_id: UUID) -> None:
    """Walk through the days and keep the report. A second worker on the same one does nothing.

    An error that is ours ends it with a message and is logged.
    """
    waiting = DryRun.objects.filter(state__in=DRY_RUN_WORKING).select_related("trigger")
    dry_run = take(waiting, dry_run_id, day=0)
    if dry_run is None:
        return
    try:
        result, rows = _walked(dry_run)
    except Exception:
        log.exception("health: dry run %s stopped", dry_run_id)
        _end(dry_run, DryRunState.FAILED, message="Our mistake; it has been noted. Nothing was changed.")
        return
    _end(dry_run, DryRunState.DONE, result=result, rows=rows)


def _walked(dry_run: DryRun) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    candidate = None
    if dry_run.trigger is not None:
        candidate = TriggerVersion(trigger=dry_run.trigger, number=0, definition=dry_run.definition)
    rehearsal = Rehearsal(would_be_on(newest_versions(), candidate), at=dry_run.start_at)
    for done in rehearsal.run(dry_run.days):
        DryRun.objects.filter(pk=dry_run.pk).update(day=done, touched_at=timezone.now())
    report = rehearsal.report
    versions = rehearsal.triggers.versions
    result = {
        "accounts": report.accounts,
        "fired": report.fired,
        "shown": len(report.rows),
        "names": {version.trigger.key: version.definition["name"] for version in versions},
        "by_trigger": {version.trigger.key: dict(report.by_trigger[version.trigger.key]) for version in versions},
        "by_owner": dict(report.by_owner),
        "by_day": [report.by_day[day] for day in range(dry_run.days)],
        "held": {key: dict(counts) for key, counts in report.held.items() if counts},
    }
    return result, report.rows


def _end(dry_run: DryRun, state: str, **values: Any) -> None:
    now = timezone.now()
    ended = DryRun.objects.filter(pk=dry_run.pk, state=DryRunState.RUNNING)
    ended.update(state=state, finished_at=now, touched_at=now, **values)
