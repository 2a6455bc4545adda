"""Incidents of each account for the matrix: one being worked, one resolved and reviewed with a measure."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

from accounts.models import Severity
from support import actions, lifecycle
from tests.authz.world import canary

if TYPE_CHECKING:
    from accounts.models import Account
    from tests.authz.world import World


def fill_incidents(world: World, letter: str, number: int, account: Account) -> None:
    """Seed the incidents that affect ``account``."""
    actor = account.owner

    def mark(word: str) -> str:
        return canary(letter, number, "i", word)

    ticket = actions.open_ticket(
        account, subject=mark("told"), body=mark("told"), channel="email", actor=actor, at=world.now
    )
    for seed, tickets in (("incident", [ticket]), ("incident_done", [])):
        incident = actions.open_incident(
            title=mark(seed), summary=mark("summary"), component=mark("service"), impact=1, tickets=tickets,
            severity=Severity.objects.get(key="matrix"), accounts=[account], actor=actor, at=world.now,
        )  # fmt: skip
        actions.note_incident(incident, mark("note"), actor=actor, at=world.now)
        world.keep(letter, seed, number, incident)
    stages = incident.stages
    resolved = lifecycle.first_meaning(stages, lifecycle.CONFIRM)
    actions.move_incident(
        incident, resolved, resolution=mark("fixed"), confirmation=mark("agreed"), actor=actor, at=world.now
    )
    parts = dict.fromkeys(lifecycle.review_fields(incident.letters), mark("learnt"))
    actions.save_review(incident, parts, actor=actor, at=world.now)
    actions.publish_review(incident, actor=actor, at=world.now)
    day = world.now.date() + timedelta(days=2)
    (measure,) = actions.add_action(
        incident, title=mark("measure"), owner=None, due_on=day, accounts=[account], actor=actor, at=world.now
    )
    world.keep(letter, "incident_action", number, measure)
    world.keep(letter, "incident_letter", number, SimpleNamespace(key="incident-alert"))
