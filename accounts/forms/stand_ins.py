"""The form of an absence."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import LEADER_ROLES
from accounts.forms.base import DateInput
from accounts.models import User
from accounts.people_forms import RuleForm
from accounts.policy import CAPABILITIES


class StandInForm(RuleForm):
    """Who is away, when, and who does their work. Only leaders choose who is away; for others it is themselves."""

    absent = forms.ModelChoiceField(label="Away", queryset=User.objects.none(), empty_label=None)
    from_on = forms.DateField(label="From", widget=DateInput)
    until_on = forms.DateField(label="Until", widget=DateInput, help_text="The last day away.")
    colleague = forms.ModelChoiceField(
        label="Stands in", queryset=User.objects.none(), empty_label="Choose a colleague"
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = CAPABILITIES["accounts.edit"].roles
        people = User.objects.active().filter(role__in=roles).order_by("name", "email", "pk")
        leads = actor.role in LEADER_ROLES
        self.fields["absent"].queryset = people if leads else people.filter(pk=actor.pk)
        self.fields["colleague"].queryset = people if leads else people.exclude(pk=actor.pk)
