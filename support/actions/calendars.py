"""All open deadlines again, after a calendar, a holiday list or a service level was changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from support.actions.clocks import among, recompute, recompute_escalations, recompute_incidents
from support.actions.log import settings_row
from support.models import DeadlineRun, Escalation, Incident, SlaPolicyVersion, SupportSettings, Ticket
from support.queries.calendars import Calendars
from support.queries.promises import Desk

BATCH = 500
# Of a ticket, what its deadlines depend on and what lists repeat of them.
READ = ("timezone", "tier_key", "opened_by_staff", "next_due_at", "next_due_clock", "breached_at")


def recompute_where_calendars_changed(*, at: datetime) -> DeadlineRun | None:
    """Recompute open deadlines if what they count in is not what it was; the run, None when nothing changed.

    Calendars belong to another part of the product and are changed in many places, so this looks at what they
    say and not at who changed them. Five queries when nothing did.
    """
    settings = settings_row()
    digest = _digest(settings)
    if digest == settings.calendars_seen:
        return None
    first = not settings.calendars_seen
    run = None if first and not Ticket.objects.active().exists() else recompute_open("Service levels changed", at=at)
    SupportSettings.objects.filter(pk=settings.pk).update(calendars_seen=digest)
    return run


def recompute_open(reason: str, *, at: datetime) -> DeadlineRun:
    """Work out every deadline that is still open again, in batches that let others in between; shows how far it is.

    Verdicts already given stay, with the calendar they were given by.
    """
    keys = list(Ticket.objects.active().order_by("pk").values_list("pk", flat=True))
    escalations = list(Escalation.objects.open().order_by("pk").values_list("pk", flat=True))
    incidents = list(Incident.objects.unclosed().order_by("pk").values_list("pk", flat=True))
    total = len(keys) + len(escalations) + len(incidents)
    run = DeadlineRun.objects.create(reason=reason, started_at=at, total=total)
    desk, settings = Desk(), settings_row()
    for batch in _batches(keys):
        with transaction.atomic():
            rows = Ticket.objects.select_for_update(of=("self",)).filter(pk__in=among(batch)).order_by("pk").only(*READ)
            run.changed += recompute(list(rows), at=at, desk=desk, settings=settings).moved
        run.done += len(batch)
        run.save(update_fields=["done", "changed"])
    for batch in _batches(escalations):
        with transaction.atomic():
            found = Escalation.objects.select_for_update(of=("self",)).filter(pk__in=batch).order_by("pk")
            recompute_escalations(list(found.select_related("account__tier", "ladder")), at=at, desk=desk)
        run.done += len(batch)
    for batch in _batches(incidents):
        with transaction.atomic():
            broken = Incident.objects.select_for_update(of=("self",)).filter(pk__in=batch).order_by("pk")
            recompute_incidents(list(broken.select_related("severity", "calendar")), at=at, desk=desk)
        run.done += len(batch)
    run.finished_at = timezone.now()
    run.save(update_fields=["done", "finished_at"])
    return run


def _batches(keys: list[UUID]) -> Iterator[list[UUID]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _digest(settings: SupportSettings) -> str:
    """Changes when calendars, service levels or the rules of pausing do."""
    newest = SlaPolicyVersion.objects.aggregate(newest=Max("created_at"), number=Count("pk"))
    rules = [
        settings.pause_on_customer, settings.pause_on_vendor, settings.reopen_days, settings.warn_at,
        settings.review_within_days,
    ]  # fmt: skip
    text = f"{Calendars().digest()} {newest} {rules}"
    return hashlib.sha256(text.encode()).hexdigest()
