"""The form with which a customer says how it went."""

from __future__ import annotations

from django import forms

from accounts.people_forms import RuleForm

SCORES = [("5", "5 – very good"), ("4", "4 – good"), ("3", "3 – so-so"), ("2", "2 – bad"), ("1", "1 – very bad")]


class RatingForm(RuleForm):
    """One to five, and why."""

    score = forms.ChoiceField(
        choices=SCORES, widget=forms.RadioSelect, label="How did we do?", error_messages={"required": "Choose one."}
    )
    comment = forms.CharField(
        label="What made it so?", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
