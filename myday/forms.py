"""Forms of the day. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from accounts.forms import OwnerForm
from accounts.people_forms import RuleForm
from playbooks.due import DueDays


class PutOffForm(RuleForm):
    """Until when, and why."""

    until_on = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(label="Reason", max_length=200)


class HandAccountOverForm(OwnerForm):
    """Who owns the account now, and whether the open work goes along."""

    with_ctas = forms.BooleanField(label="With the open CTAs of the owner before", required=False, initial=True)


def next_working_day() -> dict[str, Any]:
    """The form as it first stands: the next day on which the workspace works. Two queries."""
    return {"until_on": DueDays(timezone.now()).after(1)}
