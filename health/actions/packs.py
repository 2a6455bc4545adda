"""Board packs: ordered with their data, also regularly, and sent to those who may have them.

A sending is written with the document it orders, and marked sent with the mail it puts into the outbox. A worker that
dies before either has done nothing, after it everything: however often the sweep runs, a slot is made and sent once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.middleware import zone_of
from accounts.models import Workspace
from documents.actions import order_document
from documents.choices import DocumentKind, DocumentState
from engagement.actions import notify
from engagement.choices import Kind
from health.book.scope import Scope
from health.choices import PackStop, SendingState
from health.models import PackSchedule, PackSending
from health.models.packs import ASKED
from health.queries.packs import due_day, schedules_of, sent_slots, why_not, why_stopped, worked_days
from ui import formats

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
KIND = DocumentKind.BOARD_PACK.value
TEMPLATE = "health/pdf/board_pack.html"
SCHEDULES = "/portfolio/board-packs/schedules/"
# Writes the data of a pack: of a scope, as a person sees it, made at a moment in the zone it is told in.
Draw = Callable[..., Mapping[str, Any]]


def order_pack(scope: Scope, *, draw: Draw, actor: User, at: datetime, name: str = "") -> Any:
    """Freeze the portfolio of ``scope`` as ``actor`` sees it, and have it written. Returns the document.

    Raises RuleViolated while five are being written.
    """
    title = f"Board pack of {formats.day(scope.on)}"
    return order_document(
        kind=KIND,
        title=f"{title}: {name}" if name else title,
        template=TEMPLATE,
        data=draw(actor, scope, at=at),
        parameters=scope.parameters(on=scope.on.isoformat(), since=scope.since.isoformat()),
        actor=actor,
        at=at,
    )


def stop_broken(*, at: datetime) -> int:
    """Stop schedules whose owner or view is gone, and say so; how many were. One query while all go on."""
    rows = PackSchedule.objects.filter(stopped_at=None).select_related("owner", "view")
    return sum(_stop(schedule, why, at) for schedule in rows if (why := why_stopped(schedule)))


def order_due(*, at: datetime, draw: Draw) -> int:
    """Order the packs that are due at ``at`` and were not ordered yet; how many were. Four queries while none is."""
    workspace = Workspace.objects.get()
    schedules = schedules_of(workspace, PackSchedule.objects.running())
    if not schedules:
        return 0
    is_worked = worked_days(workspace)
    days = {schedule: due_day(schedule, at, is_worked) for schedule in schedules}
    slots = {schedule: day.isoformat() for schedule, day in days.items() if day}
    done = sent_slots(slots, slots.values())
    ordered = 0
    for schedule, slot in slots.items():
        if (schedule.pk, slot) in done:
            continue
        try:
            ordered += order_slot(schedule, slot, draw=draw, at=at)
        except RuleViolated:
            log.info("board packs: %s waits until one of those being written is ready", schedule.pk)
        except Exception:
            # The others are still to be sent; this one is tried again until it is too late.
            log.exception("board packs: %s could not be ordered", schedule.pk)
    return ordered


@transaction.atomic
def order_slot(schedule: PackSchedule, slot: str, *, draw: Draw, at: datetime) -> bool:
    """Order the pack of one slot as of the owner's day; False where it or a later day's was ordered already, or the
    schedule ended meanwhile.

    Raises RuleViolated while five packs are being written.
    """
    # RACE: two workers find it due; the second waits here for the first's sending and sees it.
    rows = PackSchedule.objects.select_for_update(of=("self",)).select_related("owner", "view")
    fresh = rows.filter(pk=schedule.pk, stopped_at=None).first()
    if fresh is None or fresh.view is None:
        return False
    # The last business day of a month comes earlier when it is taken off: what was sent for the later one stands.
    later = Q(slot__gte=slot) & ~Q(slot__startswith=ASKED)
    if fresh.sendings.filter(Q(slot=slot) | later).exists():
        return False
    owner, view = fresh.owner, fresh.view
    # A day that the view was saved of would send the same pack for ever.
    today = at.astimezone(zone_of(owner)).date()
    scope = Scope.read(Scope.parse(view.query, today).parameters(on=""), today)
    told_in = ZoneInfo(owner.workspace_settings.timezone)
    document = order_pack(scope, draw=draw, actor=owner, at=at.astimezone(told_in), name=view.name)
    PackSending.objects.create(
        schedule=fresh,
        slot=slot,
        name=view.name,
        maker=owner,
        document=document,
        data_digest=document.data_digest,
        created_at=at,
    )
    if fresh.name != view.name:
        PackSchedule.objects.filter(pk=fresh.pk).update(name=view.name)
    return True


def send_written(*, at: datetime) -> int:
    """Send the packs whose files are ready, and tell of those that came to nothing; how many were sent."""
    keys = PackSending.objects.filter(state=SendingState.MAKING).order_by("created_at").values_list("pk", flat=True)
    return sum(_send(key, at) for key in list(keys))


@transaction.atomic
def _send(key: Any, at: datetime) -> bool:
    rows = PackSending.objects.select_for_update(of=("self",), skip_locked=True).filter(state=SendingState.MAKING)
    sending = rows.select_related("document", "schedule__owner").filter(pk=key).first()
    if sending is None or (sending.document and sending.document.is_unfinished):
        return False
    if why := _why_unsent(sending):
        _fail(sending, why, at)
        return False
    schedule, document = sending.schedule, sending.document
    assert schedule is not None
    assert document is not None
    workspace = Workspace.objects.get()
    reasons = {person: why_not(person, workspace) for person in schedule.recipients.order_by("name", "email", "pk")}
    people = [person for person, why in reasons.items() if not why]
    sending.left_out = [[str(person), why] for person, why in reasons.items() if why]
    if not people:
        _fail(sending, "Nobody is left who may get it.", at)
        _stop(schedule, PackStop.NOBODY, at)
        return False
    notify(
        people,
        kind=Kind.BOARD_PACK,
        title=f"Board pack: {sending.name}, {document.data['on_in_words']}",
        body=_body(document),
        url=f"/portfolio/board-packs/sent/{sending.pk}/",
        at=at,
        dedupe_key=sending.mail_key,
        files=[[file_name(document), "application/pdf", str(document.file.name)]],
    )
    sending.state, sending.ended_at, sending.file_digest = SendingState.SENT, at, document.file_digest
    sending.save()
    sending.readers.set(people)
    after = {"slot": sending.slot, "to": [person.email for person in people], "file_sha256": document.file_digest}
    record("pack_schedule.sent", schedule, actor=None, at=at, after=after)
    return True


def file_name(document: Any) -> str:
    """What the file of a pack is called."""
    return f"board-pack-{document.data['on']}.pdf"


def _why_unsent(sending: PackSending) -> str:
    schedule, document = sending.schedule, sending.document
    if schedule is None:
        return "The schedule was deleted before it was sent."
    if schedule.stopped_at:
        return f"Stopped before it was sent. {schedule.get_stopped_why_display()}."
    if document is None:
        return "The pack was removed before it was sent."
    return f"It could not be written. {document.message}" if document.state == DocumentState.FAILED else ""


def _fail(sending: PackSending, why: str, at: datetime) -> None:
    sending.state, sending.message, sending.ended_at = SendingState.FAILED, why[:300], at
    sending.save()
    if sending.maker is not None:
        notify(
            [sending.maker],
            kind=Kind.BOARD_PACK,
            title=f"Board pack not sent: {sending.name}",
            body=why,
            url=f"/portfolio/board-packs/sent/{sending.pk}/",
            at=at,
            dedupe_key=f"{sending.mail_key}:failed",
        )


@transaction.atomic
def _stop(schedule: PackSchedule, why: PackStop, at: datetime) -> bool:
    """Stop it for good and tell its owner, or the others who got it where the owner is gone; False if it was."""
    changed = PackSchedule.objects.filter(pk=schedule.pk, stopped_at=None).update(stopped_at=at, stopped_why=why)
    if not changed:
        return False
    told = [schedule.owner] if schedule.owner.is_active else list(schedule.recipients.all())
    notify(
        told,
        kind=Kind.BOARD_PACK,
        title=f"Board pack stopped: {schedule.name}",
        body=f"{why.label}. It is sent no more.",
        url=f"{SCHEDULES}{schedule.pk}/" if schedule.owner.is_active else "",
        at=at,
        dedupe_key=f"pack-stopped:{schedule.pk}",
    )
    record("pack_schedule.stopped", schedule, actor=None, at=at, after={"why": why.value})
    return True


def _body(document: Any) -> str:
    """What the mail says beside the file: the figures with their changes, and the digest to compare."""
    data = document.data
    figures = (
        f"• {figure['label']}: {figure['value']}{f' ({change})' if (change := figure['change']) else ''}"
        for figure in data["figures"]
    )
    compared = f"As of {data['on_in_words']}, compared with {data['since_in_words']}:"
    return "\n".join([compared, *figures, "", f"Digest of its data: {document.data_digest}"])
