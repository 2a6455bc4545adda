"""What bodies about tickets hold, and the rows they name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.actions.bulk.references import References
from accounts.fields import Field, FieldError, Unreadable, choice, identifier, json_object, moment, text, whole
from accounts.models import Account, Contact, Severity, User
from accounts.record_fields import ACCOUNT_REFERENCE
from api.problems import Problem
from api.serializers import invalid, record
from support.choices import Channel, Impact, Status, TicketType
from support.models import Ticket


def strings(raw: Any) -> list[str]:
    """The texts of a list. Raises Unreadable."""
    if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
        raise Unreadable("type", "A list of texts.")
    return raw


STRINGS = {"type": "array", "items": {"type": "string"}}
EDIT: dict[str, Field] = {
    "subject": text(300, required=True),
    "type": choice(TicketType.values, empty=TicketType.QUESTION),
    "component": text(80),
    "category": text(60, help="A kind of issue the methodology has a guide for"),
    "impact": whole(1, 3, help="1 many users, 2 some, 3 one; with the severity it makes the priority"),
    "requester": text(254, help="Id or e-mail address of a contact of the account"),
    "tags": Field(strings, STRINGS),
    "custom": json_object(),
    "root_cause": text(10_000, lines=True),
    "engineering_reference": text(120),
}
NEW: dict[str, Field] = {
    "account": ACCOUNT_REFERENCE,
    **{name: field for name, field in EDIT.items() if name not in {"root_cause", "engineering_reference"}},
    "body": text(100_000, lines=True, help="The first message"),
    "channel": choice(Channel.values, empty=Channel.API),
    "severity": text(60, help="Key of a severity; required where the workspace has severities"),
    "assignee": text(254, help="E-mail address or id of a colleague"),
    "opened_by": choice(["customer", "staff"], empty="customer", help="Staff: no first response is owed"),
    "status": choice([Status.NEW, Status.OPEN, Status.WAITING_CUSTOMER, Status.WAITING_VENDOR], empty=Status.NEW),
    "created_at": moment(help="When it happened, if that was before now; its clocks run since then"),
    "source": text(40),
    "external_id": text(120),
}
NewTicket = record("NewTicket", NEW)
TicketRecord = record("TicketRecord", EDIT)
NewMessage = record(
    "NewMessage",
    {
        "body": text(100_000, required=True, lines=True),
        "kind": choice(["reply", "note", "customer"], empty="reply", help="customer: a message of the requester's"),
        "status": choice([Status.OPEN, Status.WAITING_CUSTOMER, Status.WAITING_VENDOR, Status.RESOLVED], empty=""),
    },
)


def visible_ticket(user: User, ticket_id: UUID) -> Ticket:
    """The ticket. Raises Http404 where ``user`` may not see it."""
    ticket = Ticket.objects.visible_to(user).select_related("account", "requester").filter(pk=ticket_id).first()
    if ticket is None:
        raise Http404
    return ticket


def workable_ticket(user: User, ticket_id: UUID) -> Ticket:
    """The ticket ``user`` may work. Raises Http404, or Problem 403 when they may only see it."""
    ticket = visible_ticket(user, ticket_id)
    if not Ticket.objects.workable_by(user).filter(pk=ticket_id).exists():
        raise Problem("forbidden", "You may see this ticket and not work it.")
    return ticket


def may_open(user: User, account: Account) -> None:
    """Agents open tickets for every account they see, others for those they may edit. Raises Problem 403."""
    if user.role != "support_agent" and not Account.objects.editable_by(user).filter(pk=account.pk).exists():
        raise Problem("forbidden", "You may see this account and not open tickets for it.")


def severity_called(key: str, *, required: bool) -> Severity | None:
    """The severity; none only where the workspace has none (FMEA-6.2). Raises Problem 422."""
    if key:
        found = Severity.objects.filter(key=key).first()
        if found is not None:
            return found
        known = ", ".join(Severity.objects.values_list("key", flat=True))
        raise invalid(FieldError("severity", "unknown", f"Use one of {known}." if known else "There are none here."))
    if required and Severity.objects.exists():
        raise invalid(FieldError("severity", "required", "Say how bad it is."))
    return None


def impact_in(values: dict[str, Any]) -> Impact:
    """The impact, taken out of ``values``. Raises Problem 422 where it is missing (FMEA-6.2)."""
    raw = values.pop("impact", None)
    if raw is None:
        raise invalid(FieldError("impact", "required", "Say whom it keeps from working: 1 many, 2 some, 3 one user."))
    return Impact(raw)


def contact_called(account: Account, raw: str) -> Contact:
    """The contact of ``account`` with this id or address. Raises Problem 422."""
    rows = Contact.objects.filter(account=account)
    found = rows.filter(email__iexact=raw).first() if "@" in raw else rows.filter(pk=id_in(raw, "requester")).first()
    if found is None:
        raise invalid(FieldError("requester", "unknown", "The account has no such contact."))
    return found


def colleague_called(user: User, raw: str, *, field: str = "assignee") -> User | None:
    """The colleague named by address or id, None for an empty name. Raises Problem 422 at ``field``."""
    if not raw:
        return None
    references, values = References(source="api", actor=user), {"owner": raw}
    references.load([values])
    errors = references.resolve(values)
    if errors:
        raise invalid(*[FieldError(field, error.rule, error.message) for error in errors])
    return values["owner"]  # type: ignore[return-value]


def active_colleague(raw: str, *, field: str) -> User:
    """The colleague of this address or id who is there now. Raises Problem 422 at ``field``."""
    rows, key = User.objects.active().staff(), identifier(raw)
    found = rows.filter(email__iexact=raw).first() if key is None else rows.filter(pk=key).first()
    if found is None:
        raise invalid(FieldError(field, "unknown", "There is no colleague with this address."))
    return found


def other_ticket(user: User, raw: str) -> Ticket:
    """The ticket of this id that ``user`` may work. Raises Problem 422."""
    other = Ticket.objects.workable_by(user).filter(pk=id_in(raw, "ticket")).first()
    if other is None:
        raise invalid(FieldError("ticket", "unknown", "There is no such ticket you may work."))
    return other


def id_in(raw: str, field: str) -> UUID:
    """The id that ``raw`` is. Raises Problem 422 at ``field``."""
    try:
        return UUID(raw)
    except ValueError as error:
        raise invalid(FieldError(field, "id", "This is not an id.")) from error
