"""Tiers, stages, team roles, calendars and severities as a methodology pack brings them.

Each verb takes a pack's definitions and brings the workspace's rows up to them: a few statements whatever
their number, and none that change anything the second time. A key another pack already uses becomes
``<pack>-<key>``, so that all packs can stand beside each other. Rows that left a pack stay: accounts use them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from accounts.models import LifecycleStage, Severity, TeamRole, Tier, WorkCalendar
from businesstime import read_calendar
from businesstime.rules import WEEKDAYS

Definition = Mapping[str, Any]
Row = TypeVar("Row", bound=Model)


@transaction.atomic
def upsert_tiers(definitions: Sequence[Definition], *, pack: str) -> dict[str, Tier]:
    """The pack's tiers by their key in the pack. An overlay is not a tier of its own and stays out."""
    rows = {
        definition["key"]: {
            "name": definition["name"],
            "rank": definition["rank"],
            "success_model": definition.get("success_model") or "",
            "capacity": _capacity(definition),
            "data": dict(definition),
        }
        for definition in definitions
        if definition["rank"] is not None and not definition.get("overlay")
    }
    return _upsert(Tier, rows, pack=pack)


@transaction.atomic
def upsert_stages(definitions: Sequence[Definition], *, pack: str) -> dict[str, LifecycleStage]:
    """The pack's lifecycle stages in its order."""
    rows = {
        definition["key"]: {
            "name": definition.get("name") or definition["key"],
            "position": position,
            "data": dict(definition),
        }
        for position, definition in enumerate(definitions, start=1)
    }
    return _upsert(LifecycleStage, rows, pack=pack)


@transaction.atomic
def upsert_team_roles(definitions: Sequence[Definition], *, pack: str) -> dict[str, TeamRole]:
    """The pack's roles. One that another pack brought with the same side and meaning is shared."""
    rows = {
        definition["key"]: {
            "name": definition["name"],
            "side": definition["side"],
            "maps_to": definition.get("maps_to") or "",
            "data": dict(definition),
        }
        for definition in definitions
    }
    return _upsert(TeamRole, rows, pack=pack, same=("side", "maps_to"))


@transaction.atomic
def upsert_calendars(definitions: Sequence[Definition], *, pack: str) -> dict[str, WorkCalendar]:
    """The pack's calendars in the shape of the calendar call. Equal ones of two packs are shared."""
    rows = {
        definition["key"]: {
            "name": definition["name"],
            "timezone": "" if definition["timezone"] == "tenant" else definition["timezone"],
            "definition": calendar_definition(definition),
            "minutes_per_day": definition["minutes_per_day"],
        }
        for definition in definitions
    }
    return _upsert(WorkCalendar, rows, pack=pack, same=("timezone", "definition", "minutes_per_day"))


@transaction.atomic
def upsert_severities(definitions: Sequence[Definition], *, pack: str) -> dict[str, Severity]:
    """The pack's severities. ``*`` stands for "any" in the packs and is none of them."""
    rows = {
        definition["key"]: {"name": definition["name"], "rank": definition["rank"], "data": dict(definition)}
        for definition in definitions
        if definition["key"] != "*"
    }
    return _upsert(Severity, rows, pack=pack, same=("name", "rank", "data"))


def calendar_definition(definition: Definition) -> dict[str, Any]:
    """A pack's calendar (days, start, end, timezone) in the shape of INTERFACES §4.

    Round the clock on every day is ``always_open``, which knows no holidays (AMB-13). Raises InvalidCalendar.
    """
    always = len(definition["days"]) == 7 and (definition["start"], definition["end"]) == ("00:00", "24:00")
    shaped: dict[str, Any] = {"always_open": True}
    if not always:
        hours = [[definition["start"], definition["end"]]]
        shaped = {"weekly": {WEEKDAYS[day - 1]: hours for day in definition["days"]}, "always_open": False}
    if definition["timezone"] != "tenant":
        shaped["timezone"] = definition["timezone"]
    read_calendar(shaped, default_timezone="UTC")
    return shaped


def _capacity(definition: Definition) -> dict[str, dict[str, Any]]:
    """``accounts_per_<role>`` of a tier as {role: {"min", "max"}}."""
    return {
        name.removeprefix("accounts_per_"): {"min": value.get("min"), "max": value.get("max")}
        for name, value in definition.items()
        if name.startswith("accounts_per_") and isinstance(value, Mapping)
    }


def _upsert(
    model: type[Row], rows: Mapping[str, dict[str, Any]], *, pack: str, same: Sequence[str] = ()
) -> dict[str, Row]:
    """Bring ``model``'s rows of ``pack`` to ``rows``; two statements, one when nothing changed.

    A key of another pack is shared where all fields in ``same`` agree, else prefixed.
    """
    present: dict[str, Row] = {row.key: row for row in model._default_manager.all()}
    result: dict[str, Row] = {}
    changed: list[Row] = []
    for key, fields in rows.items():
        row = _row_for(present, key, fields, pack, same, model)
        result[key] = row
        if row.pack != pack or (not row._state.adding and all(getattr(row, f) == v for f, v in fields.items())):
            continue
        for name, value in fields.items():
            setattr(row, name, value)
        present[row.key] = row
        changed.append(row)
    if changed:
        names = sorted({name for fields in rows.values() for name in fields})
        model._default_manager.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=names)
    return result


def _row_for(
    present: dict[str, Any], key: str, fields: dict[str, Any], pack: str, same: Sequence[str], model: Callable[..., Any]
) -> Any:
    """The pack's own row, one of another pack that means the same, or a new one under a free key."""
    prefixed = f"{pack}-{key}"
    if prefixed in present:
        return present[prefixed]
    row = present.get(key)
    if row is None:
        return model(key=key, pack=pack)
    shared = same and all(getattr(row, name) == fields[name] for name in same)
    return row if row.pack == pack or shared else model(key=prefixed, pack=pack)
