"""Forms of the day. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.people_forms import RuleForm


class PutOffForm(RuleForm):
    """Until when, and why."""

    until_on = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(label="Reason", max_length=200)


def tomorrow() -> dict[str, Any]:
    """The form as it first stands: the reader's next day."""
    return {"until_on": timezone.localdate() + timedelta(days=1)}
