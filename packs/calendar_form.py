"""The form of the calendar simulator."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import WorkCalendar


class Definition(forms.JSONField):
    """JSON of which nothing written is an empty field, not ``null``."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class CalendarForm(forms.Form):
    """A calendar, or a definition of one's own, and what to ask of it."""

    calendar = forms.ChoiceField(label="Calendar", required=False)
    definition = Definition(
        label="Or a definition of your own",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text='Such as {"timezone": "Europe/Berlin", "weekly": {"mon": [["09:00", "17:00"]]}}.',
    )
    start = forms.DateTimeField(label="From", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    minutes = forms.DecimalField(
        label="Working minutes to add", required=False, max_value=10_000_000, min_value=-10_000_000, decimal_places=4
    )
    end = forms.DateTimeField(
        label="Until", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Measures the working time between the two.",
    )  # fmt: skip

    def __init__(self, *args: Any, calendars: list[WorkCalendar], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(each.key, each.name) for each in calendars]
        self.fields["calendar"].choices = [*choices, ("", "My own definition")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("calendar") and data.get("definition") in (None, ""):
            self.add_error("definition", "Choose a calendar, or write a definition.")
        for name in ("start", "end"):
            if data.get(name):
                # The browser's wall clock is taken as the calendar's; Django read it in the reader's zone.
                data[name] = data[name].replace(tzinfo=None)
        return data
