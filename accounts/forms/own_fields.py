"""The editor of a field of the workspace's own on accounts."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import FieldKind
from accounts.forms.base import LinesField
from accounts.own_values import LONGEST_KEY, LONGEST_LABEL
from accounts.people_forms import RuleForm


class OwnFieldForm(RuleForm):
    """What a field is called and what it holds. The key is asked only where it can still be chosen."""

    label = forms.CharField(label="Label", max_length=LONGEST_LABEL)
    kind = forms.ChoiceField(label="Kind", choices=FieldKind.choices)
    options = LinesField(
        label="Options", required=False, max_length=10_000, help_text="Of a choice: one a line, in their order."
    )
    help_text = forms.CharField(
        label="What it is for", required=False, max_length=200, help_text="Shown where somebody fills it in."
    )
    key = forms.CharField(
        label="Key", required=False, max_length=LONGEST_KEY,
        help_text="Its name for imports and the API; made of the label if empty. It stays as it is.",
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["key"]

    def values(self) -> dict[str, Any]:
        """What an action takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}
