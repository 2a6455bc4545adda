"""Forms about escalations. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.models import Account, User
from accounts.people_forms import RuleForm
from support.actions.escalations import message_of, missing_fields
from support.choices import EscalationOutcome
from support.models import Escalation, Ladder
from support.queries.escalations import Offer, next_steps, reasons
from support.queries.levels import step_of

OUTCOMES = [(value, label) for value, label in EscalationOutcome.choices if value != EscalationOutcome.PASSED_ON]
STILL_EMPTY = "This part of the message is still empty."


class TemplateForm(RuleForm):
    """Holds the parts of a ladder's message, each a field of its own; none may stay empty (FLEET-9.11)."""

    def add_parts(self, ladders: list[Ladder], account: Account, given: Mapping[str, Any] | None = None) -> None:
        """A field for every part of the template; those that fill themselves are filled."""
        self.parts: dict[str, str] = {}
        for ladder in ladders:
            filled = message_of(ladder, account, given)
            for number, (part, value) in enumerate(filled.items()):
                name = f"part-{ladder.pack}-{number}"
                self.parts[name] = part
                label = part[:1].upper() + part[1:]
                widget = forms.Textarea(attrs={"rows": 2})
                # Of several ladders only the chosen one's parts are asked for.
                self.fields[name] = forms.CharField(
                    label=label, required=len(ladders) == 1, max_length=2000, initial=value, widget=widget,
                    error_messages={"required": STILL_EMPTY},
                )  # fmt: skip

    def message(self, ladder: Ladder) -> dict[str, str]:
        """The parts of ``ladder``'s template as they were written; an error at each that is empty."""
        names = {name: part for name, part in self.parts.items() if name.startswith(f"part-{ladder.pack}-")}
        found = {part: self.cleaned_data.get(name, "") for name, part in names.items()}
        empty = set(missing_fields(ladder, found))
        for name, part in names.items():
            if part in empty and name not in self.errors:
                self.add_error(name, STILL_EMPTY)
        return found


class EscalateForm(TemplateForm):
    """To which step, why, and the message that goes along."""

    trigger = forms.ChoiceField(label="Which reason is it", required=False)
    step = forms.ChoiceField(label="Escalate to", required=False, help_text="Empty: the level the reason belongs to.")
    reason = forms.CharField(label="What happened", max_length=300)
    owner = forms.ModelChoiceField(
        label="Owner", queryset=User.objects.none(), required=False, empty_label="Whoever the level names"
    )
    field_order = ["trigger", "step", "reason", "owner"]

    def __init__(self, *args: Any, offers: list[Offer], account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ladders = list({offer.ladder.pk: offer.ladder for offer in offers}.values())
        self.offers = {offer.key: offer for offer in offers}
        self.fields["step"].choices = [("", "Choose the level"), *_grouped(offers)]
        listed = reasons(ladders)
        if listed:
            self.fields["trigger"].choices = [("", "None of these"), *listed]
        else:
            del self.fields["trigger"]
        self.fields["owner"].queryset = User.objects.active().staff().order_by("name", "email")
        self.add_parts(ladders, account)

    def clean(self) -> dict[str, Any]:
        """The offer that was chosen, or the one the reason belongs to (FLEET-9.4), and the whole message."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        pack, level, _text = (data.get("trigger") or "||").split("|", 2)
        offer = self.offers.get(data.get("step") or "") or next(
            (each for each in self.offers.values() if (each.ladder.pack, each.step.key) == (pack, level)), None
        )
        if offer is None:
            self.add_error("step", "Choose the level it goes to.")
        else:
            data["offer"], data["message"] = offer, self.message(offer.ladder)
        return data


class PassOnForm(TemplateForm):
    """The next step, why, and what was added to the message."""

    level = forms.ChoiceField(label="Pass to")
    trigger = forms.ChoiceField(label="Which reason is it", required=False)
    reason = forms.CharField(label="Why", max_length=300)

    def __init__(self, *args: Any, escalation: Escalation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.escalation = escalation
        steps = next_steps(escalation)
        self.fields["level"].choices = [(step.key, step.name) for step in steps]
        listed = [(step.name, [(text, text) for text in step.triggers]) for step in steps if step.triggers]
        self.fields["trigger"].choices = [("", "None of these"), *listed]
        current = step_of(escalation.ladder, escalation.level, escalation.path)
        if current.asks:
            # What is to be asked before it goes further up (FLEET-9.5).
            self.fields["reason"].help_text = f"It goes further when: {', '.join(current.asks)}."
        self.add_parts([escalation.ladder], escalation.account, escalation.message)

    def clean(self) -> dict[str, Any]:
        """The whole message."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        data["message"] = self.message(self.escalation.ladder)
        return data


class EndForm(RuleForm):
    """How it ended."""

    outcome = forms.ChoiceField(label="Outcome", choices=[("", "Choose how it ended"), *OUTCOMES])
    note = forms.CharField(label="Note", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2}))
    satisfaction = forms.TypedChoiceField(
        label="How content the customer is with its handling", required=False, coerce=int, empty_value=None,
        choices=[("", "Not asked"), *[(str(score), f"{score} of 5") for score in range(1, 6)]],
    )  # fmt: skip


class WordsForm(RuleForm):
    """What was done, or how it stands."""

    body = forms.CharField(label="What was done", max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))


def _grouped(offers: list[Offer]) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for offer in offers:
        groups.setdefault(offer.path_name, []).append((offer.key, offer.step.name))
    return list(groups.items())
