"""Giving a ticket to whom routing chooses, by itself or because somebody asks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from support.actions.log import add_event, audit, locked, settings_row, store
from support.actions.telling import tell_assigned
from support.choices import EventKind, Routing
from support.models import Team, TeamSeat
from support.queries.teams import route_of
from support.routing import Route

if TYPE_CHECKING:
    from accounts.models import User
    from support.models import Ticket


def route_by_itself(ticket: Ticket, *, at: datetime) -> None:
    """Give a ticket nobody has to a team and a person, as far as the workspace wants that. Two queries without teams.

    The caller has the ticket's row locked, or has just made it.
    """
    mode = settings_row().routing
    if mode == Routing.OFF or not Team.objects.filter(retired_at=None).exists():
        return
    _give(ticket, route_of(ticket, at=at, people=mode == Routing.PERSON), actor=None, at=at)


@transaction.atomic
def route_ticket(ticket: Ticket, *, actor: User | None, at: datetime) -> Route:
    """Give ``ticket`` to the team and person that routing chooses now. Returns the choice with its reasons.

    Where nobody is free it waits in the team's queue; where no team fits nothing changes.
    """
    ticket = locked(ticket)
    chosen = route_of(ticket, at=at)
    _give(ticket, chosen, actor=actor, at=at)
    return chosen


def _give(ticket: Ticket, chosen: Route, *, actor: User | None, at: datetime) -> None:
    if chosen.crew is None:
        return
    before = {"assignee_id": ticket.assignee_id, "team_id": ticket.team_id}
    person = chosen.person.key if chosen.person else None
    if before == {"assignee_id": person, "team_id": chosen.crew.key}:
        return
    store(ticket, team_id=chosen.crew.key, assignee_id=person)
    if person is not None:
        TeamSeat.objects.filter(team=chosen.crew.key, user=person).update(last_routed_at=at)
    why = [f"{step.name}: {step.why}" for step in chosen.steps if step.chosen]
    data = {"from": before["assignee_id"], "to": person, "team": chosen.crew.name, "routed": why}
    add_event(ticket, EventKind.ASSIGNED, at=at, actor=actor, data=data)
    tell_assigned(ticket, before["assignee_id"], actor=actor, at=at)
    after = {"assignee_id": person, "team_id": chosen.crew.key, "why": why}
    audit("route", ticket, actor=actor, at=at, before=before, after=after)
