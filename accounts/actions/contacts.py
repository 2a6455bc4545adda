"""Verbs on a customer's people."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.actions.locking import differences, locked
from accounts.audit import record
from accounts.choices import ActivityKind, StakeholderRole
from accounts.errors import RuleViolated
from accounts.models import Account, Contact
from accounts.record_fields import CONTACT

if TYPE_CHECKING:
    from accounts.models import User

# Whose leaving the timeline notes: the relationship hangs on them.
KEY_ROLES = frozenset(
    {
        StakeholderRole.EXECUTIVE_SPONSOR,
        StakeholderRole.DECISION_MAKER,
        StakeholderRole.CHAMPION,
        StakeholderRole.ECONOMIC_BUYER,
    }
)


@transaction.atomic
def create_contact(
    account: Account,
    *,
    actor: User | None,
    at: datetime,
    name: str,
    source: str = "",
    external_id: str = "",
    **fields: Any,
) -> Contact:
    """Add a person to ``account`` and return the contact.

    Raises RuleViolated naming the field: an empty name, an address another contact of the account has.
    """
    _check_known(fields)
    contact = Contact(account=account, name=name.strip(), source=source, external_id=external_id, **fields)
    _save(contact, created=True)
    mark_changed([account.pk], at=at)
    _tell(contact, f"{contact.name} was added", StakeholderRole(contact.stakeholder_role).label, actor=actor, at=at)
    after = {"name": contact.name, "email": contact.email, "stakeholder_role": contact.stakeholder_role}
    record("contact.created", contact, actor=actor, at=at, after=after)
    return contact


@transaction.atomic
def update_contact(
    contact: Contact, *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> Contact:
    """Change fields of ``contact`` and return it; unchanged when nothing differs.

    A day in ``left_on`` is noted on the timeline when the person's role matters. Raises StaleVersion,
    RuleViolated.
    """
    _check_known(changes)
    contact = locked(contact, expected_version=expected_version)
    before, after = differences(contact, changes)
    if not after:
        return contact
    for name in after:
        setattr(contact, name, changes[name])
    contact.version += 1
    _save(contact, created=False)
    if after.get("left_on"):
        note_leaving(contact, actor=actor, at=at)
    if "stakeholder_role" in after:
        roles = " → ".join(StakeholderRole(str(held["stakeholder_role"])).label for held in (before, after))
        _tell(contact, f"{contact.name} has another role", roles, actor=actor, at=at)
    mark_changed([contact.account_id], at=at)
    record("contact.updated", contact, actor=actor, at=at, before=before, after=after)
    return contact


def mark_contact_left(
    contact: Contact, *, left_on: date, actor: User | None, at: datetime, expected_version: int | None = None
) -> Contact:
    """Note that the person left the customer on ``left_on``. Returns the contact, which stays in the record."""
    return update_contact(contact, actor=actor, at=at, expected_version=expected_version, left_on=left_on)


@transaction.atomic
def delete_contact(contact: Contact, *, actor: User | None, at: datetime) -> None:
    """Remove a contact entered by mistake, or on request of the person."""
    record("contact.deleted", contact, actor=actor, at=at, before={"name": contact.name})
    mark_changed([contact.account_id], at=at)
    contact.delete()


def note_leaving(contact: Contact, *, actor: User | None, at: datetime) -> None:
    """The timeline entry of somebody important leaving. One query, none for others."""
    if contact.stakeholder_role not in KEY_ROLES:
        return
    role = StakeholderRole(contact.stakeholder_role).label
    log_activity(
        contact.account,
        kind=ActivityKind.PEOPLE,
        title=f"{role} {contact.name} left",
        actor=actor,
        at=at,
        data={"contact": contact.pk, "role": contact.stakeholder_role, "left_on": contact.left_on},
    )


def _tell(contact: Contact, title: str, body: str, *, actor: User | None, at: datetime) -> None:
    data = {"contact": contact.pk}
    log_activity(contact.account, kind=ActivityKind.PEOPLE, title=title, body=body, actor=actor, at=at, data=data)


def _check_known(fields: dict[str, Any]) -> None:
    unknown = sorted(fields.keys() - CONTACT.keys())
    if unknown:
        raise RuleViolated("unknown_field", "There is no such field.", unknown[0])


def _save(contact: Contact, *, created: bool) -> None:
    contact.name = contact.name.strip()
    if not contact.name:
        raise RuleViolated("required", "A contact needs a name.", "name")
    contact.email = contact.email.strip().lower()
    try:
        with transaction.atomic():
            contact.save(force_insert=created)
    except IntegrityError as error:
        taken = "external_id" if "external_id" in str(error) else "email"
        text = f"Another contact has this {'address' if taken == 'email' else 'external id'}."
        raise RuleViolated(f"contact.{taken}_taken", text, taken) from error
