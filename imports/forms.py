"""Forms of imports: the file, and which column becomes which field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from imports.choices import DateOrder, TargetKey
from imports.mapping import Rules
from imports.models import ImportJob
from imports.reading import MAX_BYTES
from imports.targets import TARGETS


class FileForm(forms.Form):
    """What the file holds, where it is from, and the file."""

    target = forms.ChoiceField(label=_("What the rows are"), choices=TargetKey.choices)
    source = forms.CharField(
        label=_("Source"),
        max_length=40,
        initial="csv",
        help_text=_("The system whose ids the file uses. Files of one source find each other's accounts by these ids."),
    )
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("At most 20 MB and 200,000 rows, headings in the first line; UTF-8, UTF-16 or Latin-1."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("At most 20 MB."))
        return file


class ColumnsForm(forms.Form):
    """One choice a field of the target: a column of the file, or none.

    What a preset says besides (translated values, a scale) stays as long as its column does.
    """

    date_order = forms.ChoiceField(label=_("Days are written"), choices=DateOrder.choices)

    def __init__(self, *args: Any, job: ImportJob, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.job = job
        self.target = TARGETS[job.target]
        self.known = self.target.all_fields()
        self.fields["date_order"].initial = job.date_order
        choices = [("", _("Not in the file")), *((header, header) for header in job.headers)]
        for name, field in self.known.items():
            rule = job.mapping.get(name, {})
            self.fields[f"field-{name}"] = forms.ChoiceField(
                label=field.label, required=field.required, choices=choices, initial=rule.get("column", "")
            )
        if self.target.bags:
            kept = [rule["column"] for name, rule in job.mapping.items() if self._is_other(name) and "column" in rule]
            self.fields["others"] = forms.MultipleChoiceField(
                label=_("Further columns to keep"),
                required=False,
                choices=[(header, header) for header in job.headers],
                initial=kept,
                widget=forms.CheckboxSelectMultiple,
            )
        self.order_fields([*(name for name in self.fields if name != "date_order"), "date_order"])
        if "account" in self.target.fields and job.target == TargetKey.EVENTS:
            self.fields["through"] = forms.BooleanField(
                label=_("The account column holds contract ids"),
                required=False,
                initial=job.mapping.get("account", {}).get("through") == "contract",
            )

    def rules(self) -> Rules:
        """The chosen mapping."""
        rules: Rules = {}
        for name in self.known:
            column = self.cleaned_data.get(f"field-{name}")
            before = self.job.mapping.get(name, {})
            if column:
                rules[name] = before if before.get("column") == column else {"column": column}
            elif "constant" in before:
                rules[name] = before
        self._through(rules)
        self._others(rules)
        return rules

    def _is_other(self, name: str) -> bool:
        """Whether a mapping's name is an own field that nobody has defined."""
        return "." in name and name not in self.known

    def _through(self, rules: Rules) -> None:
        if "through" in self.cleaned_data and "account" in rules:
            rule = {name: value for name, value in rules["account"].items() if name != "through"}
            rules["account"] = rule | ({"through": "contract"} if self.cleaned_data["through"] else {})

    def _others(self, rules: Rules) -> None:
        before = {rule.get("column"): (name, rule) for name, rule in self.job.mapping.items() if self._is_other(name)}
        taken = {rule.get("column") for rule in rules.values()}
        for column in self.cleaned_data.get("others", []):
            if column in taken:
                continue
            name, rule = before.get(column, (f"{self.target.bags[0]}.{column[:60]}", {"column": column}))
            rules[name] = rule
