"""Lives through the 18 months: scores as of each past day, the CTAs they opened, and what the team did about them.

Alerts begin five weeks ago, when the company took the product into use; the scores before are brought in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from demo.companies import Company, monday
from demo.renewals import call_renewals
from demo.story import WEEKS
from demo.workspaces import Demo
from health.actions.opening import open_ctas
from health.actions.recompute import backfill, recompute
from playbooks.actions.ctas import close_cta, snooze_cta
from playbooks.actions.tasks import complete_task
from playbooks.models import Cta

WEEKLY_FOR = 26
ALERTS_FOR = timedelta(weeks=5)
ANSWERED_AFTER = timedelta(days=18)
OUTCOMES = (("resolved", 0.62), ("unresolved", 0.14), ("no_action", 0.24))


def moments(today: date, now: datetime) -> Iterator[datetime]:
    """Every four weeks at first, every week lately, and now."""
    for week in range(6, WEEKS):
        if (WEEKS - week) <= WEEKLY_FOR or week % 4 == 0:
            at = datetime.combine(monday(today) + timedelta(weeks=week), time(12), tzinfo=UTC)
            if at < now:
                yield at
    yield now


def replay(demo: Demo, customers: list[Company], *, now: datetime) -> None:
    """Score the workspace as of each moment and let the team answer CTAs after some weeks."""
    rng, calls = (np.random.default_rng((demo.seed, stream)) for stream in (5, 11))
    for at in moments(now.date(), now):
        if at < now - ALERTS_FOR:
            backfill(at=at)
            continue
        recompute(at=at)
        open_ctas(at=at)
        call_renewals(calls, at=at)
        _work(rng, at, now)


def _work(rng: np.random.Generator, at: datetime, now: datetime) -> None:
    """Most CTAs are answered within weeks; a few wait, and some are put off."""
    overdue = Cta.objects.filter(status="open", opened_at__lt=at - ANSWERED_AFTER).order_by("opened_at", "pk")
    for cta in overdue.select_related("account", "owner"):
        chance = rng.random()
        recent = at > now - timedelta(days=20)
        if chance < (0.5 if recent else 0.9):
            if recent:
                for task in cta.tasks.filter(completed_at=None):
                    complete_task(task, actor=cta.owner, at=at)
            outcome = str(rng.choice([name for name, _ in OUTCOMES], p=[share for _, share in OUTCOMES]))
            close_cta(cta, outcome=outcome, note="", actor=cta.owner, at=at)
        elif recent and chance > 0.93:
            snooze_cta(
                cta,
                until_on=(now + timedelta(days=int(rng.integers(4, 20)))).date(),
                reason="Waiting for the customer's answer",
                actor=cta.owner,
                at=at,
            )
