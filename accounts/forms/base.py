"""What the forms share: reading fields by the record's own table, and taking an action's refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.errors import RuleViolated, StaleVersion
from accounts.fields import Field, read_row


class DateInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class LinesField(forms.CharField):
    """One thing a line, as a list."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def clean(self, value: Any) -> list[str]:
        """The lines, those that are empty left out."""
        return [line.strip() for line in str(super().clean(value) or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """A list as it is written."""
        return "\n".join(value) if isinstance(value, list) else value


class RecordForm(forms.Form):
    """A form whose text fields are read by ``fields_table``, as the API and imports read them.

    ``version`` travels hidden, so that a lost race is told instead of overwriting (StaleVersion).
    """

    fields_table: Mapping[str, Field] = {}
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        sent = {name: cleaned[name] for name in self.fields_table if name in cleaned}
        reading = read_row(self.fields_table, sent, partial=True)
        for error in reading.errors:
            self.add_error(error.field if error.field in self.fields else None, error.message)
        return cleaned | reading.values

    def values(self) -> dict[str, Any]:
        """The cleaned values without the version: what an action takes as changes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}

    def refuse(self, problem: RuleViolated) -> None:
        """Show an action's refusal on its field, or above the form."""
        if isinstance(problem, StaleVersion):
            self.add_error(
                None, "Somebody changed this while you were editing. Reload the page and repeat your change."
            )
            return
        self.add_error(problem.field if problem.field in self.fields else None, str(problem))
