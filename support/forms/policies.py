"""The editor of service levels, and of the clocks' own settings. They read; the actions decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from accounts.models import Severity, Tier, WorkCalendar
from accounts.people_forms import RuleForm
from support.choices import Channel, Waits
from support.forms.teams import WordsField

ANY = "*"
CLOCKS = {"response": "First response", "update_every": "Next update", "resolution": "Resolution"}
UNITS = [
    ("business_hours", "business hours"), ("business_minutes", "business minutes"), ("business_days", "business days"),
    ("minutes", "minutes"), ("hours", "hours"), ("days", "days"),
]  # fmt: skip
PAUSES = {
    "": None,
    "never": [],
    "customer": [Waits.CUSTOMER.value],
    "vendor": [Waits.VENDOR.value],
    "both": [Waits.CUSTOMER.value, Waits.VENDOR.value],
}
PAUSE_CHOICES = [
    ("", "as the workspace's clocks do"), ("never", "never"), ("customer", "while the customer is asked"),
    ("vendor", "while a third party is asked"), ("both", "while the customer or a third party is asked"),
]  # fmt: skip


class PolicyForm(RuleForm):
    """A service level of the workspace's own: for whom, what is promised for each severity, and how it is counted."""

    name = forms.CharField(label="Name", max_length=120)
    position = forms.IntegerField(
        label="Place in the order", min_value=0, max_value=1000, initial=0,
        help_text="The first that fits a new ticket holds for it. Lower is asked first.",
    )  # fmt: skip
    tiers = forms.MultipleChoiceField(
        label="Only for tiers", required=False, widget=forms.CheckboxSelectMultiple, help_text="None: for every tier."
    )
    channels = forms.MultipleChoiceField(
        label="Only for tickets by", required=False, choices=Channel.choices, widget=forms.CheckboxSelectMultiple,
        help_text="None: whatever way they reach us.",
    )  # fmt: skip
    calendar = forms.ModelChoiceField(
        label="Business hours", queryset=WorkCalendar.objects.none(), empty_label=None, to_field_name="key",
        help_text="What business minutes, hours and days count in. Other units run day and night.",
    )  # fmt: skip
    pause = forms.ChoiceField(label="The resolution clock waits", choices=PAUSE_CHOICES, required=False)
    warn_at = WordsField(
        label="Warn at", required=False, max_length=100,
        help_text="Such as 50%, 80%, 60m: shares of the time used, or minutes left. Empty: as the workspace does.",
    )  # fmt: skip
    escalate_at_pct = forms.IntegerField(
        label="Escalate by itself at", required=False, min_value=1, max_value=100,
        help_text="Per cent of the time used. Empty: never.",
    )  # fmt: skip

    def __init__(self, *args: Any, more: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tiers"].choices = [(tier.key, tier.name) for tier in Tier.objects.all()]
        self.fields["calendar"].queryset = WorkCalendar.objects.all()
        names = {row.key: f"{row.key} {row.name}" for row in Severity.objects.all()}
        names |= {key: key for key in more if key not in names and key != ANY}
        self.severities = {**names, ANY: "Any other"}
        for index, name in enumerate(self.severities.values()):
            self._add_row(index, name)

    def _add_row(self, index: int, severity: str) -> None:
        for clock, label in CLOCKS.items():
            self.fields[f"{index}-{clock}"] = forms.DecimalField(
                label=f"{label}, {severity}", required=False, min_value=0, max_value=1_000_000, decimal_places=4,
                widget=forms.NumberInput(attrs={"step": "any", "class": "input auto"}),
            )  # fmt: skip
            self.fields[f"{index}-{clock}-unit"] = forms.ChoiceField(
                label=f"Unit of {label.lower()}, {severity}", choices=UNITS, required=False,
                widget=forms.Select(attrs={"class": "input auto"}),
            )  # fmt: skip
        self.fields[f"{index}-strict"] = forms.BooleanField(
            label=f"Exactly that is too late, {severity}", required=False
        )

    def plain(self) -> list[BoundField]:
        """The fields besides the promises."""
        return [self[name] for name in PolicyForm.base_fields]

    def rows(self) -> Iterator[tuple[str, list[tuple[BoundField, BoundField]], BoundField]]:
        """(severity, (number, unit) for each clock, strictness) as the table shows them."""
        for index, name in enumerate(self.severities.values()):
            pairs = [(self[f"{index}-{clock}"], self[f"{index}-{clock}-unit"]) for clock in CLOCKS]
            yield name, pairs, self[f"{index}-strict"]

    def clean(self) -> dict[str, Any]:
        """Adds ``rules``: those severities for which anything is promised."""
        data = super().clean() or {}
        rules = [rule for index, key in enumerate(self.severities) if (rule := self._rule(data, index, key))]
        if not rules and not self.errors:
            self.add_error(None, "Promise something for at least one severity.")
        data["rules"] = rules
        return data

    def _rule(self, data: Mapping[str, Any], index: int, severity: str) -> dict[str, Any] | None:
        rule: dict[str, Any] = {"severity": severity}
        op = "<" if data.get(f"{index}-strict") else "<="
        for clock in CLOCKS:
            value = data.get(f"{index}-{clock}")
            if value is not None:
                number = int(value) if value == int(value) else float(value)
                rule[clock] = {"value": number, "unit": data.get(f"{index}-{clock}-unit") or "hours", "op": op}
        return rule if len(rule) > 1 else None

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        data = self.cleaned_data
        kept = {name: data[name] for name in ("name", "position", "tiers", "channels", "calendar", "rules")}
        return {
            **kept,
            "pause_on": PAUSES[data["pause"]],
            "warn_at": data["warn_at"] or None,
            "escalate_at_pct": data["escalate_at_pct"],
        }

    def field_of(self, pointer: str) -> str:
        """The field that a rule broken at ``pointer`` ("rules/2/response/value") belongs to."""
        parts = pointer.split("/")
        if parts[0] != "rules" or len(parts) < 3 or not parts[1].isdecimal():
            return {"pause_on": "pause"}.get(pointer, pointer)
        severity = self.cleaned_data["rules"][int(parts[1])]["severity"]
        return f"{list(self.severities).index(severity)}-{parts[2]}"


def initial_of(content: Mapping[str, Any], severities: Sequence[str]) -> dict[str, Any]:
    """What the form begins with for a version's ``content``."""
    found: dict[str, Any] = {
        "calendar": content["calendar"].key,
        "warn_at": content["warn_at"] or [],
        "escalate_at_pct": content["escalate_at_pct"],
        "pause": next((key for key, value in PAUSES.items() if value == content["pause_on"]), ""),
    }
    rules = {rule["severity"]: rule for rule in content["rules"]}
    for index, severity in enumerate(severities):
        rule = rules.get(severity, {})
        for clock in CLOCKS:
            promise = rule.get(clock)
            if promise:
                found |= {f"{index}-{clock}": promise["value"], f"{index}-{clock}-unit": promise["unit"]}
                found[f"{index}-strict"] = promise.get("op") == "<"
    return found


class ClockSettingsForm(RuleForm):
    """When clocks wait, go on, warn and end, where a service level says nothing else."""

    pause_on_customer = forms.BooleanField(
        label="The resolution clock waits while the customer is asked", required=False
    )
    pause_on_vendor = forms.BooleanField(label="It waits while a third party is asked, too", required=False)
    reopen_days = forms.IntegerField(
        label="Days in which a reopened ticket goes on", min_value=0, max_value=365,
        help_text="Within so many days its clock goes on; later a new one starts.",
    )  # fmt: skip
    close_after_days = forms.IntegerField(
        label="Days after which a resolved ticket is closed", min_value=0, max_value=365, help_text="0: only by hand."
    )
    remind_after_days = forms.IntegerField(
        label="Days after which a silent customer is reminded", min_value=0, max_value=365,
        help_text="Of a ticket that waits for them, once, by mail or in the portal. 0: never.",
    )  # fmt: skip
    solve_after_days = forms.IntegerField(
        label="Days after the reminder until it counts as solved", min_value=0, max_value=365, help_text="0: never."
    )
    warn_at = WordsField(
        label="Warn at", required=False, max_length=100,
        help_text="Such as 80%, 60m: shares of the time used, or minutes left. Empty: no warning before a breach.",
    )  # fmt: skip
    customers_see_deadlines = forms.BooleanField(
        label="Customers see what they were promised, and when", required=False
    )
