"""Incidents: their pages and their addresses over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authz.bodies.example import Example
from tests.authz.bodies.made import tomorrow
from tests.authz.bodies.support import other_ticket

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World


def accounts_named(world: World, actor: Actor) -> dict[str, Any]:
    """Account 1, by its id."""
    return {"accounts": [str(world.own("account").pk)]}


INCIDENT = {"title": "Down", "severity": "matrix", "impact": "1"}
PARTS = {f"part-{number}": "As told" for number in range(5)}
# Whoever may not address account 1 is told that there is no such one.
NAMED = (422, 422)
EXAMPLES: dict[str, Example] = {
    "POST support:incident-create": Example(INCIDENT),
    "POST support:incident-edit": Example(INCIDENT),
    "POST support:incident-settings": Example(
        {"rank-1": "30", "rank-2": "60", "rank-3": "120", "rank-4": "240", "review_within_days": "5"}
    ),
    "POST support:incident-move": Example({"move-stage": "investigating"}),
    "POST support:incident-update": Example({"update-body": "Found it"}),
    "POST support:incident-note": Example({"note-body": "For us"}),
    "POST support:incident-reopen": Example({"reason": "It is back"}),
    "POST support:incident-answer": Example({"answer-body": "It works"}),
    "POST support:incident-ticket": Example(
        lambda world, actor: {"number": str(world.own("ticket_other").number), "verb": "link"}
    ),
    "POST support:incident-letter": Example({"subject": "Down", "verb": "preview", **PARTS}, status=200),
    "POST support:incident-review": Example({"verb": "save", **PARTS}),
    "POST support:incident-action": Example(
        lambda world, actor: {"action-title": "Watch", "action-due_on": tomorrow(), "action-account": "all"}
    ),
    "POST support:ticket-incident": Example(lambda world, actor: {"incident": world.own("incident").code}),
    "POST api:incident-list": Example({"title": "Down", "severity": "matrix", "impact": 1}, status=201),
    "PATCH api:incident-detail": Example({"component": "api"}),
    "POST api:incident-timeline": Example({"body": "Found it"}, status=201),
    "POST api:incident-stage": Example({"to": "investigating"}, status=200),
    "POST api:incident-close": Example(status=200),
    "POST api:incident-reopen": Example({"reason": "It is back"}, status=200),
    "POST api:incident-accounts": Example(accounts_named, about=NAMED, agents=True, status=200),
    "POST api:incident-accounts-remove": Example(accounts_named, about=NAMED, agents=True, status=200),
    "POST api:incident-tickets": Example(other_ticket, about=NAMED, agents=True, status=200),
    "POST api:incident-answer": Example({"body": "It works"}, status=200),
    "POST api:incident-letters": Example({"letter": "incident-alert"}, status=201),
    "PUT api:incident-review": Example({"parts": {"impact": "None"}}),
    "POST api:incident-actions": Example(lambda world, actor: {"title": "Watch", "due_on": tomorrow()}, status=201),
}
