"""The desk's administration: teams, service levels, calendars, fields, views and bulk edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authz.bodies.example import Example
from tests.authz.bodies.made import CALENDAR, owner_chosen

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World

HOURS = {"name": "Nights", "minutes_per_day": "480", "mon": "22:00-06:00"}
FIELD = {"label": "Site", "kind": "text", "position": "0"}


def habits(world: World, actor: Actor) -> dict[str, Any]:
    """A checklist of the actor's own workspace that can be started."""
    return {"template": str(world.row("habits", "foreign" if actor.name == "owner of B" else "own").pk)}


EXAMPLES: dict[str, Example] = {
    "POST support:team-create": Example({"name": "Nights", "level": "1"}),
    "POST support:team-edit": Example({"name": "Nights", "level": "1"}),
    "POST support:seat-add": Example(lambda world, actor: {**owner_chosen("user")(world, actor), "capacity": "9"}),
    "POST support:seat-edit": Example({"capacity": "9"}),
    "POST support:away": Example({"away_until": ""}),
    "POST support:routing-mode": Example({"routing": "team"}),
    "POST api:team-list": Example({"name": "Nights"}, status=201),
    "PATCH api:team-detail": Example({"name": "Nights"}),
    "POST api:team-seats": Example(lambda world, actor: {"user": world.people_of(actor)["vp"].email}, status=201),
    "PATCH api:seat-detail": Example({"capacity": 9}),
    "PUT api:routing": Example({"routing": "team"}, status=200),
    "POST api:ticket-routing": Example(status=200),
    "POST support:policy-create": Example({"name": "Gold", "position": "0", "calendar": "matrix", "0-response": "4"}),
    "POST support:policy-edit": Example({"name": "Gold", "position": "0", "calendar": "matrix", "0-response": "4"}),
    "POST support:policy-switch": Example({"on": "1"}),
    "POST support:policy-restore": Example({"number": "1"}),
    "POST support:clock-settings": Example(
        {
            "reopen_days": "3",
            "close_after_days": "3",
            "remind_after_days": "2",
            "solve_after_days": "5",
            "warn_at": "50%",
        }
    ),
    "POST support:calendar-create": Example(HOURS),
    "POST support:calendar-edit": Example(HOURS),
    "POST support:calendar-restore": Example({"entry": "1"}),
    "POST support:holidays-create": Example({"name": "Germany", "country": "DE"}),
    "POST support:holidays-edit": Example({"name": "Germany", "country": "DE"}),
    "POST api:sla-policy-preview": Example({"escalate_at_pct": 80}, status=200),
    "POST api:sla-policy-restore": Example({"number": 1}, status=200),
    "POST api:calendar-preview": Example({"definition": CALENDAR}, status=200),
    "POST api:holiday-list": Example({"name": "Germany", "country": "DE"}, status=201),
    "PATCH api:holiday-detail": Example({"name": "Germany"}),
    "POST api:holiday-preview": Example({"days": ["12-24"]}, status=200),
    "PATCH api:clock-settings": Example({"reopen_days": 3}),
    "POST support:view-save": Example({"name": "Sign-in", "query": "tag=sso"}),
    "POST support:view-change": Example({"query": "tag=sso"}),
    "POST support:field-create": Example(FIELD),
    "POST support:field-edit": Example(FIELD),
    "POST support:channel-edit": Example({"own_address": "+1 555 0100", "is_offered": "on"}),
    "POST support:account-review": Example({"outcome": "All well", "next_on": ""}),
    "PUT api:account-service-review": Example({"next_on": None}, status=200),
    "PATCH api:channel-detail": Example({"own_address": "+1 555 0100"}),
    "POST support:checklist-list": Example(habits),
    "POST support:checklist-detail": Example({"notes": "Fewer"}),
    "POST api:checklist-list": Example(habits, status=201),
    "PATCH api:checklist-detail": Example({"notes": "Fewer"}, status=200),
    "POST api:ticket-edits": Example(
        lambda world, actor: {"tickets": [str(world.own("ticket").pk)], "verb": "tag", "tags": ["sso"]}, status=200
    ),
    "POST api:ticket-edit-undo": Example(status=200),
    "POST api:field-list": Example({"label": "Wing"}, status=201),
    "PATCH api:field-detail": Example({"label": "Wing"}),
    "POST api:macro-list": Example({"name": "Thanks", "body": "Thank you"}, status=201),
    "PATCH api:macro-detail": Example({"body": "Thank you"}),
    "POST api:ticket-view-list": Example({"name": "Sign-in", "query": "tag=sso"}, status=201),
    "PATCH api:ticket-view-detail": Example({"name": "Sign-in"}),
}
