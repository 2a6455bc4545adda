"""The people of an account as its map shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import CharField, F, Func, Max
from django.utils import timezone

from accounts.choices import TOUCH_KINDS, SignInOutcome
from accounts.models import Account, Activity, Contact, Invitation, User
from accounts.queries.past import Past, contacts_then
from accounts.stakeholders import CADENCE, Finding, Standing, findings, standing


@dataclass(frozen=True, slots=True)
class Person:
    """A contact with their last touch: the one entered, or the latest entry that names them, whichever is later."""

    contact: Contact
    last_touch_at: datetime | None
    standing: Standing
    cadence: int | None
    late: int


@dataclass(frozen=True, slots=True)
class People:
    """Everybody known: those present (latest due first), those who left, and what is wrong."""

    present: list[Person]
    left: list[Person]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Access:
    """A user and how signing in goes: the last try and the last that failed, in words (empty: none in 90 days)."""

    user: User
    tried: str
    failed: str

    @property
    def keeps_failing(self) -> bool:
        """Whether nothing but failures came since the last sign-in."""
        since = self.user.last_login
        return bool(self.failed) and (since is None or self.user.failed_at > since)


def access_of(user: User) -> Access:
    """How signing in goes for a user read ``with_tries``. No query."""
    tried, failed = (SignInOutcome(key).label if key else "" for key in (user.tried, user.failed))
    return Access(user, tried, failed)


def portal_access(account: Account) -> tuple[list[Access], list[Invitation]]:
    """Who may use the customer portal of ``account``, and who is invited to. Two queries."""
    users = account.portal_users.with_tries().order_by("-is_active", "name", "email", "pk")
    still_open = Invitation.objects.filter(portal_accounts=account, accepted_at=None, revoked_at=None)
    invitations = still_open.select_related("invited_by").order_by("-created_at", "pk")
    return [access_of(user) for user in users], list(invitations)


def people_of(account: Account, today: date, past: Past | None = None) -> People:
    """The people of ``account`` on ``today``, or as they were on ``past``, whose day that is then. Two queries."""
    touched = _touched(account, past)
    contacts = account.contacts.order_by("name", "pk") if past is None else contacts_then(past)
    people = [_person(contact, touched, today) for contact in contacts]
    present = [person for person in people if person.contact.left_on is None]
    left = [person for person in people if person.contact.left_on is not None]
    present.sort(key=lambda person: person.standing.due_on or date.max)
    left.sort(key=lambda person: person.contact.left_on or today, reverse=True)
    return People(present, left, findings([person.standing for person in people], today))


def _touched(account: Account, past: Past | None) -> dict[str, datetime]:
    """Name to the latest call, meeting or mail that it took part in."""
    named = Func(F("attendees"), function="unnest", output_field=CharField())
    touches = Activity.objects.filter(account=account, kind__in=TOUCH_KINDS)
    if past is not None:
        touches = touches.up_to(past.asked.end, as_known=past.asked.as_known)
    rows: Any = touches.annotate(name=named).order_by()
    return {name.casefold(): last for name, last in rows.values_list("name").annotate(last=Max("at"))}


def _person(contact: Contact, touched: dict[str, datetime], today: date) -> Person:
    moments = [at for at in (contact.last_touch_at, touched.get(contact.name.casefold())) if at is not None]
    last = max(moments, default=None)
    on = timezone.localtime(last).date() if last else None
    known = timezone.localtime(contact.created_at).date()
    where = standing(contact.name, contact.stakeholder_role, contact.left_on, on, known)
    return Person(contact, last, where, CADENCE.get(contact.stakeholder_role), where.days_late(today))
