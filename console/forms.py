"""The console's forms."""

from __future__ import annotations

from django import forms

from tenants.quotas import DEFAULT


class ReasonForm(forms.Form):
    """Why a workspace is suspended."""

    reason = forms.CharField(max_length=300, help_text="Kept in the audit log and shown here.")


class ConfirmForm(forms.Form):
    """The sub-domain, typed."""

    confirmation = forms.CharField(
        label="Type the sub-domain to confirm", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class LimitsForm(forms.Form):
    """The limits of one workspace; empty means the default."""

    accounts = forms.IntegerField(min_value=1, max_value=10_000_000, required=False)
    users = forms.IntegerField(min_value=1, max_value=100_000, required=False)
    api_calls_per_minute = forms.IntegerField(
        label="API calls a minute", min_value=1, max_value=1_000_000, required=False
    )
    events_per_day = forms.IntegerField(label="Events a day", min_value=1, max_value=10**10, required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, value in DEFAULT._asdict().items():
            self.fields[name].help_text = f"Default: {value:,}"
