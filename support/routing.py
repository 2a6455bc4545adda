"""Whom a ticket goes to, and why: by line of support, plan, hours, skill and load. Pure: no Django.

A team is asked when it is of the ticket's line and serves its tier; those that serve the tier by name come first,
then those at work now, then those that know most of what is asked. Of its people those that are there and have room
are asked: who knows most, then who is least loaded, then who was last given a ticket longest ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """A ticket as routing sees it: its line, its account's tier, and the words that may name a skill."""

    level: int
    tier: str = ""
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a team. ``load`` counts the active tickets they have, of any team."""

    key: Any
    name: str
    skills: frozenset[str] = frozenset()
    load: int = 0
    capacity: int = 20
    away_until: datetime | None = None
    routed_at: datetime | None = None
    may_see: bool = True

    @property
    def has_room(self) -> bool:
        return self.load < self.capacity


@dataclass(frozen=True, slots=True)
class Crew:
    """A team with its people. ``tiers`` empty: it serves everybody nobody else serves by name."""

    key: Any
    name: str
    level: int = 1
    tiers: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    is_open: bool = True
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One team or person that was looked at: whether it was chosen, and why or why not."""

    name: str
    chosen: bool
    why: str
    is_team: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The choice and how it came about. Without ``crew`` nobody takes it; without ``person`` it waits in a queue."""

    crew: Crew | None = None
    person: Person | None = None
    wanted: frozenset[str] = frozenset()
    steps: Sequence[Step] = field(default_factory=tuple)


def route(asked: Asked, crews: Sequence[Crew], *, at: datetime, people: bool = True) -> Route:
    """The team, and with ``people`` the person, that takes a ticket at ``at``, with every reason.

    Where the first team has nobody free, the next one that has takes it; where none has, it waits with the first.
    """
    wanted = _wanted(asked, crews)
    steps: list[Step] = []
    fitting = [crew for crew in crews if _fits(crew, asked, steps)]
    named = [crew for crew in fitting if crew.tiers]
    others = [crew for crew in fitting if named and not crew.tiers]
    steps.extend(Step(crew.name, False, "another team serves this tier by name", True) for crew in others)
    ranked = sorted(named or fitting, key=lambda crew: _crew_rank(crew, wanted))
    for crew in ranked if people else ():
        person = _person(crew, wanted, at, steps)
        if person is not None:
            _say(steps, crew, ranked, _praise(crew, wanted))
            return Route(crew, person, wanted, tuple(steps))
    if ranked:
        first = ranked[0]
        _say(steps, first, ranked, "nobody is free: it waits in the team's queue" if people else _praise(first, wanted))
        return Route(first, None, wanted, tuple(steps))
    return Route(None, None, wanted, tuple(steps))


def _wanted(asked: Asked, crews: Sequence[Crew]) -> frozenset[str]:
    """The skills asked for: words of the ticket that anybody's skill is called by."""
    known = {skill for crew in crews for skill in crew.skills}
    known |= {skill for crew in crews for person in crew.people for skill in person.skills}
    return asked.words & known


def _fits(crew: Crew, asked: Asked, steps: list[Step]) -> bool:
    if crew.level != asked.level:
        steps.append(Step(crew.name, False, f"works on level {crew.level}, the ticket is on level {asked.level}", True))
        return False
    if crew.tiers and asked.tier not in crew.tiers:
        steps.append(Step(crew.name, False, "serves other tiers", True))
        return False
    return True


def _crew_rank(crew: Crew, wanted: frozenset[str]) -> tuple[Any, ...]:
    room = sum(max(person.capacity - person.load, 0) for person in crew.people)
    knows = max((len(wanted & (crew.skills | person.skills)) for person in crew.people), default=0)
    return not crew.is_open, -max(knows, len(wanted & crew.skills)), -room, crew.name


def _person(crew: Crew, wanted: frozenset[str], at: datetime, steps: list[Step]) -> Person | None:
    """Whoever of ``crew`` takes it, None where nobody can."""
    if not crew.is_open:
        steps.append(Step(crew.name, False, "is not at work now", True))
        return None
    free = []
    for person in crew.people:
        why = _hindered(person, at)
        if why:
            steps.append(Step(person.name, False, why))
        else:
            free.append(person)
    if not free:
        return None
    free.sort(key=lambda person: _person_rank(person, crew, wanted))
    later = [Step(person.name, False, f"could take it: {_measures(person, crew, wanted)}") for person in free[1:]]
    steps.extend(later)
    steps.append(Step(free[0].name, True, _measures(free[0], crew, wanted)))
    return free[0]


def _hindered(person: Person, at: datetime) -> str:
    if person.away_until is not None and person.away_until > at:
        return f"is away until {person.away_until:%d %b %Y %H:%M}"
    if not person.has_room:
        return f"has {person.load} of at most {person.capacity} tickets"
    return "" if person.may_see else "may not see this account"


def _person_rank(person: Person, crew: Crew, wanted: frozenset[str]) -> tuple[Any, ...]:
    knows = len(wanted & (crew.skills | person.skills))
    return -knows, person.load / person.capacity, person.routed_at or LONG_AGO, person.name


def _measures(person: Person, crew: Crew, wanted: frozenset[str]) -> str:
    knows = sorted(wanted & (crew.skills | person.skills))
    known = f"knows {', '.join(knows)}, " if knows else ""
    return f"{known}has {person.load} of at most {person.capacity} tickets"


def _praise(crew: Crew, wanted: frozenset[str]) -> str:
    reasons = ["serves this tier by name" if crew.tiers else "serves every tier"]
    if crew.is_open:
        reasons.append("is at work")
    if knows := sorted(wanted & crew.skills):
        reasons.append(f"knows {', '.join(knows)}")
    return ", ".join(reasons)


def _say(steps: list[Step], chosen: Crew, ranked: Sequence[Crew], why: str) -> None:
    """Put the teams' verdicts in front of their people's."""
    told = {step.name for step in steps if step.is_team}
    others = [
        Step(crew.name, False, "another team comes first", True)
        for crew in ranked
        if crew is not chosen and crew.name not in told
    ]
    steps[:0] = [Step(chosen.name, True, why, True), *others]
