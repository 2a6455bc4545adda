"""The support desk and the customer's portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authz.bodies.example import IN_BODY, IN_FORM, Example
from tests.authz.bodies.made import CALENDAR, of_account, owner_chosen

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World


def raised(world: World, actor: Actor, prefix: str = "") -> dict[str, Any]:
    """An escalation with every part of its message."""
    fields = world.own("ladder").definition["template"]["fields"]
    parts = {f"{prefix}part-fleet-{number}": "As told" for number in range(len(fields))}
    return {"step": "fleet|default|T2", "reason": "Integration fails", **parts}


def other_ticket(world: World, actor: Actor) -> dict[str, Any]:
    """Another ticket of the same account."""
    return {"ticket": str(world.own("ticket_other").pk)}


DETAILS = {"severity": "matrix", "impact": "1", "type": "problem"}
PROMISE = {"value": 4, "unit": "hours", "op": "<="}

EXAMPLES: dict[str, Example] = {
    "POST support:try-policy": Example({"policy": "none"}, status=422),
    "POST support:try-clocks": Example({"calendar": "none"}, status=422),
    "POST support:try-decision": Example({"is_technical": "on"}, status=200),
    "POST support:rate": Example({"score": "5"}),
    "POST support:mail-bulk": Example({"do": "discard"}),
    "POST support:mail-detail": Example(of_account({})),
    "POST support:mail-settings": Example({"mails_per_hour": "30"}),
    "POST support:ticket-create": Example(
        of_account({"subject": "Down", "body": "It is", **DETAILS, "channel": "phone"}), about=IN_FORM, agents=True
    ),
    "POST support:ticket-edit": Example({"subject": "Still down", **DETAILS}),
    "POST support:ticket-reply": Example({"body": "Looking into it", "status": "open"}),
    "POST support:ticket-status": Example({"status": "waiting_customer"}),
    "POST support:ticket-assign": Example({"assignee": "me"}),
    "POST support:ticket-tags": Example({"tags": "login"}),
    "POST support:ticket-level": Example({"level": "2", "reason": "Logs needed"}),
    "POST support:ticket-snooze": Example({"snooze-when": "tomorrow"}),
    "POST support:ticket-time": Example({"time-minutes": "5"}),
    "POST support:ticket-relate": Example(
        lambda world, actor: {"relate-number": world.own("ticket_other").number, "relate-how": "related"}
    ),
    "POST support:ticket-split": Example({"subject": "Another thing"}),
    "POST support:ticket-escalate": Example(raised),
    "POST support:account-escalate": Example(raised),
    "POST support:escalation-begin": Example({"begin-body": "Called them"}),
    "POST support:escalation-update": Example({"update-body": "Fix is in test"}),
    "POST support:escalation-pass-on": Example(
        lambda world, actor: {**raised(world, actor, "pass-"), "pass-level": "T2", "pass-reason": "Needs a specialist"}
    ),
    "POST support:escalation-owner": Example(owner_chosen("owner")),
    "POST support:escalation-end": Example({"end-outcome": "resolved"}),
    "POST portal:ticket-create": Example(
        lambda world, actor: {
            "account": str(world.row("account", "other" if actor.name == "portal2" else "own").pk),
            "subject": "Down",
            "body": "It is",
            "severity": "matrix",
            "impact": "1",
        }
    ),
    "POST portal:ticket-answer": Example({"answer-body": "It is back"}),
    "POST portal:ticket-rate": Example({"rating-score": "5"}),
    "POST support:macro-create": Example({"name": "Thanks", "body": "Thank you"}),
    "POST support:macro-edit": Example({"name": "Thanks", "body": "Thank you"}),
    "POST support:ticket-here": Example({"typing": "1"}, status=200),
    "POST support:ticket-bulk": Example({"verb": "assign", "to": "me"}),
    "POST api:ticket-list": Example(
        of_account({"subject": "Down", "impact": 1, "severity": "matrix"}), about=IN_BODY, agents=True, status=201
    ),
    "PATCH api:ticket-detail": Example({"subject": "Still down"}),
    "POST api:ticket-status": Example({"status": "open"}, status=200),
    "POST api:ticket-severity": Example({"severity": "matrix"}, status=200),
    "POST api:ticket-assign": Example({"assignee": ""}, status=200),
    "POST api:ticket-level": Example({"level": 2, "reason": "Logs needed"}, status=200),
    "POST api:ticket-merge": Example(other_ticket, status=200),
    "POST api:ticket-link": Example(other_ticket, status=200),
    "POST api:ticket-split": Example(
        lambda world, actor: {
            "message": str(world.own("ticket").messages.order_by("-created_at", "-pk").first().pk),
            "subject": "Another thing",
        },
        status=201,
    ),
    "POST api:ticket-rate": Example({"score": 5}, status=200),
    "POST api:ticket-snooze": Example({}, status=200),
    "POST api:ticket-wake": Example(status=200),
    "POST api:ticket-time": Example({"minutes": 5}, status=200),
    "POST api:ticket-messages": Example({"body": "Looking into it"}, status=201),
    "POST api:escalation-list": Example(
        of_account({"ladder": "fleet", "path": "default", "reason": "Threatens to leave"}), about=IN_BODY, status=201
    ),
    "POST api:escalation-begin": Example({"body": "Called them"}, status=200),
    "POST api:escalation-update": Example({"body": "Fix is in test"}, status=200),
    "POST api:escalation-pass-on": Example({"level": "T2", "reason": "needs specialist technical help"}, status=200),
    "POST api:escalation-owner": Example({"owner": "vp@a.example.com"}, status=200),
    "POST api:escalation-resolve": Example({"outcome": "resolved"}, status=200),
    "POST api:escalation-decide": Example({"facts": {"is_churn_risk": True}}, status=200),
    "POST api:sla-policy-list": Example(
        {"key": "gold", "name": "Gold", "calendar": "matrix", "rules": [{"severity": "*", "response": PROMISE}]},
        status=201,
    ),
    "PATCH api:sla-policy-detail": Example({"name": "Other"}),
    "POST api:sla-policy-simulate": Example({"created_at": "2026-11-24T10:00:00Z"}, status=200),
    "POST api:sla-simulate": Example(
        {
            "calendar": CALENDAR,
            "target_minutes": {"resolution": 60},
            "events": [{"type": "created", "at": "2026-11-24T10:00:00Z"}],
        },
        status=200,
    ),
    "POST api:escalation-acknowledge": Example(status=200),
}
