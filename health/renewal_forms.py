"""Forms on renewals: the call of who works the account, and which of two signals counts."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.people_forms import RuleForm
from health.actions.renewals import LONGEST_REASON
from health.choices import RenewalCall, RenewalSide, RenewalSignal
from health.models import RenewalReview
from health.renewals import DECIDE_DAYS, may_monitor

_EARLIEST = (
    f"From {DECIDE_DAYS} days before the renewal on a call says how it will end; Monitor is not offered any more."
)


class CallForm(RuleForm):
    """What the renewal will come to, and why. Monitor is offered while there is time."""

    call = forms.ChoiceField(label="Your call", widget=forms.Select(attrs={"data-focus": ""}))
    reason = forms.CharField(
        label="Why", max_length=LONGEST_REASON, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, review: RenewalReview, days_left: int, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"id_{review.pk}_%s")
        super().__init__(*args, **kwargs)
        offered = [pair for pair in RenewalCall.choices if pair[0] != RenewalCall.MONITOR or may_monitor(days_left)]
        field: Any = self.fields["call"]
        field.choices = [("", "Choose one"), *offered]
        if not may_monitor(days_left):
            field.error_messages["invalid_choice"] = _EARLIEST
        field.initial, self.fields["reason"].initial = review.call, review.call_reason


class CheckpointsForm(RuleForm):
    """Days before a renewal, with commas between."""

    days = forms.CharField(
        label="Days before a renewal",
        required=False,
        max_length=80,
        help_text="With commas between: 180, 90, 30. Empty: where the phases of your methodologies begin.",
    )

    def clean_days(self) -> list[int]:
        """The days as numbers."""
        parts = [part.strip() for part in self.cleaned_data["days"].split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
            raise forms.ValidationError("Whole numbers with commas between.")
        return [int(part) for part in parts]


class DecisionForm(RuleForm):
    """Which of the two counts, and why."""

    side = forms.ChoiceField(label="Which counts", widget=forms.RadioSelect)
    reason = forms.CharField(label="Why", max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, review: RenewalReview, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["side"]
        field.choices = [
            (RenewalSide.SYSTEM.value, f"The system: {RenewalSignal(review.signal).label.lower()}"),
            (
                RenewalSide.CALL.value,
                f"The call: {RenewalCall(review.call).label.lower()}" if review.call else "The call",
            ),
        ]
