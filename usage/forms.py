"""What people enter about usage: a metric's value, a metric's definition, the key features, an account's name."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet

from accounts.forms.base import DateInput
from accounts.models import Account
from ui import wording
from usage.actions.features import feature_key
from usage.choices import Aggregation, MetricKind
from usage.models import FeatureSlot, MetricDefinition
from usage.models.rollups import SLOTS


class ValueForm(forms.Form):
    """A value of one metric: a number within its bounds, or one of its options, and the day it is true of."""

    on = forms.DateField(label="On", widget=DateInput)

    def __init__(self, definition: MetricDefinition, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["on"].initial = today
        self.fields["value"] = self._value_field(definition)
        self.order_fields(["value", "on"])

    @staticmethod
    def _value_field(definition: MetricDefinition) -> forms.Field:
        if definition.kind == MetricKind.CHOICE:
            options = [("", "Choose one"), *((option["key"], option["name"]) for option in definition.options)]
            return forms.ChoiceField(label="Value", choices=options)
        return forms.DecimalField(
            label="Value",
            min_value=definition.lowest,
            max_value=definition.highest,
            max_digits=20,
            decimal_places=6,
            help_text=bounds_in_words(definition),
            widget=forms.NumberInput(attrs={"step": "any"}),
        )

    def clean_on(self) -> dt.date:
        on: dt.date = self.cleaned_data["on"]
        if on > self.today:
            raise forms.ValidationError("The day lies in the future.")
        return on


def bounds_in_words(definition: MetricDefinition) -> str:
    """``0 to 100 %``; empty without bounds and unit."""
    low, high = (
        None if bound is None else f"{bound.normalize():f}" for bound in (definition.lowest, definition.highest)
    )
    span = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
    return f"{span} {wording.said_unit(definition.unit)}".strip()


class DefinitionForm(forms.Form):
    """A metric of the tenant's own."""

    key = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,59}$", label="Key", help_text="As integrations send it: a–z, 0–9 and underscore",
    )  # fmt: skip
    name = forms.CharField(max_length=120)
    unit = forms.CharField(max_length=30, required=False, help_text="percent, hours, count…")
    kind = forms.ChoiceField(choices=MetricKind.choices)
    options = forms.CharField(
        required=False, help_text="Of a choice: one key a line",
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    lowest = forms.DecimalField(required=False, widget=forms.NumberInput(attrs={"step": "any"}))
    highest = forms.DecimalField(required=False, widget=forms.NumberInput(attrs={"step": "any"}))
    aggregation = forms.ChoiceField(label="Days of a window become", choices=Aggregation.choices)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if MetricDefinition.objects.filter(key=key).exists():
            raise forms.ValidationError("There is a metric with this key.")
        return key

    def values(self) -> dict[str, Any]:
        """The arguments of ``define_metric`` beside the key."""
        data = dict(self.cleaned_data)
        data.pop("key")
        data["options"] = [line.strip() for line in data["options"].splitlines() if line.strip()]
        bounds: dict[str, Decimal | None] = {name: data[name] for name in ("lowest", "highest")}
        return {**data, **bounds}


class FeaturesForm(forms.Form):
    """The key features, one a line: ``Work orders: work_orders, wo_created``; a minus in front records only."""

    features = forms.CharField(
        label="Key features, at most eight",
        required=False,
        help_text="One a line: the name, then after a colon the events that are its use. "
        "Without a colon the name itself is the event. A minus in front records a feature without counting it.",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )

    def clean_features(self) -> list[dict[str, Any]]:
        lines = [line.strip() for line in self.cleaned_data["features"].splitlines() if line.strip()]
        if len(lines) > len(SLOTS):
            raise forms.ValidationError(f"At most {len(SLOTS)} key features.")
        features = [_feature(line) for line in lines]
        if len({feature["key"] for feature in features}) < len(features) or not all(f["key"] for f in features):
            raise forms.ValidationError("Each feature needs a name of its own, with letters or digits.")
        return features


def _feature(line: str) -> dict[str, Any]:
    counted = not line.startswith("-")
    name, _, events = line.lstrip("- ").partition(":")
    names = [event.strip()[:80] for event in events.split(",") if event.strip()]
    key = feature_key(name)
    return {"key": key, "name": name.strip()[:120], "events": names or [key], "counted": counted}


def features_as_text(slots: list[FeatureSlot]) -> str:
    """The list as ``FeaturesForm`` reads it."""
    return "\n".join(
        f"{'' if slot.counted else '- '}{slot.name}: {', '.join(slot.events) or slot.key}" for slot in slots
    )


class MappingForm(forms.Form):
    """Which account an unknown name stands for."""

    source = forms.CharField(max_length=40, widget=forms.HiddenInput())
    external_id = forms.CharField(max_length=120, widget=forms.HiddenInput())
    account = forms.CharField(max_length=200)

    def __init__(self, *args: Any, accounts: QuerySet[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = accounts

    def clean_account(self) -> Account:
        """The account of that name or key among those the reader may change."""
        named: str = self.cleaned_data["account"].strip()
        try:
            match = Q(pk=UUID(named))
        except ValueError:
            match = Q(name__iexact=named)
        found = list(self.accounts.filter(match)[:2])
        if len(found) != 1:
            raise forms.ValidationError(
                f"Several accounts are called {named}." if found else f"No account is called {named}."
            )
        return found[0]
