"""What stands beside the conversation on a ticket's page: names, the incident, the guide, and what may be chosen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.choices import STAFF_ROLES
from support.models import Ticket

# A dozen tables with a row or a few each. As joins of the ticket their order alone took PostgreSQL longer to think
# about than all the rest of the page to be read, and as querysets they were a third of it in Python.
BESIDE = """
select jsonb_build_object(
    'tier', (select name from accounts_tier where id = a.tier_id),
    'severity', (select name from accounts_severity where id = t.severity_id),
    'assignee', (select coalesce(nullif(name, ''), email) from accounts_user where id = t.assignee_id),
    'snoozed_by', (select coalesce(nullif(name, ''), email) from accounts_user where id = t.snoozed_by_id),
    'team', (select jsonb_build_object('key', key, 'name', name) from support_team where id = t.team_id),
    'guide', (select jsonb_build_object('name', name, 'causes', causes, 'fixes', fixes, 'prevention', prevention)
        from support_issueguide where key = t.category or key = any(t.tags) order by pack, position limit 1),
    'incident', (select jsonb_build_object('pk', id, 'number', number, 'title', title, 'noticed', first_notice_at,
        'letters', array(select jsonb_build_object('key', key, 'at', sent_at) from support_incidentletter
            where incident_id = t.incident_id order by sent_at)) from support_incident where id = t.incident_id),
    'entries', array(select jsonb_build_array(e.minutes, coalesce(nullif(u.name, ''), u.email), e.note, e.at)
        from support_timeentry e join accounts_user u on u.id = e.user_id where e.ticket_id = t.id
        order by e.at desc limit 50),
    'labels', array(select jsonb_build_object('key', key, 'label', label) from support_ticketfield
        where retired_at is null order by position, label),
    'rules', array(select definition -> 'auto_rules' from support_ladder where definition ? 'auto_rules'),
    'people', array(select jsonb_build_array(id, coalesce(nullif(name, ''), email), (not is_active)::int)
        from accounts_user where role = any(%(staff)s)),
    'teams', array(select jsonb_build_array(key, name, level) from support_team where retired_at is null),
    'macros', array(select jsonb_build_array(id, name, position) from support_macro where retired_at is null)
) from support_ticket t join accounts_account a on a.id = t.account_id where t.id = %(ticket)s
"""


@dataclass(frozen=True, slots=True)
class Linked:
    """The incident a ticket tells of. ``letters`` as ``incident_said.letters_said`` has them."""

    pk: str
    number: int
    title: str
    first_notice_at: datetime | None
    letters: list[Mapping[str, str]]

    @property
    def code(self) -> str:
        """How people call it."""
        return f"INC-{self.number}"


@dataclass(frozen=True, slots=True)
class Entry:
    """Work somebody put into the ticket."""

    minutes: int
    user: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Beside:
    """Names of what the ticket belongs to, and (key, name) of what an agent may choose for it.

    ``everyone`` names all of the house by key, those who left too; ``rules`` are those of each ladder.
    """

    tier: str | None
    severity: str | None
    assignee: str | None
    snoozed_by: str | None
    team: Mapping[str, str] | None
    guide: Mapping[str, Any] | None
    incident: Linked | None
    entries: list[Entry]
    labels: list[Mapping[str, str]]
    rules: list[Sequence[Mapping[str, Any]]]
    people: list[tuple[str, str]]
    teams: list[tuple[str, str]]
    macros: list[tuple[str, str]]
    everyone: dict[str, str]


def beside(ticket: Ticket) -> Beside:
    """All of it, of a ticket its reader may see. One query."""
    with connection.cursor() as cursor:
        cursor.execute(BESIDE, {"ticket": ticket.pk, "staff": sorted(STAFF_ROLES)})
        found = json.loads(cursor.fetchone()[0])
    people = found["people"]
    return Beside(**found | {
        "incident": _linked(found["incident"]) if found["incident"] else None,
        "entries": [_entry(*each) for each in found["entries"]],
        "people": _in_order(person for person in people if not person[2]),
        "everyone": {key: name for key, name, _left in people},
        "teams": _in_order(found["teams"]),
        "macros": _in_order(found["macros"]),
    })  # fmt: skip


def _linked(row: Mapping[str, Any]) -> Linked:
    noticed = datetime.fromisoformat(row["noticed"]) if row["noticed"] else None
    return Linked(row["pk"], row["number"], row["title"], noticed, row["letters"])


def _entry(minutes: int, user: str, note: str, at: str) -> Entry:
    return Entry(minutes, user, note, datetime.fromisoformat(at))


def _in_order(rows: Iterable[Any]) -> list[tuple[str, str]]:
    """(key, name) of [key, name, place], by place and name."""
    return [(key, name) for key, name, _place in sorted(rows, key=lambda row: (row[2], row[1].casefold()))]
