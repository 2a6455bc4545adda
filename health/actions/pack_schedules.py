"""Scheduling board packs: who gets which view of the portfolio, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from accounts.actions.locking import locked
from accounts.audit import record
from accounts.choices import ListPage
from accounts.errors import RuleViolated
from accounts.models import SavedView, Workspace
from accounts.policy import may
from health.actions.packs import Draw, order_slot
from health.choices import PackEvery, SendingState
from health.models import PackSchedule
from health.models.packs import ASKED
from health.queries.packs import why_not, why_stopped

if TYPE_CHECKING:
    from accounts.models import User

MOST_SCHEDULES = 20
MOST_RECIPIENTS = 50


class When(NamedTuple):
    """How often, on which day (of the week from 0, of the month from 1) and at which full hour of the owner's clock."""

    every: str
    hour: int
    weekday: int | None = None
    day: int | None = None


@transaction.atomic
def schedule_pack(
    view: SavedView, *, when: When, recipients: Sequence[User], actor: User, at: datetime
) -> PackSchedule:
    """Have ``view`` sent to ``recipients`` as a board pack, as ``actor`` sees it. Returns the schedule.

    Raises RuleViolated naming the field: a view of another list or not the actor's to see, a day that does not fit,
    nobody to send it to, somebody who may not have it (all of them are named), more than 20 of the actor's.
    """
    _check_view(view, actor)
    kept = _checked(when)
    _check_recipients(recipients)
    if PackSchedule.objects.filter(owner=actor).count() >= MOST_SCHEDULES:
        raise RuleViolated("pack.too_many", f"At most {MOST_SCHEDULES} schedules each. Delete one first.", "view")
    schedule = PackSchedule.objects.create(
        view=view, name=view.name, owner=actor, counts_from_at=at, created_at=at, **kept
    )
    schedule.recipients.set(recipients)
    record("pack_schedule.created", schedule, actor=actor, at=at, after=_plain(schedule, recipients))
    return schedule


