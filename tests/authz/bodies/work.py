"""CTAs, tasks and My day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authz.bodies.example import BY_KEY, IN_BODY, IN_FORM, Example
from tests.authz.bodies.made import of_account, owner_chosen, tomorrow

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World


def put_off(world: World, actor: Actor) -> dict[str, Any]:
    """Until a day to come, with a reason."""
    return {"until_on": tomorrow(), "reason": "Waiting"}


PLAYBOOK = {
    "name": "Recovery", "tasks-TOTAL_FORMS": "1", "tasks-INITIAL_FORMS": "0", "tasks-0-title": "Call",
    "tasks-0-offset_days": "2", "tasks-0-unit": "business",
}  # fmt: skip

EXAMPLES: dict[str, Example] = {
    # Work
    "POST playbooks:cta-create": Example(
        lambda world, actor: {"account": world.own("account").pk, "title": "Call", "kind": "risk", "priority": "high"},
        about=IN_FORM,
    ),
    "POST playbooks:cta-edit": Example({"title": "Call", "kind": "risk", "priority": "high", "due_on": "2027-01-31"}),
    "POST playbooks:cta-close": Example({"close-outcome": "resolved"}),
    "POST playbooks:cta-snooze": Example({"snooze-until_on": tomorrow(), "snooze-reason": "Waiting"}),
    "POST playbooks:cta-reassign": Example(owner_chosen("reassign-owner")),
    "POST playbooks:cta-move": Example(
        lambda world, actor: {"by": "priority", f"to-{world.own('cta_open').pk}": "low"}
    ),
    "POST playbooks:cta-move-due": Example({"days": "1"}),
    "POST playbooks:task-add": Example({"task-title": "Call"}),
    "POST playbooks:task-edit": Example({"title": "Call", "due_on": "2027-01-31"}),
    "POST playbooks:playbook-create": Example(PLAYBOOK),
    "POST playbooks:playbook-edit": Example(PLAYBOOK),
    "POST playbooks:playbook-detail": Example({}),
    "POST api:cta-list": Example(of_account({"title": "Call", "kind": "risk", "priority": "high"}), about=IN_BODY),
    "PATCH api:cta-detail": Example({"title": "Call"}),
    "POST api:cta-close": Example({"outcome": "resolved"}),
    "POST api:cta-snooze": Example({"until": tomorrow(), "reason": "Waiting"}),
    "POST api:cta-reassign": Example({"owner": "vp@a.example.com"}),
    "POST api:task-list": Example(
        lambda world, actor: {"cta": str(world.own("cta_open").pk), "title": "Call"}, about=BY_KEY
    ),
    "PATCH api:task-detail": Example({"title": "Call"}),
    "PATCH api:playbook-detail": Example({"triggers": []}),
    # My day: a page sends on to the list
    "POST myday:feed-settings": Example(status=201),
    "POST myday:cta-done": Example({"outcome": "resolved"}),
    "POST myday:cta-snooze": Example(put_off),
    "POST myday:cta-reassign": Example(owner_chosen("owner")),
    "POST myday:task-snooze": Example(put_off),
    "POST myday:task-reassign": Example(owner_chosen("owner")),
    "POST myday:step-snooze": Example(put_off),
    "POST myday:step-reassign": Example(owner_chosen("owner")),
    "POST myday:notice-snooze": Example(put_off),
    "POST myday:account-snooze": Example(put_off),
    "POST myday:account-reassign": Example(owner_chosen("owner")),
    "POST myday:account-log": Example({"kind": "call", "title": "Talked"}),
}
