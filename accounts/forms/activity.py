"""Logging what happened on an account."""

from __future__ import annotations

from django import forms

from accounts.actions.activity import LOGGED_BY_HAND
from accounts.choices import ActivityKind, Visibility


class ActivityForm(forms.Form):
    """A call, a meeting, a mail or a note."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in ActivityKind if kind in LOGGED_BY_HAND], initial=ActivityKind.CALL
    )
    title = forms.CharField(max_length=200, label="What happened")
    body = forms.CharField(max_length=20_000, required=False, label="Notes", widget=forms.Textarea(attrs={"rows": 4}))
    at = forms.DateTimeField(
        required=False,
        label="When",
        help_text="Empty: now",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )
    shared = forms.BooleanField(required=False, label="Share with the customer in the portal")

    def visibility(self) -> str:
        return Visibility.SHARED if self.cleaned_data["shared"] else Visibility.INTERNAL
