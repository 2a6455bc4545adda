"""The life of an incident: opened, moved along its stages, resolved, closed, opened again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import plain
from accounts.errors import RuleViolated
from accounts.models import Account, Severity, WorkCalendar
from engagement.actions import notify
from engagement.choices import Kind
from support import lifecycle
from support.actions.configuring import MOST_MINUTES
from support.actions.incident_log import (
    add_entry,
    audit_incident,
    follow_clocks,
    locked_incident,
    next_number,
    present_accounts,
    snapshot_incident,
    store_incident,
    tell_accounts,
    worked_incident,
)
from support.actions.incident_scope import add_accounts, link_ticket
from support.actions.log import choice, one_line, settings_row, written
from support.actions.tickets import priority_of
from support.choices import EntryKind, Impact, IncidentStatus, Origin
from support.models import Incident, IncidentProcess, Ticket
from support.queries.incident_clocks import cadence_for
from support.queries.promises import Desk

if TYPE_CHECKING:
    from accounts.models import User

# What ``update_incident`` changes; everything else has its own verb.
EDITABLE = frozenset(
    "title summary component severity impact commander update_minutes calendar review_required".split()
)


def install_incident_stages(stages: Sequence[Mapping[str, Any]], *, pack: str) -> None:
    """Take a pack's stages of an incident. Incidents that run keep those they began with."""
    IncidentProcess.objects.update_or_create(pack=pack, defaults={"stages": [dict(each) for each in stages]})


def install_incident_letters(communications: Sequence[Mapping[str, Any]], *, pack: str) -> None:
    """Take a pack's letters about incidents out of all its communications."""
    letters = [
        {"key": each["key"], "name": each["name"], "fields": list(each["fields"])}
        for each in communications
        if each.get("group") == "incident"
    ]
    IncidentProcess.objects.update_or_create(pack=pack, defaults={"letters": letters})


def process_for(severity: Severity | None) -> tuple[list[Any], list[Any]]:
    """(stages, letters) of a new incident: of the severity's pack, else of the first that has some, else our own."""
    rows = list(IncidentProcess.objects.order_by("pack"))
    own = severity.pack if severity else ""
    rows.sort(key=lambda row: row.pack != own)
    stages = next((row.stages for row in rows if row.stages), list(lifecycle.OWN_STAGES))
    letters = next((row.letters for row in rows if row.letters), list(lifecycle.OWN_LETTERS))
    return stages, letters


@transaction.atomic
def open_incident(
    *, title: str, severity: Severity | None, impact: int, summary: str = "", component: str = "",
    commander: User | None = None, accounts: Iterable[Account] = (), origin: str = Origin.HAND,
    tickets: Iterable[Ticket] = (), detected_at: datetime | None = None, update_minutes: int | None = None,
    calendar: WorkCalendar | None = None, has_cadence: bool = False, actor: User | None, at: datetime,
) -> Incident:  # fmt: skip
    """Open an incident on ``accounts`` and those of ``tickets``, which are linked to it. Returns it, clocks running.

    Unless ``has_cadence``, customers are told as often as their service levels say, else as the workspace does for
    the severity. Raises RuleViolated; a workspace with severities needs one (FMEA-6.2).
    """
    began = detected_at or at
    _check_severity(severity)
    _check_commander(commander)
    if began > at:
        raise RuleViolated("future", "It is detected now or was detected before.", "detected_at")
    affected, linked = list(accounts), list(tickets)
    every = list({each.pk: each for each in [*affected, *(ticket.account for ticket in linked)]}.values())
    if not has_cadence:
        cadence = cadence_for(every, severity, settings_row(), Desk())
        update_minutes, calendar = cadence.minutes, cadence.calendar
    stages, letters = process_for(severity)
    incident = Incident(
        number=next_number(), title=one_line(title, "title", 200), summary=_long(summary, "summary"),
        component=one_line(component, "component", 80, required=False), severity=severity,
        impact=choice(impact, Impact, "impact"), priority=priority_of(severity, impact), stages=stages, letters=letters,
        stage=stages[0]["key"], commander=commander, update_minutes=_minutes(update_minutes), calendar=calendar,
        review_required=_is_worst(severity), detected_at=began, opened_at=at, opened_by=actor,
    )  # fmt: skip
    incident.save(force_insert=True)
    add_entry(incident, EntryKind.OPENED, incident.summary, actor=actor, at=at, data={"stage": incident.stage})
    if affected:
        add_accounts(incident, affected, origin=origin, actor=actor, at=at, follow=False)
    for ticket in linked:
        link_ticket(incident, ticket, actor=actor, at=at, follow=False)
    follow_clocks(incident, at=at)
    _tell_commander(incident, actor=actor, at=at)
    audit_incident("open", incident, actor=actor, at=at, after=snapshot_incident(incident) | {"accounts": len(every)})
    return incident


