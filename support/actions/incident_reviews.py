"""The review after an incident: written by parts, published, with measures that are worked as CTAs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Account
from playbooks.actions import close_cta, create_cta
from playbooks.choices import CtaKind, CtaStatus, Outcome, Priority
from playbooks.due import DueDays
from support import lifecycle
from support.actions.incident_log import (
    add_entry,
    audit_incident,
    follow_clocks,
    locked_incident,
    store_incident,
    tell_accounts,
)
from support.actions.incident_log import present_accounts as accounts_of
from support.actions.log import one_line
from support.choices import EntryKind, IncidentStatus
from support.models import Incident, IncidentAction, IncidentReview

if TYPE_CHECKING:
    from accounts.models import User

MOST_ACTIONS = 200
MOST_TEXT = 20_000


@transaction.atomic
def save_review(
    incident: Incident,
    parts: Mapping[str, str],
    *,
    actor: User,
    at: datetime,
    publish: bool = False,
    expected_version: int | None = None,
) -> IncidentReview:
    """Keep what the review's parts say so far, and ``publish`` it; whoever begins it is its author. Returns it.

    Parts that are not given stay as they were. Where it cannot be published nothing is kept, so that its version is
    still the one the writer knows. Raises RuleViolated, StaleVersion.
    """
    incident = locked_incident(incident)
    review = _review(incident)
    is_new = review is None
    if review is None:
        if incident.status == IncidentStatus.OPEN:
            raise RuleViolated("unresolved", "Resolve the incident before it is reviewed.", "status")
        review = IncidentReview(incident=incident, author=actor, begun_at=at, version=0)
    elif expected_version is not None and review.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=review.version)
    names = lifecycle.review_fields(incident.letters)
    unknown = set(parts) - set(names)
    if unknown:
        raise RuleViolated("unknown", f"A review has the parts {', '.join(names)}.", min(unknown))
    before = dict(review.parts)
    given = {name: _text(text, name) for name, text in parts.items()}
    emptied = [name for name, text in given.items() if not text]
    if review.published_at is not None and emptied:
        raise RuleViolated("required", "A published review keeps all its parts.", emptied[0])
    review.parts, review.changed_at, review.version = {**before, **given}, at, review.version + 1
    review.save()
    if is_new:
        add_entry(incident, EntryKind.REVIEW, actor=actor, at=at, data={"begun": True})
    store_incident(incident)
    audit_incident("review", incident, actor=actor, at=at, before={"parts": before}, after={"parts": review.parts})
    return publish_review(incident, actor=actor, at=at) if publish else review


@transaction.atomic
def publish_review(incident: Incident, *, actor: User, at: datetime) -> IncidentReview:
    """Publish the review: every part is written. The clock of the review stops, the accounts' timelines hear of it.

    Raises RuleViolated naming the first part that is empty.
    """
    incident = locked_incident(incident)
    review = _review(incident)
    if review is None:
        raise RuleViolated("required", "Write the review first.", "review")
    if review.published_at is not None:
        return review
    empty = missing_parts(incident, review)
    if empty:
        raise RuleViolated("missing", f"Still empty: {', '.join(empty)}.", empty[0])
    review.published_at, review.changed_at, review.version = at, at, review.version + 1
    review.save(update_fields=["published_at", "changed_at", "version"])
    add_entry(incident, EntryKind.REVIEW, actor=actor, at=at, data={"published": True})
    store_incident(incident)
    follow_clocks(incident, at=at)
    accounts = accounts_of(incident)
    cause = review.parts.get(lifecycle.review_fields(incident.letters)[0], "")
    tell_accounts(incident, accounts, "Incident reviewed", actor=actor, at=at, body=cause, verb="reviewed")
    audit_incident("review_published", incident, actor=actor, at=at, after={"parts": list(review.parts)})
    return review


@transaction.atomic
def add_action(
    incident: Incident,
    *,
    title: str,
    owner: User | None,
    due_on: date,
    accounts: Sequence[Account],
    actor: User,
    at: datetime,
) -> list[IncidentAction]:
    """Add a measure for each of ``accounts``, each a CTA due on ``due_on``; who owns it, else the account's owner.

    Returns them. Raises RuleViolated.
    """
    incident = locked_incident(incident)
    name = one_line(title, "title", 200)
    if due_on < DueDays(at).today:
        raise RuleViolated("past", "Choose today or a day to come.", "due_on")
    if not accounts:
        raise RuleViolated("required", "Choose the account it is for.", "account")
    if incident.actions.count() + len(accounts) > MOST_ACTIONS:
        raise RuleViolated("too_many", f"A review has at most {MOST_ACTIONS} measures.", "title")
    found = [_action(incident, name, owner, due_on, account, actor=actor, at=at) for account in accounts]
    data = {"title": name, "count": len(found), "due_on": due_on}
    add_entry(incident, EntryKind.ACTION, name, actor=actor, at=at, data=data)
    store_incident(incident)
    audit_incident("action", incident, actor=actor, at=at, after=data | {"owner": str(found[0].owner)})
    return found


@transaction.atomic
def drop_action(action: IncidentAction, *, actor: User, at: datetime) -> None:
    """Take a measure away; its CTA, if it is not closed, is closed as needing nothing."""
    incident = locked_incident(action.incident)
    if action.cta is not None and action.cta.status != CtaStatus.CLOSED:
        close_cta(action.cta, outcome=Outcome.NO_ACTION, note="Taken out of the review", actor=actor, at=at)
    before = {"title": action.title, "owner": str(action.owner), "due_on": action.due_on.isoformat()}
    action.delete()
    add_entry(incident, EntryKind.ACTION, before["title"], actor=actor, at=at, data={"dropped": True})
    store_incident(incident)
    audit_incident("action_dropped", incident, actor=actor, at=at, before=before)


def missing_parts(incident: Incident, review: IncidentReview | None) -> list[str]:
    """The parts of the review that are still empty."""
    parts = review.parts if review else {}
    return [name for name in lifecycle.review_fields(incident.letters) if not str(parts.get(name, "")).strip()]


def _action(
    incident: Incident, title: str, owner: User | None, due_on: date, account: Account, *, actor: User, at: datetime
) -> IncidentAction:
    person = owner or account.owner
    if person is None or not person.is_active:
        raise RuleViolated("owner", f"Say who does it: nobody owns {account.name}.", "owner")
    if not Account.objects.visible_to(person).filter(pk=account.pk).exists():
        raise RuleViolated("owner", f"{person} cannot work {account.name}.", "owner")
    cta = create_cta(
        account, title=title, reason=f"After {incident}", kind=CtaKind.RISK, priority=_priority(incident),
        owner=person, due_on=due_on, evidence={"incident": str(incident.pk), "number": incident.number},
        actor=actor, at=at,
    )  # fmt: skip
    return IncidentAction.objects.create(
        incident=incident, title=title, account=account, owner=person, due_on=due_on, cta=cta, created_at=at,
        created_by=actor,
    )  # fmt: skip


def _priority(incident: Incident) -> str:
    """As urgent as what it came of was bad."""
    rank = incident.severity.rank if incident.severity else 3
    return {1: Priority.HIGH, 2: Priority.MEDIUM}.get(rank, Priority.LOW)


def _review(incident: Incident) -> IncidentReview | None:
    return IncidentReview.objects.select_for_update().filter(incident=incident).first()


def _text(value: str, part: str) -> str:
    value = str(value).replace("\x00", "").strip()
    if len(value) > MOST_TEXT:
        raise RuleViolated("too_long", f"At most {MOST_TEXT:,} characters.", part)
    return value
