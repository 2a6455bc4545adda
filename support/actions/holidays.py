"""Lists of days off: a country's, and the workspace's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.keys import insert_key, new_key
from accounts.audit import record
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import WorkCalendar
from businesstime.holidays import known_countries
from support.actions.log import one_line
from support.models import HolidayList

if TYPE_CHECKING:
    from accounts.models import User

DAY = re.compile(r"\d{4}-\d\d-\d\d|\d\d-\d\d", re.ASCII)
TAKEN = "There is a list with this key."
MOST_DAYS = 500


@transaction.atomic
def save_holidays(
    row: HolidayList | None,
    *,
    name: str,
    key: str = "",
    country: str = "",
    subdivision: str = "",
    days: Sequence[str] = (),
    removed: Sequence[str] = (),
    calendars: Sequence[WorkCalendar] = (),
    actor: User,
    at: datetime,
    expected_version: int | None = None,
) -> HolidayList:
    """Make a list, or write ``row`` anew. Returns it. Open deadlines follow in the background.

    Raises RuleViolated naming the first mistake, StaleVersion.
    """
    found = HolidayList.objects.select_for_update().get(pk=row.pk) if row else HolidayList(key=_new_key(key, name))
    if row and expected_version is not None and found.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=found.version)
    before = _shown(found) if row else None
    values = checked_holidays(name=name, country=country, subdivision=subdivision, days=days, removed=removed)
    for field, value in values.items():
        setattr(found, field, value)
    found.version += 1 if row else 0
    if row:
        found.save()
    else:
        insert_key(found, taken=TAKEN, field="key" if key else "name")
    found.calendars.set(calendars)
    action = "holidays.update" if row else "holidays.create"
    record(action, found, actor=actor, at=at, before=before, after=_shown(found))
    return found


@transaction.atomic
def retire_holidays(row: HolidayList, *, actor: User, at: datetime) -> None:
    """Remove a list, if it is there still; its days are worked again."""
    found = HolidayList.objects.select_for_update().filter(pk=row.pk).first()
    if found is not None:
        record("holidays.delete", found, actor=actor, at=at, before=_shown(found))
        found.delete()


def checked_holidays(
    *, name: str, country: str = "", subdivision: str = "", days: Sequence[str] = (), removed: Sequence[str] = ()
) -> dict[str, Any]:
    """The fields of a list as they are stored. Raises RuleViolated naming the first mistake."""
    country, subdivision = country.strip().upper(), subdivision.strip().upper()
    known = known_countries()
    if country and country not in known:
        raise RuleViolated(
            "country", "There are no holidays for this country; use its two letters, such as DE.", "country"
        )
    if subdivision and subdivision not in {part.upper() for part in known.get(country, [])}:
        parts = ", ".join(known.get(country, [])) or "none"
        raise RuleViolated("subdivision", f"Not a part of this country. It has: {parts[:300]}.", "subdivision")
    found = {
        "name": one_line(name, "name", 120), "country": country, "subdivision": subdivision,
        "days": _days(days, "days"), "removed": _days(removed, "removed"),
    }  # fmt: skip
    if not country and not found["days"]:
        raise RuleViolated("required", "Choose a country, or list days.", "days")
    return found


def _days(values: Sequence[str], field: str) -> list[str]:
    found = sorted({str(value).strip() for value in values} - {""})
    if len(found) > MOST_DAYS:
        raise RuleViolated("too_many", f"At most {MOST_DAYS} days.", field)
    for day in found:
        try:
            # A leap year, so that 02-29 may be listed.
            valid = DAY.fullmatch(day) and date.fromisoformat(day if len(day) == 10 else f"2000-{day}")
        except ValueError:
            valid = None
        if not valid:
            raise RuleViolated("date", f"{day[:20]!r} is not a day; use 2026-12-24, or 12-24 for each year.", field)
    return found


def _shown(row: HolidayList) -> dict[str, Any]:
    return {
        "key": row.key, "name": row.name, "country": row.country, "subdivision": row.subdivision,
        "days": list(row.days), "removed": list(row.removed),
        "calendars": sorted(row.calendars.values_list("key", flat=True)),
    }  # fmt: skip


def _new_key(key: str, name: str) -> str:
    return new_key(HolidayList.objects, key, name, limit=60, otherwise="days-off", taken=TAKEN)
