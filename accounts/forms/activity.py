"""Logging what happened on an account, who was there and what was agreed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from accounts.actions.activity import LOGGED_BY_HAND
from accounts.choices import ActivityKind, Visibility
from accounts.forms.base import DateInput
from accounts.models import Account, Activity
from accounts.people_forms import RuleForm
from accounts.record_fields import ACTIVITY, MAX_ATTENDEES


class ActivityForm(RuleForm):
    """A call, a meeting, a mail or a note; who took part; the next step with its day, and its hour if it has one."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in ActivityKind if kind in LOGGED_BY_HAND], initial=ActivityKind.CALL
    )
    title = forms.CharField(max_length=200, label="What happened")
    body = forms.CharField(max_length=20_000, required=False, label="Notes", widget=forms.Textarea(attrs={"rows": 4}))
    people = forms.MultipleChoiceField(
        required=False, label="Who took part", choices=(), widget=forms.CheckboxSelectMultiple
    )
    others = forms.CharField(max_length=2_000, required=False, label="Others", help_text="Names, separated by commas")
    next_step = forms.CharField(max_length=200, required=False, label="Next step")
    next_step_on = forms.DateField(required=False, label="Due", widget=DateInput())
    next_step_time = forms.TimeField(
        required=False,
        label="At",
        help_text="With an hour it is a meeting",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    at = forms.DateTimeField(
        required=False,
        label="When",
        help_text="Empty: now",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )
    shared = forms.BooleanField(required=False, label="Share with the customer in the portal")

    seen_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, account: Account, entry: Activity | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = account.contacts.filter(left_on=None).order_by("name").values_list("name", flat=True)
        names = list(dict.fromkeys([*(entry.attendees if entry else ()), *present[:MAX_ATTENDEES]]))
        if entry is not None and entry.next_step_done_at is not None:
            for name in ("next_step", "next_step_on", "next_step_time"):
                self.fields[name].disabled = True
        self.fields["people"].choices = [(name, name) for name in names]
        if not names:
            del self.fields["people"]

    @staticmethod
    def said(entry: Activity) -> dict[str, Any]:
        """What the form of an entry begins with."""
        begins = entry.next_step_at and timezone.localtime(entry.next_step_at)
        return {
            "kind": entry.kind,
            "title": entry.title,
            "body": entry.body,
            "people": entry.attendees,
            "next_step": entry.next_step,
            "next_step_on": entry.next_step_on,
            "next_step_time": begins.time() if begins else None,
            "at": timezone.localtime(entry.at).replace(second=0, microsecond=0),
            "shared": entry.visibility == Visibility.SHARED,
            "seen_at": entry.edited_at.isoformat() if entry.edited_at else "",
        }

    def values(self) -> dict[str, Any]:
        """What ``log_touch`` takes besides account, actor and moment."""
        data = self.cleaned_data
        others = ACTIVITY["attendees"].read(data["others"])
        return {
            "kind": data["kind"],
            "title": data["title"],
            "body": data["body"].replace("\r\n", "\n"),
            "visibility": Visibility.SHARED if data["shared"] else Visibility.INTERNAL,
            "happened_at": data["at"],
            "attendees": list(dict.fromkeys([*data.get("people", []), *others]))[:MAX_ATTENDEES],
            "next_step": data["next_step"],
            "next_step_on": data["next_step_on"],
            "next_step_at": self._begins(),
        }

    def _begins(self) -> datetime | None:
        day, hour = self.cleaned_data["next_step_on"], self.cleaned_data["next_step_time"]
        return timezone.make_aware(datetime.combine(day, hour)) if day and hour else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("next_step_time") and not cleaned.get("next_step_on") and "next_step_on" not in self.errors:
            self.add_error("next_step_on", "Give the day of that hour.")
        if cleaned.get("others"):
            try:
                ACTIVITY["attendees"].read(cleaned["others"])
            except ValueError as wrong:
                self.add_error("others", str(wrong))
        return cleaned
