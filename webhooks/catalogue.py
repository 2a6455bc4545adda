"""What other systems can be told of: each type of event, and the audit entries that tell of it. Pure.

The audit log holds every change once, in the transaction of the change and in one order (``accounts.audit``), so
an event needs no row of its own until somebody wants to hear of it. A new type is one line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    ``resource`` is what its data shows, as the API shows it. It is told by entries with one of ``actions`` whose
    ``after`` says what ``when`` asks. ``tells_facts``: the entry's own before and after are part of the data,
    because no resource shows them.
    """

    name: str
    told: str
    resource: str
    actions: tuple[str, ...]
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    tells_facts: bool = False

    def is_told_by(self, action: str, after: Mapping[str, Any] | None) -> bool:
        """Whether an entry of the audit log is an event of this type."""
        facts = after or {}
        return action in self.actions and all(facts.get(name) in values for name, values in self.when.items())


def _ticket(name: str, told: str, *statuses: str) -> EventType:
    return EventType(name, told, "ticket", ("ticket.status",), {"status": statuses})


_TICKET_CHANGES = tuple(
    f"ticket.{verb}"
    for verb in "update severity assign level route merge split link rate time snooze wake undo".split()
)
_ACCOUNT_CHANGES = ("account.updated", "account.named", "account.status_followed")

EVENT_TYPES = (
    EventType("account.created", "An account was added", "account", ("account.created",)),
    EventType("account.updated", "Fields, owner or status of an account changed", "account", _ACCOUNT_CHANGES),
    EventType("account.stage_reached", "An account reached a stage of its life", "account", ("account.stage_reached",)),
    EventType("account.archived", "An account was archived", "account", ("account.archived",)),
    EventType("account.restored", "An account came back from the archive", "account", ("account.restored",)),
    EventType(
        "account.band_changed",
        "The health of an account crossed into another band",
        "account",
        ("account.band_changed",),
        tells_facts=True,
    ),
    EventType("contact.created", "A contact was added", "contact", ("contact.created",)),
    EventType("contact.updated", "A contact changed", "contact", ("contact.updated",)),
    EventType("contact.deleted", "A contact was deleted", "contact", ("contact.deleted", "contact.removed")),
    EventType("contract.created", "A contract was added", "contract", ("contract.created",)),
    EventType("contract.updated", "A contract changed", "contract", ("contract.updated",)),
    EventType("contract.churned", "A contract was lost", "contract", ("contract.churned",)),
    EventType("contract.deleted", "A contract was deleted", "contract", ("contract.deleted", "contract.removed")),
    EventType("cta.opened", "A call to action was opened, by a person or a rule", "cta", ("cta.open",)),
    EventType("cta.updated", "A CTA changed, was handed over, snoozed or woken", "cta",
              ("cta.update", "cta.reassign", "cta.snooze", "cta.wake")),
    EventType("cta.closed", "A CTA was closed with its outcome", "cta", ("cta.close",)),
    EventType("cta.reopened", "A closed CTA was opened again", "cta", ("cta.reopen",)),
    EventType("ticket.opened", "A ticket was opened", "ticket", ("ticket.open",)),
    EventType("ticket.updated", "Details, severity, team or assignee of a ticket changed", "ticket", _TICKET_CHANGES),
    EventType("ticket.status_changed", "A ticket moved to another status", "ticket", ("ticket.status",)),
    _ticket("ticket.resolved", "A ticket was resolved", "resolved"),
    _ticket("ticket.closed", "A ticket was closed", "closed"),
    EventType("ticket.customer_replied", "The customer wrote in a ticket", "ticket", ("ticket.customer_reply",)),
    EventType(
        "ticket.sla_warning", "A promise of a ticket is at risk", "ticket", ("ticket.sla_warning",), tells_facts=True
    ),
    EventType(
        "ticket.sla_breached", "A promise of a ticket was missed", "ticket", ("ticket.sla_breached",), tells_facts=True
    ),
    EventType("escalation.raised", "An escalation was raised", "escalation", ("escalation.raise",)),
    EventType("escalation.ended", "An escalation ended with its outcome", "escalation", ("escalation.end",)),
    EventType("import.finished", "An import is done", "import", ("import.done",)),
)  # fmt: skip
BY_NAME = {known.name: known for known in EVENT_TYPES}
# Resources in the order in which they are offered, with their headings.
RESOURCES = {
    "account": "Accounts",
    "contact": "Contacts",
    "contract": "Contracts",
    "cta": "Calls to action",
    "ticket": "Tickets",
    "escalation": "Escalations",
    "import": "Imports",
}


def actions_of(names: Iterable[str]) -> list[str]:
    """The audit actions that can tell of one of these types; types that are known no more tell nothing."""
    return sorted({action for name in names if name in BY_NAME for action in BY_NAME[name].actions})


def types_of(action: str, after: Mapping[str, Any] | None, names: Iterable[str]) -> list[EventType]:
    """Which of the types ``names`` an audit entry tells of."""
    wanted = set(names)
    return [known for known in _by_action().get(action, ()) if known.name in wanted and known.is_told_by(action, after)]


@cache
def _by_action() -> dict[str, list[EventType]]:
    found: dict[str, list[EventType]] = {}
    for known in EVENT_TYPES:
        for action in known.actions:
            found.setdefault(action, []).append(known)
    return found
