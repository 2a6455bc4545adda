"""Sweeps over one workspace's health. Each is correct alone; a second run at the same time does nothing twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from engagement.actions import notify
from engagement.choices import Kind
from health.actions import activate_due, dry_runs, expire_overrides, open_ctas, recompute_changed, recompute_nightly
from health.actions.backtests import run
from health.actions.claiming import LOST_AFTER
from health.actions.digest import send_digests
from health.actions.packs import order_due, send_written, stop_broken
from health.actions.renewal_sweep import record_signals, settle_outcomes
from health.actions.reviews import start_due_reviews
from health.actions.triggers import forget_runs
from health.choices import BACKTEST_WORKING, DRY_RUN_WORKING
from health.models import Backtest, DryRun, HealthOverride
from health.pages.board_data import board_data
from tenants import bell
from tenants.locks import job_lock
from tenants.tasks import TenantTask


@shared_task(
    base=TenantTask, name="health.sweep", waiting="select min(changed_at) from {schema}.accounts_changedaccount"
)
def sweep() -> dict[str, Any]:
    """Score what changed, end overrides whose time is up, open the CTAs of crossings and triggers.

    Two locks: opening thousands of CTAs takes many seconds, in which other workers go on scoring.
    """
    bell.heard(sweep.name)
    now = timezone.now()
    with job_lock("health.score") as scores:
        done = _score(now) if scores else {}
    with job_lock("health.ctas") as opens:
        if opens:
            done["ctas"] = open_ctas(at=now).ctas
    if not (scores and opens):
        # The other may have looked already when what this one was asked for came in.
        bell.ring(sweep.name)
    return done


def _score(now: datetime) -> dict[str, Any]:
    ended = expire_overrides(at=now)
    for override in ended:
        _tell_author(override)
    result = recompute_changed(at=now)
    return {"accounts": result.accounts if result else 0, "overrides_ended": len(ended)}


@shared_task(base=TenantTask, name="health.nightly")
def nightly() -> dict[str, Any]:
    """Versions whose day has come; the day's full run, if it has not been; its CTAs; reviews; signals of renewals."""
    now = timezone.now()
    activate_due(at=now)
    result = recompute_nightly(at=now)
    if result is None:
        return {"skipped": "today has been run"}
    handled = open_ctas(at=now)
    start_due_reviews(at=now)
    record_signals(at=now)
    settle_outcomes(at=now)
    forget_runs(at=now)
    return {"accounts": result.accounts, "seconds": round(result.seconds, 3), "ctas": handled.ctas}


@shared_task(base=TenantTask, name="health.backtest")
def run_backtest(backtest_id: str) -> None:
    """Replay a scorecard version over history."""
    run(UUID(backtest_id))


@shared_task(base=TenantTask, name="health.dry_run")
def run_dry(dry_run_id: str) -> None:
    """Take the triggers through the days ahead."""
    dry_runs.run(UUID(dry_run_id))


@shared_task(base=TenantTask, name="health.resume_backtests")
def resume_backtests() -> int:
    """Take up backtests and dry runs that showed no sign of life for three minutes: worker or message was lost."""
    stuck = Backtest.objects.filter(state__in=BACKTEST_WORKING, touched_at__lt=timezone.now() - LOST_AFTER)
    keys = list(stuck.values_list("pk", flat=True))
    for key in keys:
        run_backtest.delay(str(key))
    lost = DryRun.objects.filter(state__in=DRY_RUN_WORKING, touched_at__lt=timezone.now() - LOST_AFTER)
    dry = list(lost.values_list("pk", flat=True))
    for key in dry:
        run_dry.delay(str(key))
    return len(keys) + len(dry)


@shared_task(base=TenantTask, name="health.digest")
def digest() -> int:
    """Send the week's digest to those who have not had it, from Monday morning on; how many were told."""
    return send_digests(at=timezone.now())


@shared_task(base=TenantTask, name="health.packs")
def packs() -> dict[str, int]:
    """Stop schedules that may not go on, order the board packs that are due, send those written."""
    now = timezone.now()
    return {
        "stopped": stop_broken(at=now),
        "ordered": order_due(at=now, draw=board_data),
        "sent": send_written(at=now),
    }


def _tell_author(override: HealthOverride) -> None:
    if override.author is None:
        return
    notify(
        [override.author],
        kind=Kind.OVERRIDE_EXPIRED,
        title=f"{override.account.name}: your health override ran out",
        body=f"{override.band_name}: {override.reason}",
        url=f"/accounts/{override.account_id}/",
        account=override.account,
        at=override.ended_at,
        dedupe_key=f"override-expired-{override.pk}",
    )
