"""The editors of calendars and of lists of days off: text that people write, read into definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from accounts.forms.base import LinesField
from accounts.models import WorkCalendar
from accounts.people_forms import RuleForm, zone_choices
from businesstime import InvalidCalendar, read_calendar
from businesstime.findings import NAMES, night_overlaps
from businesstime.holidays import country_names
from ui.forms import LongSelect

SPAN = re.compile(r"\s*(\d{1,2}:\d\d)\s*(?:-|–|—|to)\s*(\d{1,2}:\d\d)\s*")
CLOSED = "closed"


class Unreadable(ValueError):
    """Text that is no list of hours; the message says what to write."""


class HoursForm(RuleForm):
    """A calendar of one's own."""

    name = forms.CharField(label="Name", max_length=120)
    timezone = forms.ChoiceField(
        label="Time zone",
        required=False,
        widget=LongSelect,
        help_text="Without one it counts in the customer's, else the workspace's.",
    )
    always_open = forms.BooleanField(label="Always open: day and night, every day of the year", required=False)
    minutes_per_day = forms.IntegerField(
        label="Minutes of a business day", min_value=1, max_value=1440, initial=480,
        help_text="What one business day of a promise means.",
    )  # fmt: skip
    holidays = LinesField(
        label="Days off",
        required=False,
        max_length=20_000,
        help_text="One a line, such as 2026-12-24, or 12-24 each year.",
    )
    overrides = LinesField(
        label="Days with hours of their own", required=False, max_length=20_000,
        help_text="One a line: 2026-12-31 09:00-12:00, or 2026-12-31 closed.",
    )  # fmt: skip
    breaks = LinesField(
        label="Breaks on single days",
        required=False,
        max_length=20_000,
        help_text="One a line: 2026-12-03 12:00-13:30.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"].choices = [("", "the customer's"), *zone_choices()]
        for day, label in NAMES.items():
            self.fields[day] = forms.CharField(
                label=label, required=False, max_length=300,
                widget=forms.TextInput(attrs={"placeholder": CLOSED, "spellcheck": "false", "autocomplete": "off"}),
            )  # fmt: skip
        self.order_fields(
            ["name", "timezone", "always_open", *NAMES, "minutes_per_day", "holidays", "overrides", "breaks"]
        )

    def clean(self) -> dict[str, Any]:
        """Adds ``definition``; every mistake stands at its own field."""
        data = super().clean() or {}
        definition = self._definition(data)
        if self.errors:
            return data
        try:
            problems = night_overlaps(read_calendar(definition, default_timezone="UTC").rules)
            if problems:
                raise InvalidCalendar(problems)
        except InvalidCalendar as error:
            for problem in error.problems:
                self.add_error(self._field_of(problem.field, definition), problem.detail)
        data["definition"] = definition
        return data

    def _definition(self, data: Mapping[str, Any]) -> dict[str, Any]:
        days = data.get("holidays") or []
        found: dict[str, Any] = {
            "weekly": {day: spans for day in NAMES if (spans := self._read(day, data.get(day) or ""))},
            "holidays": [day for day in days if len(day) != 5],
            "recurring_holidays": [day for day in days if len(day) == 5],
            "date_overrides": dict(self._dated("overrides", data.get("overrides") or [])),
            "breaks": [
                {"date": day, "from": start, "to": end}
                for day, spans in self._dated("breaks", data.get("breaks") or [])
                for start, end in spans
            ],
            "always_open": bool(data.get("always_open")),
        }
        found = {name: value for name, value in found.items() if value}
        return found | ({"timezone": data["timezone"]} if data.get("timezone") else {})

    def _read(self, field: str, text: str) -> list[list[str]]:
        try:
            return spans_of(text)
        except Unreadable as error:
            self.add_error(field, str(error))
            return []

    def _dated(self, field: str, lines: Sequence[str]) -> list[tuple[str, list[list[str]]]]:
        found = []
        for number, line in enumerate(lines, start=1):
            day, _space, text = line.partition(" ")
            try:
                found.append((day, spans_of(text, empty=field == "overrides")))
            except Unreadable as error:
                self.add_error(field, f"Line {number}: {error}")
        if field == "overrides" and len({day for day, _spans in found}) < len(found):
            self.add_error(field, "A day stands twice; put its hours on one line, with commas.")
        return found

    def _field_of(self, pointer: str, definition: Mapping[str, Any]) -> str | None:
        first, *rest = pointer.split("/")
        if first == "weekly":
            return rest[0] if rest and rest[0] in self.fields else "mon"
        names = {"recurring_holidays": "holidays", "date_overrides": "overrides"}
        name = names.get(first, first)
        return name if name in self.fields else None


def spans_of(text: str, *, empty: bool = False) -> list[list[str]]:
    """``[["09:00", "12:00"], …]`` of "9:00-12:00, 13:00-17:00"; nothing, or "closed", is none. Raises Unreadable.

    With ``empty`` the hours have to be said, if only as "closed".
    """
    text = text.strip()
    if text.lower() == CLOSED or not text:
        if not text and empty:
            raise Unreadable("Write its hours, such as 09:00-12:00, or closed.")
        return []
    found = []
    for part in re.split(r"[,;]", text):
        match = SPAN.fullmatch(part)
        if match is None:
            raise Unreadable(f"{part.strip()[:30]!r}: write hours as 09:00-17:00, several with commas.")
        found.append([time.zfill(5) for time in match.groups()])
    return found


def written(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What the form begins with for a ``definition``."""
    weekly = definition.get("weekly") or {}
    return {
        "timezone": definition.get("timezone") or "",
        "always_open": definition.get("always_open", False),
        **{day: _hours(weekly.get(day) or []) for day in NAMES},
        "holidays": [*(definition.get("holidays") or []), *(definition.get("recurring_holidays") or [])],
        "overrides": [
            f"{day} {_hours(spans or []) or CLOSED}" for day, spans in (definition.get("date_overrides") or {}).items()
        ],
        "breaks": [f"{each['date']} {each['from']}-{each['to']}" for each in definition.get("breaks") or []],
    }


def _hours(spans: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{start}-{end}" for start, end in spans)


class HolidayForm(RuleForm):
    """A list of days off: of a country, and of one's own."""

    name = forms.CharField(label="Name", max_length=120)
    country = forms.ChoiceField(label="Public holidays of", required=False)
    subdivision = forms.CharField(
        label="Part of the country", required=False, max_length=10, help_text="Its short code, such as BY or TX."
    )
    days = LinesField(
        label="Days off besides",
        required=False,
        max_length=20_000,
        help_text="One a line: 2026-12-24, or 12-24 each year.",
    )
    removed = LinesField(
        label="Public holidays that are worked", required=False, max_length=20_000, help_text="One a line: 2026-10-03."
    )
    calendars = forms.ModelMultipleChoiceField(
        label="Calendars that observe it", queryset=WorkCalendar.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", "no country"), *country_names()]
        self.fields["calendars"].queryset = WorkCalendar.objects.all()
