"""What customers write. The forms read; the actions of the desk decide."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.account_fields import AccountField
from accounts.models import Account, Severity, User
from accounts.people_forms import RuleForm
from support.choices import Impact
from support.forms.fields import CustomFields
from support.forms.tickets import FilesField, SeverityField

SCORES = [(5, "5, very content"), (4, "4"), (3, "3"), (2, "2"), (1, "1, not at all")]


class RequestForm(CustomFields, RuleForm):
    """A new request: both severity and impact, so that it can be ranked (FMEA-6.2)."""

    account = AccountField(label="Company", empty_label=None)
    subject = forms.CharField(label="In one line", max_length=300)
    body = forms.CharField(label="What happened", widget=forms.Textarea(attrs={"rows": 6}), max_length=100_000)
    severity = SeverityField(
        label="How bad is it", queryset=Severity.objects.none(), empty_label="Choose", to_field_name="key"
    )
    impact = forms.TypedChoiceField(
        label="Whom does it keep from working", coerce=int, choices=[("", "Choose"), *Impact.choices]
    )
    files = FilesField()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].offer(Account.objects.visible_to(user).unarchived())
        self.add_custom(for_customer=True)
        rows = Severity.objects.all()
        self.fields["severity"].queryset = rows
        self.fields["severity"].required = rows.exists()
        if not self.fields["severity"].required:
            self.fields["severity"].widget = forms.HiddenInput()


class AnswerForm(RuleForm):
    """What the customer writes into a request."""

    body = forms.CharField(label="Your answer", widget=forms.Textarea(attrs={"rows": 5}), max_length=100_000)
    files = FilesField()


class RatingForm(RuleForm):
    """How content they are with the solution."""

    score = forms.TypedChoiceField(
        label="How content are you with how it was solved", coerce=int, choices=SCORES, widget=forms.RadioSelect
    )
    comment = forms.CharField(
        label="What could be better", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
