"""Teams with their people as pages, the API and routing see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from support.models import Team, TeamSeat, Ticket
from support.queries.calendars import Calendars
from support.routing import Asked, Crew, Person, Route, route

if TYPE_CHECKING:
    from support.models.teams import TeamSeat as Seat


def teams_shown() -> QuerySet[Team]:
    """Teams that are there, with their people, tiers and calendar, ``waiting`` tickets and each seat's ``load``.

    Three queries.
    """
    carried = _count(Ticket.objects.active().filter(assignee=OuterRef("user")), "assignee")
    seats = TeamSeat.objects.filter(user__is_active=True).select_related("user").annotate(load=carried)
    seats = seats.order_by("user__name", "user__email")
    waiting = _count(Ticket.objects.active().unassigned().filter(team=OuterRef("pk")), "team")
    rows = Team.objects.filter(retired_at=None).select_related("calendar").annotate(waiting=waiting)
    return rows.prefetch_related("tiers", Prefetch("seats", seats))


def loads(users: Iterable[UUID]) -> dict[UUID, int]:
    """How many active tickets each of ``users`` has. One query."""
    rows = Ticket.objects.active().filter(assignee__in=list(users)).order_by()
    return dict(rows.values_list("assignee").annotate(Count("pk")))


@dataclass(frozen=True, slots=True)
class Member:
    """A seat with what it carries now."""

    seat: Seat
    load: int
    is_away: bool

    @property
    def share_pct(self) -> int:
        return min(round(100 * self.load / self.seat.capacity), 100)


@dataclass(frozen=True, slots=True)
class Roster:
    """A team with its people, whether it is at work now, and how many tickets wait for it."""

    team: Team
    members: list[Member]
    is_open: bool
    waiting: int


def rosters(*, at: datetime, team_id: UUID | None = None) -> list[Roster]:
    """Every team (or the one asked for) as it is at ``at``. Seven queries at most, however many there are."""
    rows = list(teams_shown().filter(**({"pk": team_id} if team_id else {})))
    opened = _open_now(rows, at)
    return [
        Roster(
            team,
            [
                Member(seat, seat.load, seat.away_until is not None and seat.away_until > at)
                for seat in team.seats.all()
            ],
            opened[team.pk],
            team.waiting,
        )
        for team in rows
    ]


def crews(*, at: datetime) -> list[Crew]:
    """Every team as routing sees it at ``at``. Seven queries at most."""
    return [
        Crew(
            key=roster.team.pk,
            name=roster.team.name,
            level=roster.team.level,
            tiers=frozenset(tier.key for tier in roster.team.tiers.all()),
            skills=frozenset(roster.team.skills),
            is_open=roster.is_open,
            people=tuple(_person(member) for member in roster.members),
        )
        for roster in rosters(at=at)
    ]


def route_of(ticket: Ticket, *, at: datetime, people: bool = True) -> Route:
    """Whom routing would give ``ticket`` to, and why. Nothing is changed. One query more for each person tried."""
    found = crews(at=at)
    asked = asked_of(ticket)
    while True:
        chosen = route(asked, found, at=at, people=people)
        if chosen.person is None or _may_see(chosen.person.key, ticket):
            return chosen
        found = [_without(crew, chosen.person.key) for crew in found]


def asked_of(ticket: Ticket) -> Asked:
    """What routing asks of ``ticket``: its line, tier, and the words that may name a skill. No queries."""
    words = {ticket.component, ticket.category, ticket.type, *ticket.tags}
    return Asked(ticket.level, ticket.tier_key, frozenset(word.lower() for word in words if word))


def _person(member: Member) -> Person:
    seat = member.seat
    return Person(
        key=seat.user_id, name=str(seat.user), skills=frozenset(seat.skills), load=member.load,
        capacity=seat.capacity, away_until=seat.away_until, routed_at=seat.last_routed_at,
    )  # fmt: skip


def _may_see(user_id: UUID, ticket: Ticket) -> bool:
    user = User.objects.get(pk=user_id)
    return Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()


def _without(crew: Crew, key: Any) -> Crew:
    people = tuple(replace(person, may_see=False) if person.key == key else person for person in crew.people)
    return replace(crew, people=people)


def _open_now(teams: list[Team], at: datetime) -> dict[UUID, bool]:
    """Which teams are at work. Three queries where any has hours."""
    calendars = Calendars(year=at.year) if any(team.calendar for team in teams) else None
    return {
        team.pk: team.calendar is None or calendars is None or calendars.calendar(team.calendar).is_open(at)
        for team in teams
    }


def _count(tickets: QuerySet[Ticket], by: str) -> Coalesce:
    """How many ``tickets`` there are, in a row's own query."""
    counted = tickets.order_by().values(by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)
