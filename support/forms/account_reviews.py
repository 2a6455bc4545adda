"""The form of an account's service reviews."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms.base import DateInput
from accounts.people_forms import RuleForm


def _day(**given: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=DateInput, **given)


class ServiceReviewForm(RuleForm):
    """The day agreed for the next review, and one that was held."""

    held_on = _day(label="A review was held on", help_text="Empty: none to note. It goes onto the account's timeline.")
    outcome = forms.CharField(
        label="What came of it", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    next_on = _day(label="The next one is on", help_text="Empty: as the methodology has it.")
