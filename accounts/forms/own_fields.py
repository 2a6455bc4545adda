"""The editor of a field of the workspace's own on accounts, and those fields in the form of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape

from accounts.choices import FieldKind
from accounts.fields import Unreadable
from accounts.forms.base import DateInput, LinesField
from accounts.own_values import (
    LONGEST_KEY,
    LONGEST_LABEL,
    LONGEST_TEXT,
    FieldDefinition,
    as_text,
    as_typed,
    held,
    own_answers,
    read_own,
    token_of,
)
from accounts.people_forms import RuleForm
from accounts.queries.own_fields import live_fields


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


class OwnValueField(forms.Field):
    """The value of one own field. What stands there and does not fit may stay as long as nobody changes it."""

    def __init__(self, own: FieldDefinition, custom: Mapping[str, Any]) -> None:
        found = held(own, custom)
        self.own, self.stored = own, custom.get(own.key)
        self.typed = as_typed(found.value) if found.fits else as_text(found.value)
        super().__init__(
            label=own.label, required=False, help_text=escape(own.help_text), initial=self.typed, widget=self._input()
        )

    def _input(self) -> forms.Widget:
        if self.own.kind in {FieldKind.CHOICE, FieldKind.YES_NO}:
            offered = [("", "Not set"), *own_answers(self.own)]
            kept = [(self.typed, f"{self.typed} (does not fit)")] if self.typed not in dict(offered) else []
            return forms.Select(choices=[*offered, *kept])
        if self.own.kind == FieldKind.DATE and (not self.typed or held(self.own, {self.own.key: self.typed}).fits):
            return DateInput()
        return forms.TextInput({"maxlength": LONGEST_TEXT, "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        """The value as it is stored, None for nothing."""
        if (value or "").strip() == self.typed:
            return self.stored
        try:
            return read_own(self.own, value)
        except Unreadable as wrong:
            raise ValidationError(wrong.message, code=wrong.rule) from wrong


class OwnFields:
    """The workspace's own fields, added to the form of an account."""

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]
    data: Mapping[str, Any]

    def add_own(self, custom: Mapping[str, Any]) -> None:
        """A form field for each that is not archived, filled with what ``custom`` holds. One look-up."""
        self.custom_before = custom
        # By names that ids can hold.
        fields = {token_of(field.name): field for field in live_fields().values()}
        self.own_keys = {name: field.key for name, field in fields.items()}
        for name, field in fields.items():
            self.fields[name] = OwnValueField(field, custom)

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """Those fields as the page draws them."""
        return [self[name] for name in self.own_keys]  # type: ignore[index]

    def with_custom(self, values: dict[str, Any]) -> dict[str, Any]:
        """``values`` with what was filled in as ``custom``; None for a field that was emptied."""
        if not self.own_keys:
            return values
        custom: dict[str, Any] = {}
        for name, key in self.own_keys.items():
            value = values.pop(name, None)
            # A field defined since the form was drawn was not in it, and is not emptied by it.
            if name not in self.data:
                continue
            if value is not None or self.custom_before.get(key) is not None:
                custom[key] = value
        return values | {"custom": custom}
