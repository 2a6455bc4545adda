"""Celery's doors to the desk's clocks; the beat schedule is in config/celery.py."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from support import actions, mailbox
from tenants.locks import job_lock
from tenants.tasks import TenantTask


@shared_task(
    base=TenantTask,
    name="support.sweep",
    waiting="select least((select min(next_alert_at) from {schema}.support_slaclock where next_alert_at <= now()),"
    " (select min(sent_at) from {schema}.support_slaalert where told_at is null))",
)
def sweep() -> dict[str, int]:
    """Warn, tell of breaches and escalate what is due. Two at once do nothing twice."""
    done = actions.sweep(at=timezone.now())
    return {"clocks": done.clocks, "told": done.told, "escalated": done.escalated}


@shared_task(base=TenantTask, name="support.follow_calendars")
def follow_calendars() -> dict[str, Any]:
    """Recompute open deadlines where calendars, holidays or service levels changed."""
    with job_lock("support.deadlines") as held:
        if not held:
            return {"skipped": "another worker recomputes"}
        run = actions.recompute_where_calendars_changed(at=timezone.now())
    return {"tickets": run.done, "moved": run.changed} if run else {"skipped": "nothing changed"}


@shared_task(base=TenantTask, name="support.close_quiet")
def close_quiet() -> int:
    """Close resolved tickets nobody objected to; how many."""
    return actions.close_quiet(at=timezone.now())


@shared_task(base=TenantTask, name="support.open_checklists")
def open_checklists() -> int:
    """Open the reviews of a month that is over; how many. Two at once open each once."""
    return actions.open_monthly(at=timezone.now())


@shared_task(
    base=TenantTask,
    name="support.work_mail",
    waiting="select least((select min(not_before) from {schema}.support_incomingmail"
    " where state = 'waiting' and not_before <= now()),"
    " (select min(created_at) from {schema}.support_message where delivery = 'pending'))",
)
def work_mail() -> dict[str, Any]:
    """Work mail that arrived, and note which answers left."""
    now = timezone.now()
    return {"arrived": actions.work_due(at=now), "left": actions.follow_mail(at=now)}


@shared_task(base=TenantTask, name="support.ask_for_ratings")
def ask_for_ratings() -> int:
    """Ask customers about what was resolved; how many."""
    return actions.ask_for_ratings(at=timezone.now())


@shared_task(base=TenantTask, name="support.fetch_mail", scope="public")
def fetch_mail() -> dict[str, Any]:
    """Fetch the installation's mailbox, if it has one, into the workspaces its mail is for."""
    if not settings.MAILBOX:
        return {"skipped": "no mailbox is set"}
    with job_lock("support.mailbox") as held:
        if not held:
            return {"skipped": "another worker fetches"}
        done = mailbox.fetch(settings.MAILBOX, at=timezone.now())
    return {"stored": done.stored, "left": done.left}


@shared_task(
    base=TenantTask,
    name="support.wake_snoozed",
    waiting="select min(snoozed_until) from {schema}.support_ticket where snoozed_until <= now()",
)
def wake_snoozed() -> int:
    """Bring back tickets whose moment has come; how many."""
    return actions.wake_snoozed(at=timezone.now())


@shared_task(base=TenantTask, name="support.tell_unescalated")
def tell_unescalated() -> int:
    """Tell of tickets a methodology would have escalated by now; how many."""
    return actions.tell_unescalated(at=timezone.now())


@shared_task(base=TenantTask, name="support.follow_silence")
def follow_silence() -> dict[str, int]:
    """Remind customers who were asked and say nothing; solve what stayed silent."""
    reminded, solved = actions.follow_silence(at=timezone.now())
    return {"reminded": reminded, "solved": solved}
