"""The editor of a workspace's own ticket fields, and those fields in forms about tickets."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms.base import DateInput, LinesField
from accounts.people_forms import RuleForm
from support.models import TicketField
from support.queries.fields import ticket_fields

PREFIX = "custom-"
KINDS = [("text", "Text"), ("number", "Number"), ("choice", "Choice"), ("day", "Day"), ("yes_no", "Yes or no")]


class FieldForm(RuleForm):
    """A field of the workspace's own on every ticket."""

    label = forms.CharField(label="Label", max_length=80)
    kind = forms.ChoiceField(label="Kind", choices=KINDS, help_text="It stays as it is once the field is made.")
    options = LinesField(label="Options", required=False, max_length=10_000, help_text="Of a choice: one a line.")
    is_required = forms.BooleanField(label="Required when a ticket is opened or edited", required=False)
    shown_to_customer = forms.BooleanField(label="Customers fill it in and see it", required=False)
    position = forms.IntegerField(label="Place in the form", min_value=0, max_value=1000, initial=0)


class CustomFields:
    """The workspace's own fields, added to a form about a ticket."""

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def add_custom(self, held: dict[str, Any] | None = None, *, for_customer: bool = False) -> None:
        """Add a form field for each of them, filled with what the ticket ``held``. One query."""
        for row in ticket_fields(for_customer=for_customer):
            field = _form_field(row)
            field.initial = _typed((held or {}).get(row.key))
            self.fields[PREFIX + row.key] = field

    def custom(self) -> dict[str, Any]:
        """What was filled in, by key; None for what was left empty."""
        found = {name: value for name, value in self.cleaned_data.items() if name.startswith(PREFIX)}
        return {name.removeprefix(PREFIX): _plain(value) for name, value in found.items()}


def _form_field(row: TicketField) -> forms.Field:
    given: dict[str, Any] = {"label": row.label, "required": row.is_required}
    if row.kind == "number":
        return forms.DecimalField(**given, max_digits=15, decimal_places=4)
    if row.kind == "choice":
        return forms.ChoiceField(**given, choices=[("", "Choose"), *((option, option) for option in row.options)])
    if row.kind == "day":
        return forms.DateField(**given, widget=DateInput())
    if row.kind == "yes_no":
        answers = [("", "Not said"), ("true", "Yes"), ("false", "No")]
        return forms.TypedChoiceField(
            **given, choices=answers, coerce={"true": True, "false": False}.get, empty_value=None
        )
    return forms.CharField(**given, max_length=1000)


def _typed(value: Any) -> Any:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def _plain(value: Any) -> Any:
    if value is None or value == "":
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str | bool):
        return value
    return int(value) if value == int(value) else float(value)
