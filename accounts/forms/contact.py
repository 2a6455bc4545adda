"""People at the customer."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import Influence, Sentiment, StakeholderRole
from accounts.forms.base import DateInput, RecordForm
from accounts.models import Contact
from accounts.record_fields import CONTACT

_TEXT = ("name", "email", "phone", "title")


class ContactForm(RecordForm):
    """A contact's own fields; leaving has its own form."""

    fields_table = {name: CONTACT[name] for name in _TEXT}

    name = forms.CharField(max_length=160)
    title = forms.CharField(max_length=120, required=False, label="Job title")
    email = forms.CharField(max_length=254, required=False, label="E-mail", widget=forms.EmailInput)
    phone = forms.CharField(max_length=40, required=False)
    stakeholder_role = forms.ChoiceField(choices=StakeholderRole.choices, initial=StakeholderRole.OTHER, label="Role")
    influence = forms.ChoiceField(
        choices=Influence.choices, required=False, help_text="How much their word weighs when it is decided to stay"
    )
    sentiment = forms.ChoiceField(choices=Sentiment.choices, required=False, help_text="How they feel about us")

    @classmethod
    def initial_of(cls, contact: Contact) -> dict[str, Any]:
        """The form's values for a contact as it is."""
        return {name: getattr(contact, name) for name in cls.base_fields}


class LeftForm(forms.Form):
    """The day a contact left the customer."""

    left_on = forms.DateField(widget=DateInput, label="Left on")
