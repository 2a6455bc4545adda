"""What tests of scheduled board packs share: the days, the worker's sweep, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from accounts.actions.people import deactivate_user
from accounts.choices import Role
from accounts.models import AuditEntry
from documents.actions import write_document
from documents.models import Document
from engagement.choices import Kind
from engagement.models import OutboxMessage
from health.actions.pack_schedules import When
from health.actions.packs import order_due, send_written, stop_broken
from health.pages.board_data import board_data
from tests.factories import UserFactory

MONDAY = datetime(2026, 11, 30, 8, tzinfo=UTC)
BEFORE = MONDAY - timedelta(days=3)
WEEKLY = When("week", 8, weekday=0)
WEEK, TICK = timedelta(days=7), timedelta(microseconds=1)


def sweep(at):
    """What the worker does each minute, the writing of documents included; (stopped, ordered, sent)."""
    done = stop_broken(at=at), order_due(at=at, draw=board_data)
    for document in Document.objects.unfinished():
        write_document(document.pk)
    return *done, send_written(at=at)


def mails(**match):
    return OutboxMessage.objects.filter(kind=Kind.BOARD_PACK, **match).order_by("to")


def leave(person, at):
    """``person`` is deactivated; somebody takes their accounts over."""
    boss = UserFactory(role=Role.OWNER)
    deactivate_user(person, actor=boss, at=at, reassign_to=boss)


def notes(action):
    return AuditEntry.objects.filter(action=f"pack_schedule.{action}")
