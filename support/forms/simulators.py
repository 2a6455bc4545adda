"""The forms of the simulators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from support.models import SlaPolicy
from support.sla.simulate import EVENT_TYPES

EXAMPLE_EVENTS = """created 2026-11-23 09:00
waiting 2026-11-23 11:00
resumed 2026-11-24 10:00
resolved 2026-11-24 15:00"""


class Minutes(forms.DecimalField):
    """A promise in minutes, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, min_value=1, max_value=1_000_000, decimal_places=4, **kwargs)


class PolicyForm(forms.Form):
    """A service level and a ticket nobody has opened yet."""

    policy = forms.ChoiceField(label="Service level")
    tier = forms.CharField(
        label="Tier", required=False, max_length=60, help_text="Key of a tier; empty: the level's own"
    )
    severity = forms.CharField(label="Severity", required=False, max_length=60, help_text="Its key, such as S1")
    created_at = forms.DateTimeField(label="Opened", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    timezone = forms.CharField(
        label="Time zone", required=False, max_length=64, help_text="The customer's, such as Europe/Berlin"
    )
    holidays = forms.CharField(
        label="Holidays besides",
        required=False,
        max_length=2000,
        help_text="Such as 2026-12-24, with blanks between",
    )

    def __init__(self, *args: Any, policies: Sequence[SlaPolicy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].choices = [(policy.key, policy.name) for policy in policies]


class ClockForm(forms.Form):
    """A calendar, promises and events somebody made up."""

    calendar = forms.ChoiceField(label="Calendar")
    first_response = forms.DecimalField(
        label="First response, minutes", required=False, min_value=1, max_value=1_000_000
    )
    update = forms.DecimalField(label="Next update, minutes", required=False, min_value=1, max_value=1_000_000)
    resolution = forms.DecimalField(label="Resolution, minutes", required=False, min_value=1, max_value=1_000_000)
    events = forms.CharField(
        label="What happened",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=f"One a line, by the calendar's clock. Kinds: {', '.join(EVENT_TYPES)}.",
        max_length=20_000,
    )
    evaluated_at = forms.DateTimeField(
        label="Looked at", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: with the last event",
    )  # fmt: skip

    def __init__(self, *args: Any, calendars: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"].choices = [(row.key, row.name) for row in calendars]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(data.get(name) for name in ("first_response", "update", "resolution")):
            self.add_error("first_response", "Promise something.")
        return data


class DecisionForm(forms.Form):
    """The questions of a methodology's decision tree."""

    def __init__(self, *args: Any, facts: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in facts:
            label = name.replace("_", " ").replace("csm", "CSM")
            self.fields[name] = forms.BooleanField(label=label[:1].upper() + label[1:], required=False)
