"""What a person wishes about their mail."""

from __future__ import annotations

from django import forms


class QuietHoursForm(forms.Form):
    """Both times empty: no quiet hours."""

    begins = forms.TimeField(
        required=False, label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    ends = forms.TimeField(
        required=False, label="Until", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    urgent_passes = forms.BooleanField(required=False, label="Urgent mail comes all the same")