@transaction.atomic
def update_incident(
    incident: Incident, *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> Incident:
    """Change what it says, how bad it is, who leads it, how often customers are told. Raises RuleViolated."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise RuleViolated("unknown", f"Cannot be changed here: {', '.join(sorted(unknown))}.", min(unknown))
    incident = worked_incident(incident, expected_version)
    values = {name: _clean(name, value) for name, value in changes.items()}
    severity = values.get("severity", incident.severity)
    if "severity" in values:
        _check_severity(severity)
    if _is_worst(severity):
        values["review_required"] = True
    values = {name: value for name, value in values.items() if getattr(incident, name) != value}
    if not values:
        return incident
    before = {name: plain(getattr(incident, name)) for name in values}
    if {"severity", "impact"} & set(values):
        values["priority"] = priority_of(severity, values.get("impact", incident.impact))
    handed = "commander" in values and values["commander"] is not None
    store_incident(incident, **values)
    after = {name: plain(values[name]) for name in before}
    add_entry(incident, EntryKind.DETAILS, actor=actor, at=at, data={"before": before, "after": after})
    follow_clocks(incident, at=at)
    if "severity" in before:
        tell_accounts(incident, present_accounts(incident), "Severity changed", actor=actor, at=at, verb="severity")
    if handed:
        _tell_commander(incident, actor=actor, at=at)
    audit_incident("update", incident, actor=actor, at=at, before=before, after=after)
    return incident


@transaction.atomic
def move_incident(
    incident: Incident,
    stage: str,
    *,
    resolution: str = "",
    confirmed: bool = False,
    confirmation: str = "",
    reason: str = "",
    actor: User | None,
    at: datetime,
    expected_version: int | None = None,
) -> Incident:
    """Move along the stages to ``stage``: forward, each one on the way is entered and stamped (FMEA-6.1).

    The stage that resolves it needs the ``resolution``, the one of confirmation whether the customer ``confirmed`` or
    else why not (FMEA-6.5). Back needs a ``reason``, and opens a resolved incident again. Raises RuleViolated.
    """
    incident = worked_incident(incident, expected_version)
    here, there = (lifecycle.place_of(incident.stages, key) for key in (incident.stage, stage))
    if there < 0:
        raise RuleViolated("unknown", "The methodology has no such stage.", "stage")
    if there == here:
        raise RuleViolated("same", "It stands at this stage already.", "stage")
    before = snapshot_incident(incident)
    if there < here:
        _back(incident, stage, one_line(reason, "reason", 300), actor=actor, at=at)
    else:
        for each in lifecycle.way(incident.stages, incident.stage, stage):
            meaning = lifecycle.meaning_of(each["key"])
            if meaning == lifecycle.RESOLVE and incident.status == IncidentStatus.OPEN:
                _resolve(incident, resolution or incident.resolution, actor=actor, at=at)
            elif meaning in {lifecycle.CONFIRM, lifecycle.REVIEW} and incident.status == IncidentStatus.OPEN:
                raise RuleViolated("unresolved", "Resolve it first.", "stage")
            if meaning == lifecycle.CONFIRM:
                _confirm(incident, confirmed, confirmation)
            _enter(incident, each["key"], reason, actor=actor, at=at)
    follow_clocks(incident, at=at)
    after = snapshot_incident(incident) | {"reason": reason}
    audit_incident("stage", incident, actor=actor, at=at, before=before, after=after)
    return incident


@transaction.atomic
def post_incident_update(
    incident: Incident, body: str, *, actor: User | None, at: datetime, expected_version: int | None = None
) -> Incident:
    """Say how it stands: the next word is promised from now on."""
    incident = worked_incident(incident, expected_version)
    add_entry(incident, EntryKind.UPDATE, written(body, limit=20_000), actor=actor, at=at)
    store_incident(incident, last_update_at=at)
    follow_clocks(incident, at=at)
    audit_incident("update_posted", incident, actor=actor, at=at, after={"body": body[:500]})
    return incident


@transaction.atomic
def note_incident(
    incident: Incident, body: str, *, happened_at: datetime | None = None, actor: User | None, at: datetime,
    expected_version: int | None = None,
) -> Incident:  # fmt: skip
    """Add an internal line to the timeline, of now or of a moment before. No customer is told and no clock hears it."""
    incident = worked_incident(incident, expected_version)
    if happened_at is not None and happened_at > at:
        raise RuleViolated("future", "The timeline holds what has happened; this lies ahead.", "happened_at")
    add_entry(incident, EntryKind.NOTE, written(body, limit=20_000), actor=actor, at=at, happened_at=happened_at)
    store_incident(incident)
    audit_incident("note", incident, actor=actor, at=at, after={"body": body[:500]})
    return incident


@transaction.atomic
def close_incident(
    incident: Incident,
    *,
    confirmed: bool = False,
    confirmation: str = "",
    actor: User | None,
    at: datetime,
    expected_version: int | None = None,
) -> Incident:
    """Close one that is resolved. Asks whether customers agreed, if no stage did; one that needs a review has it
    published first (FMEA-6.5). Raises RuleViolated.
    """
    incident = worked_incident(incident, expected_version)
    if incident.status != IncidentStatus.RESOLVED:
        raise RuleViolated("unresolved", "Resolve it first.", "status")
    review = getattr(incident, "review", None)
    if incident.review_required and (review is None or review.published_at is None):
        raise RuleViolated("review", "It is not closed without a published review.", "status")
    before = snapshot_incident(incident)
    if incident.confirmed_by_customer is None:
        _confirm(incident, confirmed, confirmation)
    store_incident(incident, status=IncidentStatus.CLOSED, closed_at=at)
    add_entry(incident, EntryKind.CLOSED, incident.confirmation, actor=actor, at=at)
    follow_clocks(incident, at=at)
    audit_incident("close", incident, actor=actor, at=at, before=before, after=snapshot_incident(incident))
    return incident


@transaction.atomic
def reopen_incident(
    incident: Incident, *, reason: str, actor: User | None, at: datetime, expected_version: int | None = None
) -> Incident:
    """Work a resolved or closed incident again: back to the stage before it was resolved."""
    incident = locked_incident(incident, expected_version)
    if incident.status == IncidentStatus.OPEN:
        raise RuleViolated("open", "It is being worked.", "status")
    before = snapshot_incident(incident)
    place = lifecycle.place_of(incident.stages, lifecycle.first_meaning(incident.stages, lifecycle.RESOLVE))
    stage = incident.stages[max(place - 1, 0)]["key"]
    _back(incident, stage, one_line(reason, "reason", 300), actor=actor, at=at)
    follow_clocks(incident, at=at)
    audit_incident("reopen", incident, actor=actor, at=at, before=before, after=snapshot_incident(incident))
    return incident


def _resolve(incident: Incident, resolution: str, *, actor: User | None, at: datetime) -> None:
    words = _long(resolution, "resolution")
    if not words:
        raise RuleViolated("required", "Say how it was resolved.", "resolution")
    store_incident(incident, resolution=words, status=IncidentStatus.RESOLVED, resolved_at=at)
    add_entry(incident, EntryKind.RESOLVED, words, actor=actor, at=at)
    tell_accounts(
        incident, present_accounts(incident), "Incident resolved", actor=actor, at=at, body=words, verb="resolved"
    )


def _confirm(incident: Incident, confirmed: bool, confirmation: str) -> None:
    """Note that customers agreed, or why nobody was waited for."""
    if not confirmed and not confirmation.strip():
        raise RuleViolated("required", "Did customers agree that it works? If not, say why you go on.", "confirmation")
    words = one_line(confirmation, "confirmation", 300, required=False)
    store_incident(incident, confirmed_by_customer=confirmed, confirmation=words)


def _enter(incident: Incident, stage: str, reason: str, *, actor: User | None, at: datetime) -> None:
    title = lifecycle.stage_of(incident.stages, stage)["title"]
    before = incident.stage
    store_incident(incident, stage=stage)
    data = {"from": before, "to": stage, "title": title}
    add_entry(incident, EntryKind.STAGE, reason.strip()[:300], actor=actor, at=at, data=data)


def _back(incident: Incident, stage: str, reason: str, *, actor: User | None, at: datetime) -> None:
    _enter(incident, stage, reason, actor=actor, at=at)
    resolved = lifecycle.place_of(incident.stages, lifecycle.first_meaning(incident.stages, lifecycle.RESOLVE))
    if incident.status == IncidentStatus.OPEN or lifecycle.place_of(incident.stages, stage) >= resolved >= 0:
        return
    values = {"resolved_at": None, "closed_at": None, "confirmed_by_customer": None, "confirmation": ""}
    store_incident(incident, status=IncidentStatus.OPEN, **values)
    add_entry(incident, EntryKind.REOPENED, reason, actor=actor, at=at)
    tell_accounts(
        incident, present_accounts(incident), "Incident opened again", actor=actor, at=at, body=reason, verb="reopened"
    )


def _tell_commander(incident: Incident, *, actor: User | None, at: datetime) -> None:
    if incident.commander is not None and incident.commander != actor:
        notify(
            [incident.commander], kind=Kind.ESCALATION, title=f"You lead {incident}"[:200], body=incident.summary,
            url=f"/incidents/{incident.pk}/", at=at,
            dedupe_key=f"incident:{incident.pk}:{incident.commander.pk}:{incident.version}",
        )  # fmt: skip


def _check_severity(severity: Severity | None) -> None:
    """A workspace with severities needs one (FMEA-6.2)."""
    if severity is None and Severity.objects.exists():
        raise RuleViolated("required", "Say how bad it is.", "severity")


def _is_worst(severity: Severity | None) -> bool:
    """Whether an incident this bad is always reviewed (FMEA-6.5)."""
    return severity is not None and severity.rank == 1


def _check_commander(commander: User | None) -> None:
    if commander is not None and (not commander.is_active or getattr(commander, "is_portal", False)):
        raise RuleViolated("commander", "That person cannot lead an incident.", "commander")


def _clean(name: str, value: Any) -> Any:
    """``value`` as the incident keeps it. Raises RuleViolated."""
    if name == "title":
        return one_line(value, name, 200)
    if name == "summary":
        return _long(value or "", name)
    if name == "component":
        return one_line(value or "", name, 80, required=False)
    if name == "impact":
        return choice(value, Impact, name)
    if name == "update_minutes":
        return _minutes(value)
    if name == "commander":
        _check_commander(value)
    return value


def _minutes(value: int | None) -> int | None:
    if value in {None, 0}:
        return None
    if not isinstance(value, int) or not 1 <= value <= MOST_MINUTES:
        raise RuleViolated("range", f"Give 1 to {MOST_MINUTES:,} minutes.", "update_minutes")
    return value


def _long(value: str, field: str) -> str:
    value = str(value).replace("\x00", "").strip()
    if len(value) > 20_000:
        raise RuleViolated("too_long", "At most 20,000 characters.", field)
    return value
