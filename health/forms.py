"""Forms of the health pages: what a scorecard or a trigger is tried with, and a draft of a scorecard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.account_fields import AccountField
from accounts.models.account import AccountQuerySet
from health.conditions import Condition, absences_of, events_of, named_metrics
from health.models import Scorecard
from health.scoring import Refusal
from health.scoring import Scorecard as Card
from ui import wording

MISSING = "not measured"
MOST_DEFINITION = 200_000


class FiguresForm(forms.Form):
    """A field for each figure; an empty one is a figure that nobody measured. Refusals land on their field."""

    def figures(self) -> dict[str, Any]:
        """What was filled in, by metric."""
        return {name: value for name, value in self.cleaned_data.items() if value not in {"", None, False}}

    def refuse(self, refusals: list[Refusal]) -> None:
        """Show each refusal at its field, which it calls as the form does."""
        for refusal in refusals:
            field = self.fields.get(refusal.field)
            detail = refusal.detail if field is None else refusal.detail.replace(refusal.field, f"“{field.label}”", 1)
            self.add_error(refusal.field if field else None, detail)


class ScorecardInputsForm(FiguresForm):
    """The inputs of a scorecard, in its order."""

    def __init__(self, *args: Any, card: Card, flag_metrics: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = {name: measure for measure in card.measures for name in measure.inputs}
        for name in (*card.inputs, *flag_metrics):
            domain = card.domains.get(name)
            measure = units.get(name)
            alone = measure is not None and len(measure.inputs) == 1
            label = measure.name if measure is not None and alone else wording.titled(name)
            if domain is not None and domain.options:
                choices = [("", MISSING), *((option, wording.titled(option)) for option in domain.options)]
                self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=False)
            else:
                self.fields[name] = _number(label, _range(domain, measure.unit if measure else ""))


class FactsForm(FiguresForm):
    """The facts a trigger's condition reads: figures, and ticks for events."""

    def __init__(self, *args: Any, condition: Condition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        events = events_of(condition) | absences_of(condition)
        for name in sorted(named_metrics(condition)):
            self.fields[name] = _number(wording.titled(name), "A number, or the key of a choice such as strong or red.")
        for name in sorted(events):
            self.fields[name] = forms.BooleanField(label=f"{wording.titled(name)} happened", required=False)


class OnAccountForm(forms.Form):
    """An account on which a trigger is explained."""

    account = AccountField(label="Account", empty_label="Choose one")

    def __init__(self, *args: Any, accounts: AccountQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].offer(accounts)  # type: ignore[attr-defined]


class VersionForm(forms.Form):
    """A new version of a scorecard: the whole definition, and why it is made."""

    note = forms.CharField(label="Why", max_length=200, required=False)
    definition = forms.CharField(
        label="Definition",
        max_length=MOST_DEFINITION,
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "false"}),
        help_text="In the shape of the methodology packs. Weights must add to exactly 100 %.",
    )

    def clean_definition(self) -> Mapping[str, Any]:
        """The definition as an object."""
        return _definition(self.cleaned_data["definition"])


class CopyForm(forms.Form):
    """A scorecard of one's own, begun as a copy of another or of a file."""

    name = forms.CharField(max_length=120)
    key = forms.SlugField(max_length=60, help_text="Small letters, digits and dashes; it never changes.")
    copy = forms.ModelChoiceField(Scorecard.objects.none(), label="Begin with a copy of", empty_label=None)
    file = forms.FileField(
        label="Or with a file", required=False, help_text="A scorecard downloaded as JSON, from here or elsewhere."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["copy"].queryset = Scorecard.objects.order_by("name")  # type: ignore[attr-defined]

    def clean_file(self) -> Mapping[str, Any] | None:
        """The definition in the file; None without one."""
        file = self.cleaned_data["file"]
        if file is None:
            return None
        if file.size > MOST_DEFINITION:
            raise forms.ValidationError(f"A scorecard has at most {MOST_DEFINITION // 1000} kB.")
        return _definition(file.read())


def _definition(text: str | bytes) -> Mapping[str, Any]:
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise forms.ValidationError("This is not valid JSON.") from error
    if not isinstance(definition, dict):
        raise forms.ValidationError("A definition is a JSON object.")
    return definition


def _number(label: str, hint: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=40, help_text=hint, widget=widget)


def _range(domain: Any, unit: str) -> str:
    if domain is None or domain.minimum is None:
        return ""
    scale = " on the scale of -100 to 100, not an answer from 0 to 10" if unit == "nps" else ""
    if domain.maximum is None:
        return f"{domain.minimum} or more"
    return f"{domain.minimum} to {domain.maximum}{scale}"