@transaction.atomic
def change_schedule(
    schedule: PackSchedule,
    *,
    when: When,
    recipients: Sequence[User],
    actor: User,
    at: datetime,
    expected_version: int | None = None,
) -> PackSchedule:
    """Another time or other recipients; times before ``at`` are not made up for. Returns the schedule.

    Raises RuleViolated as ``schedule_pack`` does and where it was deleted, StaleVersion when somebody was faster.
    """
    schedule = _there(schedule, expected_version=expected_version)
    kept = _checked(when)
    _check_recipients(recipients)
    before = _plain(schedule, list(schedule.recipients.all()))
    for name, value in kept.items():
        setattr(schedule, name, value)
    after = _plain(schedule, recipients)
    if before == after:
        return schedule
    if any(before[name] != after[name] for name in kept):
        schedule.counts_from_at = at
    schedule.version += 1
    schedule.save()
    schedule.recipients.set(recipients)
    changed = [name for name in after if before[name] != after[name]]
    record(
        "pack_schedule.changed",
        schedule,
        actor=actor,
        at=at,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return schedule


@transaction.atomic
def pause_schedule(schedule: PackSchedule, *, actor: User, at: datetime) -> bool:
    """Send nothing until it is resumed; False when it rested or was stopped already."""
    changed = PackSchedule.objects.running().filter(pk=schedule.pk).update(paused_at=at)
    if changed:
        record("pack_schedule.paused", schedule, actor=actor, at=at)
    return bool(changed)


@transaction.atomic
def resume_schedule(schedule: PackSchedule, *, actor: User, at: datetime) -> bool:
    """Send it again from now on; what fell into the pause is not made up for. False when it did not rest."""
    resting = PackSchedule.objects.filter(pk=schedule.pk, stopped_at=None).exclude(paused_at=None)
    changed = resting.update(paused_at=None, counts_from_at=at)
    if changed:
        record("pack_schedule.resumed", schedule, actor=actor, at=at)
    return bool(changed)


@transaction.atomic
def delete_schedule(schedule: PackSchedule, *, actor: User, at: datetime) -> None:
    """Delete it; what was sent stays in the log. Nothing happens where somebody deleted it before."""
    there = PackSchedule.objects.select_for_update(of=("self",)).filter(pk=schedule.pk).first()
    if there is None:
        return
    before = _plain(there, list(there.recipients.all()))
    record("pack_schedule.deleted", there, actor=actor, at=at, before=before)
    there.delete()


@transaction.atomic
def send_now(schedule: PackSchedule, *, draw: Draw, actor: User, at: datetime) -> None:
    """Make a pack of it and send it as soon as it is written, whether it rests or not.

    Raises RuleViolated when it was stopped or deleted, or while one is being made: pressed twice, it is sent once.
    """
    # RACE: two who press at once; the second waits here and finds the first's sending.
    fresh = _there(schedule)
    why = (fresh.stopped_why and fresh.get_stopped_why_display()) or (
        found.label if (found := why_stopped(fresh)) else ""
    )
    if why:
        raise RuleViolated("pack.stopped", f"{why}. It is sent no more.")
    if fresh.sendings.filter(state=SendingState.MAKING).exists():
        raise RuleViolated("pack.making", "One is being written; it is sent as soon as it is ready.")
    order_slot(fresh, f"{ASKED}{at.isoformat(timespec='microseconds')}", draw=draw, at=at)
    record("pack_schedule.sent_now", fresh, actor=actor, at=at)


def _there(schedule: PackSchedule, *, expected_version: int | None = None) -> PackSchedule:
    try:
        return locked(schedule, expected_version=expected_version)
    except PackSchedule.DoesNotExist:
        raise RuleViolated("pack.deleted", "The schedule was deleted.") from None


def _check_view(view: SavedView, actor: User) -> None:
    seen = SavedView.objects.visible_to(actor).filter(pk=view.pk, page=ListPage.PORTFOLIO)
    if not may(actor, "portfolio.packs") or not seen.exists():
        raise RuleViolated("pack.view", "Choose a view of the portfolio that you see.", "view")


def _checked(when: When) -> dict[str, Any]:
    """The columns of a time; a day that its kind does not ask for is dropped."""
    if when.every not in PackEvery.values:
        raise RuleViolated("choice", f"One of {', '.join(PackEvery.values)}.", "every")
    if not 0 <= when.hour <= 23:
        raise RuleViolated("range", "Between 0 and 23.", "hour")
    weekday = when.weekday if when.every == PackEvery.WEEK else None
    day = when.day if when.every == PackEvery.MONTH else None
    if when.every == PackEvery.WEEK and (weekday is None or not 0 <= weekday <= 6):
        raise RuleViolated("pack.weekday", "Every week needs a day of the week.", "weekday")
    if when.every == PackEvery.MONTH and (day is None or not 1 <= day <= 28):
        raise RuleViolated("pack.day", "Every month needs a day between 1 and 28, which every month has.", "day")
    return {"every": when.every, "weekday": weekday, "day": day, "hour": when.hour}


def _check_recipients(recipients: Sequence[User]) -> None:
    """SECURITY: a pack holds every account; who may not see them all is refused here, and again at every sending."""
    if not recipients:
        raise RuleViolated("required", "Choose at least one person.", "recipients")
    if len(recipients) > MOST_RECIPIENTS:
        raise RuleViolated("pack.recipients", f"At most {MOST_RECIPIENTS} people.", "recipients")
    workspace = Workspace.objects.get()
    refused = [f"{person} {why}." for person in recipients if (why := why_not(person, workspace))]
    if refused:
        raise RuleViolated("pack.recipient", " ".join(refused), "recipients")


def _plain(schedule: PackSchedule, recipients: Sequence[User]) -> dict[str, Any]:
    """What the audit log says of it."""
    names = ("every", "weekday", "day", "hour")
    to = sorted(person.email for person in recipients)
    return {"view": schedule.name, **{name: getattr(schedule, name) for name in names}, "to": to}
