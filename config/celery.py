"""The queue: every task knows its workspace, and beat rings each sweep in all of them."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from tenant_schemas_celery.app import CeleryApp


class TenureCelery(CeleryApp):
    """Celery with the task base of ``tenants.tasks``."""

    task_cls = "tenants.tasks:TenantTask"


app = TenureCelery("tenure")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def every(seconds: float, task: str) -> dict[str, Any]:
    """Ring ``task`` in every workspace each ``seconds``; a message nobody took by the next ring lapses."""
    return {
        "task": "tenants.dispatch",
        "schedule": seconds,
        "args": (task, seconds),
        "options": {"expires": seconds},
    }


# Each sweep is correct alone and safe to run twice; a nudge from a request only makes it sooner.
app.conf.beat_schedule = {
    "usage-drain": every(5, "usage.drain"),
    "usage-window": every(6 * 3600, "usage.keep_within_window"),
    "health-sweep": every(20, "health.sweep"),
    "health-nightly": every(900, "health.nightly"),
    "sla-sweep": every(15, "support.sweep"),
    "sla-calendars": every(30, "support.follow_calendars"),
    "tickets-wake": every(60, "support.wake_snoozed"),
    "tickets-silent": every(3600, "support.follow_silence"),
    "tickets-unescalated": every(300, "support.tell_unescalated"),
    "tickets-close": every(3600, "support.close_quiet"),
    "checklists": every(3600, "support.open_checklists"),
    "mail": every(10, "support.work_mail"),
    "ratings": every(300, "support.ask_for_ratings"),
    "backtests": every(60, "health.resume_backtests"),
    "ctas-wake": every(300, "playbooks.wake_snoozed"),
    "imports": every(60, "imports.resume_lost"),
    "contracts": every(3600, "accounts.refresh_due"),
    "deleted-files": every(3600, "accounts.purge_files"),
    "sign-in-tries": every(6 * 3600, "accounts.forget_sign_ins"),
    "idempotency-keys": every(3600, "api.forget_keys"),
    "documents": every(120, "documents.resume_lost"),
    "weekly-digest": every(900, "health.digest"),
    "board-packs": every(60, "health.packs"),
    "outbox": every(10, "engagement.deliver"),
    "quota-warnings": every(300, "engagement.warn_of_quotas"),
    "webhooks": every(5, "webhooks.deliver"),
    "old-webhooks": every(6 * 3600, "webhooks.forget_old"),
    "task-reminders": every(900, "engagement.remind"),
    "mailbox": {"task": "support.fetch_mail", "schedule": 60.0, "options": {"expires": 60}},
    "heartbeat": {"task": "tenants.heartbeat", "schedule": 10.0, "options": {"expires": 10}},
}
