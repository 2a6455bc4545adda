"""Contracts and their lines."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import ContractStatus
from accounts.forms.base import DateInput, RecordForm
from accounts.models import Contract
from accounts.record_fields import CONTRACT

_TEXT = ("number", "currency", "billing")


class ContractForm(RecordForm):
    """A contract's own fields. Its ARR is the sum of its lines."""

    fields_table = {name: CONTRACT[name] for name in _TEXT}

    number = forms.CharField(max_length=60, required=False)
    status = forms.ChoiceField(choices=ContractStatus.choices, initial=ContractStatus.ACTIVE)
    start_on = forms.DateField(widget=DateInput, label="Starts on")
    end_on = forms.DateField(
        widget=DateInput, required=False, label="Ends on", help_text="Its last day; empty: open-ended"
    )
    notice_days = forms.IntegerField(min_value=0, max_value=3660, initial=0, required=False, label="Notice, days")
    auto_renew = forms.BooleanField(required=False, label="Renews by itself")
    currency = forms.CharField(max_length=3, help_text="Three letters, such as EUR")
    billing = forms.CharField(max_length=20, required=False, help_text="Such as yearly or monthly")

    def clean_notice_days(self) -> int:
        return self.cleaned_data["notice_days"] or 0

    @classmethod
    def initial_of(cls, contract: Contract) -> dict[str, Any]:
        """The form's values for a contract as it is."""
        return {name: getattr(contract, name) for name in cls.base_fields}


class LineForm(forms.Form):
    """One product of a contract; an empty line is left out."""

    product = forms.CharField(max_length=120, required=False)
    seats = forms.IntegerField(min_value=0, max_value=2_000_000_000, required=False)
    arr = forms.DecimalField(min_value=0, max_digits=14, decimal_places=2, required=False, label="ARR")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if any(value not in {None, ""} for value in cleaned.values()):
            if not cleaned.get("product"):
                self.add_error("product", "Name the product of this line.")
            if cleaned.get("arr") is None and "arr" not in self.errors:
                self.add_error("arr", "Give the yearly amount of this line.")
        return cleaned


class BaseLineFormSet(forms.BaseFormSet):
    """The lines of one contract, at most 20 on the page."""

    def lines(self) -> list[dict[str, Any]]:
        """The lines that say something."""
        return [dict(form.cleaned_data) for form in self.forms if form.cleaned_data.get("product")]


LineFormSet = forms.formset_factory(LineForm, formset=BaseLineFormSet, extra=3, max_num=20, validate_max=True)
