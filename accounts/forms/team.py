"""Putting a colleague on an account's team."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import TeamRole, User


class TeamForm(forms.Form):
    """Who joins, and as what: the roles are the methodology's, on our side."""

    user = forms.ModelChoiceField(queryset=User.objects.none(), label="Colleague", empty_label="Choose a colleague")
    role = forms.ModelChoiceField(
        queryset=TeamRole.objects.none(),
        label="Role",
        empty_label="Choose a role",
        help_text="The roles come from the methodology",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.active().staff().order_by("name", "email")  # type: ignore[attr-defined]
        self.fields["role"].queryset = TeamRole.objects.filter(side="vendor").order_by("name")  # type: ignore[attr-defined]
