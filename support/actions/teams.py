"""Teams, who is on them and who is away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.keys import insert_key, new_key
from accounts.audit import plain, record
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Tier, WorkCalendar
from support.actions.log import choice, one_line
from support.choices import Level
from support.models import Team, TeamSeat, Ticket

if TYPE_CHECKING:
    from accounts.models import User

TAKEN = "There is or was a team with this key."
MOST_SKILLS = 30
MOST_TICKETS = 500


@transaction.atomic
def save_team(
    team: Team | None,
    *,
    name: str,
    key: str = "",
    level: int = Level.FIRST,
    skills: Sequence[str] = (),
    tiers: Sequence[Tier] = (),
    calendar: WorkCalendar | None = None,
    actor: User,
    at: datetime,
    expected_version: int | None = None,
) -> Team:
    """Make a team, or write ``team`` anew; its key stays. Returns it. Raises RuleViolated, StaleVersion."""
    row = Team.objects.select_for_update().get(pk=team.pk) if team else Team(key=_new_key(key, name))
    if team and expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    before = team_shown(row) if team else {}
    row.name, row.level = one_line(name, "name", 120), choice(level, Level, "level")
    row.skills, row.calendar = clean_skills(skills), calendar
    row.version += 1 if team else 0
    if team:
        row.save()
    else:
        insert_key(row, taken=TAKEN, field="key" if key else "name")
    row.tiers.set(tiers)
    action = "team.update" if team else "team.create"
    record(action, row, actor=actor, at=at, before=before or None, after=team_shown(row))
    return row


@transaction.atomic
def retire_team(team: Team, *, actor: User, at: datetime) -> None:
    """Take a team away. Raises RuleViolated while active tickets are with it."""
    row = Team.objects.select_for_update().get(pk=team.pk)
    waiting = Ticket.objects.active().filter(team=row).count()
    if waiting:
        verb = "ticket is" if waiting == 1 else "tickets are"
        raise RuleViolated("team.in_use", f"{waiting} active {verb} with this team; assign them elsewhere first.")
    row.retired_at, row.version = at, row.version + 1
    row.save(update_fields=["retired_at", "version"])
    row.seats.all().delete()
    record("team.retire", row, actor=actor, at=at, before={"key": row.key, "name": row.name})


@transaction.atomic
def seat(
    team: Team, user: User, *, skills: Sequence[str] = (), capacity: int = 20, actor: User, at: datetime
) -> TeamSeat:
    """Put ``user`` on ``team``, or change what they know and take there. Returns the seat. Raises RuleViolated."""
    if not user.is_active or user.is_portal:
        raise RuleViolated("user", "Choose an active colleague.", "user")
    if isinstance(capacity, bool) or not isinstance(capacity, int) or not 1 <= capacity <= MOST_TICKETS:
        raise RuleViolated("capacity", f"Give 1 to {MOST_TICKETS} tickets.", "capacity")
    old = TeamSeat.objects.select_for_update().filter(team=team, user=user).first()
    before = _seat_shown(old) if old else None
    values = {"skills": clean_skills(skills), "capacity": capacity}
    # Who is away from one team is away from all.
    away = TeamSeat.objects.filter(user=user).values_list("away_until", flat=True).first() if old is None else None
    made = {**values, "away_until": away}
    row, _made = TeamSeat.objects.update_or_create(team=team, user=user, defaults=values, create_defaults=made)
    record("team.seat", team, actor=actor, at=at, before=before, after=_seat_shown(row))
    return row


@transaction.atomic
def leave_team(row: TeamSeat, *, actor: User, at: datetime) -> None:
    """Take somebody off a team, if they are on it still; the tickets they have stay theirs."""
    found = TeamSeat.objects.select_for_update(of=("self",)).select_related("team", "user").filter(pk=row.pk).first()
    if found is not None:
        record("team.leave", found.team, actor=actor, at=at, before=_seat_shown(found))
        found.delete()


@transaction.atomic
def set_away(user: User, until: datetime | None, *, actor: User, at: datetime) -> int:
    """Note until when ``user`` is away from every team (None: is back); how many seats changed. Raises RuleViolated."""
    if until is not None and until <= at:
        raise RuleViolated("away_until", "Choose a moment that is still to come.", "away_until")
    rows = list(TeamSeat.objects.select_for_update().filter(user=user).order_by("pk"))
    if not rows:
        raise RuleViolated("away_until", "Nobody routes tickets to you: you are on no team.", "away_until")
    before = {"away_until": plain(rows[0].away_until)}
    changed = TeamSeat.objects.filter(pk__in=[row.pk for row in rows]).update(away_until=until)
    record("team.away", user, actor=actor, at=at, before=before, after={"away_until": plain(until)})
    return changed


def clean_skills(skills: Sequence[str]) -> list[str]:
    """Skills in lower case, each once, in order of the alphabet. Raises RuleViolated."""
    found = sorted({" ".join(str(skill).lower().replace("\x00", "").split()) for skill in skills} - {""})
    if len(found) > MOST_SKILLS or any(len(skill) > 60 for skill in found):
        raise RuleViolated("skills", f"At most {MOST_SKILLS} skills of up to 60 characters.", "skills")
    return found


def team_shown(team: Team) -> dict[str, Any]:
    """A team as the audit log keeps it."""
    return {
        "key": team.key, "name": team.name, "level": int(team.level), "skills": list(team.skills),
        "tiers": sorted(tier.key for tier in team.tiers.all()),
        "calendar": team.calendar.key if team.calendar else None,
    }  # fmt: skip


def _seat_shown(row: TeamSeat) -> dict[str, Any]:
    return {"user": row.user.email, "skills": list(row.skills), "capacity": row.capacity}


def _new_key(key: str, name: str) -> str:
    return new_key(Team.objects, key, name, limit=60, otherwise="team", taken=TAKEN)
