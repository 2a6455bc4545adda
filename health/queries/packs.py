"""Scheduled board packs: who may get one, when one is due, and what a person may read of those that were sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from accounts.choices import Role
from accounts.middleware import zone_of
from accounts.models import User, Workspace
from accounts.policy import CAPABILITIES, may
from health.book.cadence import Cadence, IsWorked, last_day, moment_of, next_day
from health.choices import PackStop
from health.models import PackSchedule, PackSending
from playbooks.due import working_calendar

if TYPE_CHECKING:
    from uuid import UUID

# What could not be sent within two days is left out: the next one says more.
LATEST = timedelta(days=2)
LOG_LENGTH = 100


def readers(workspace: Workspace) -> QuerySet[User]:
    """Who may get board packs: active colleagues who see the portfolio, and all of it."""
    roles = CAPABILITIES["portfolio.view"].roles
    # SECURITY: a pack holds every account; whoever is confined to their own book gets none.
    roles = roles if workspace.csm_reads_all_accounts else roles - {Role.CSM}
    return User.objects.active().filter(role__in=roles).order_by("name", "email", "pk")


def why_not(person: User, workspace: Workspace) -> str:
    """Why ``person`` may not get a board pack, as the end of a sentence about them; empty where they may."""
    if not person.is_active:
        return "was deactivated"
    if not may(person, "portfolio.view"):
        return "does not see the portfolio"
    if person.role == Role.CSM and not workspace.csm_reads_all_accounts:
        return "sees their own book only, and a board pack holds every account"
    return ""


def why_withheld(person: User) -> str:
    """Why mail with a pack does not go out to ``person`` after all, as a sentence; empty where it does. Two queries.

    ``settings.MAIL_WITHHELD``: mail waits through quiet hours, and for days where the server does not answer.
    """
    fresh = User.objects.get(pk=person.pk)
    why = why_not(fresh, Workspace.objects.get())
    return f"Whom it is for may not have it any more: {fresh} {why}." if why else ""


def why_stopped(schedule: PackSchedule) -> PackStop | None:
    """What keeps ``schedule`` from being sent at all, if anything. No query where owner and view were read with it."""
    owner = schedule.owner
    if not owner.is_active:
        return PackStop.OWNER_LEFT
    if not may(owner, "portfolio.packs"):
        return PackStop.OWNER_ROLE
    return None if schedule.view is not None and schedule.view.is_open_to(owner) else PackStop.VIEW_GONE


def worked_days(workspace: Workspace) -> IsWorked:
    """Which days the workspace works. One query."""
    is_worked: Callable[[date], bool] = working_calendar(workspace.timezone).rules.is_business_day
    return is_worked


def schedules_of(workspace: Workspace, rows: QuerySet[PackSchedule]) -> list[PackSchedule]:
    """``rows`` with their owners, who know the workspace's settings. One query."""
    found = list(rows.select_related("owner"))
    for schedule in found:
        schedule.owner.workspace_settings = workspace
    return found


def cadence_of(schedule: PackSchedule) -> Cadence:
    return Cadence(schedule.every, schedule.weekday, schedule.day, schedule.hour)


def due_day(schedule: PackSchedule, at: datetime, is_worked: IsWorked) -> date | None:
    """The day whose pack is due at ``at``: the last one, unless the schedule did not count yet or it is too late."""
    zone = zone_of(schedule.owner)
    day = last_day(cadence_of(schedule), at, zone, is_worked)
    moment = moment_of(day, schedule.hour, zone)
    return day if moment >= schedule.counts_from_at and moment > at - LATEST else None


def next_moment(schedule: PackSchedule, at: datetime, is_worked: IsWorked) -> datetime:
    """When it is sent next, in the owner's zone."""
    zone = zone_of(schedule.owner)
    return moment_of(next_day(cadence_of(schedule), at, zone, is_worked), schedule.hour, zone).astimezone(zone)


def sent_slots(schedules: Iterable[PackSchedule], slots: Iterable[str]) -> set[tuple[UUID, str]]:
    """Which of ``slots`` have a sending already, by schedule. One query."""
    rows = PackSending.objects.filter(schedule__in=list(schedules), slot__in=list(slots))
    return set(rows.values_list("schedule", "slot"))


def sendings_for(user: User) -> QuerySet[PackSending]:
    """The sendings ``user`` may read: makers of board packs all of them, others those they got and still may get."""
    rows = PackSending.objects.select_related("maker", "document").defer("document__data")
    if may(user, "portfolio.packs"):
        return rows
    return rows.filter(readers=user) if not why_not(user, user.workspace_settings) else rows.none()


def log_of(schedule: PackSchedule) -> list[PackSending]:
    """The newest hundred sendings of ``schedule``. Two queries."""
    rows = schedule.sendings.select_related("maker").prefetch_related("readers")
    return list(rows.defer("data_digest")[:LOG_LENGTH])
