"""The form of an item's own values, one field for each that may be set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from accounts.people_forms import RuleForm
from packs.queries import EditableField


class ItemForm(RuleForm):
    """Fields are named after their paths; only what differs is handed on."""

    def __init__(self, *args: Any, fields: list[EditableField], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.editable = fields
        for each in fields:
            self.fields[each.field.path] = self._field(each)
            self.initial[each.field.path] = each.value

    @staticmethod
    def _field(each: EditableField) -> forms.Field:
        own = "The methodology gives none." if each.pack_value is None else f"The methodology says {each.pack_value}."
        options: dict[str, Any] = {
            "label": each.field.label,
            "required": each.field.required,
            "help_text": own if each.edited or each.pack_value is None else "",
        }
        if each.field.kind == "number":
            return forms.DecimalField(min_value=0, max_value=1_000_000, max_digits=13, decimal_places=4, **options)
        return forms.CharField(max_length=200, **options)

    def changes(self) -> Iterator[tuple[str, Any]]:
        """(path, value) of every field that is not as it was."""
        for each in self.editable:
            value = self.cleaned_data[each.field.path]
            if value in {None, ""} and each.value in {None, ""}:
                continue
            if each.field.kind == "number" and value is not None:
                value = float(value)
            if value != each.value:
                yield each.field.path, value
