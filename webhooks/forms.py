"""What an administrator types about an endpoint; rules belong to the actions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

from django import forms

from accounts.people_forms import RuleForm
from webhooks.catalogue import BY_NAME, EVENT_TYPES, RESOURCES

PERIODS = {"1": "the last 24 hours", "7": "the last 7 days", "30": "the last 30 days"}


class EndpointForm(RuleForm):
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://example.com/hooks"}),
        help_text="https, port 443, on the internet. Events are posted there as JSON.",
    )
    description = forms.CharField(
        label="What it is", max_length=120, required=False, help_text="Such as the system behind it."
    )
    event_types = forms.MultipleChoiceField(
        label="Events",
        choices=[(known.name, known.told) for known in EVENT_TYPES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one type of event."},
    )

    def groups(self) -> Iterator[tuple[str, list[Any]]]:
        """The types by their resource, each with its box."""
        boxes = groupby(self["event_types"], key=lambda box: BY_NAME[box.data["value"]].resource)
        return ((RESOURCES[resource], list(group)) for resource, group in boxes)


class TestForm(RuleForm):
    event_type = forms.ChoiceField(label="Event")

    def __init__(self, *args: Any, offered: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["event_type"].choices = [(name, name) for name in offered if name in BY_NAME]


class ReplayForm(forms.Form):
    period = forms.ChoiceField(label="Given up in", choices=list(PERIODS.items()))

    @property
    def span(self) -> timedelta:
        """How far it reaches back."""
        return timedelta(days=int(self.cleaned_data["period"]))


class ResumeForm(forms.Form):
    catch_up = forms.BooleanField(label="Send what happened meanwhile too", required=False)
