"""Forms about incidents. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import Account, Severity, User, WorkCalendar
from accounts.people_forms import RuleForm
from support import lifecycle
from support.choices import Impact, IncidentStatus, Origin
from support.forms.tickets import SeverityField
from support.models import Incident
from support.queries.incident_scope import accounts_by, ways

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class IncidentForm(RuleForm):
    """What is broken, how bad it is, who leads it, and how often customers are told."""

    title = forms.CharField(label="Title", max_length=200, help_text="As customers may read it.")
    summary = forms.CharField(label="What is known", required=False, max_length=20_000, widget=_lines(4))
    severity = SeverityField(
        label="Severity", queryset=Severity.objects.none(), empty_label="Choose how bad it is", to_field_name="key"
    )
    impact = forms.TypedChoiceField(
        label="Impact", coerce=int, choices=[("", "Choose whom it keeps from working"), *Impact.choices]
    )
    component = forms.CharField(
        label="Affected service", max_length=80, required=False, widget=forms.TextInput(attrs={"list": "components"})
    )
    commander = forms.ModelChoiceField(
        label="Who leads it", queryset=User.objects.none(), required=False, empty_label="Nobody yet"
    )
    update_minutes = forms.IntegerField(
        label="Tell customers every … minutes", required=False, min_value=0, max_value=43_200,
        help_text="Empty: as the service levels or the workspace say. 0: no update is promised.",
    )  # fmt: skip
    calendar = forms.ModelChoiceField(
        label="Counted in", queryset=WorkCalendar.objects.none(), required=False, empty_label="Round the clock"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Severity.objects.all()
        self.fields["severity"].queryset = rows
        self.fields["severity"].required = rows.exists()
        self.fields["commander"].queryset = User.objects.active().staff().order_by("name", "email")
        self.fields["calendar"].queryset = WorkCalendar.objects.order_by("name")


class NewIncidentForm(IncidentForm):
    """Also since when, and whom it affects at once."""

    detected_at = forms.DateTimeField(
        label="Noticed at", required=False, widget=MOMENT, help_text="Empty: now. In your own time zone."
    )
    who = forms.ChoiceField(
        label="Affected accounts", required=False, help_text="More can be chosen one by one when it is open."
    )
    field_order = [
        "title", "summary", "severity", "impact", "component", "who", "commander", "detected_at", "update_minutes",
        "calendar",
    ]  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["who"].choices = [("", "Not known yet"), *ways(user)]

    def values(self) -> dict[str, Any]:
        """What ``open_incident`` takes."""
        data = {**self.cleaned_data}
        how, _bar, value = (data.pop("who") or "").partition("|")
        minutes = data.pop("update_minutes")
        return {
            **data,
            "accounts": list(accounts_by(self.user, how, value).select_related("tier", "owner")) if how else [],
            "origin": how or Origin.HAND,
            "update_minutes": minutes,
            "has_cadence": minutes is not None,
        }


class EditIncidentForm(IncidentForm):
    """Details that change later."""

    review_required = forms.BooleanField(label="It is not closed without a published review", required=False)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["update_minutes"].help_text = "Empty or 0: no update is promised."


class MoveForm(RuleForm):
    """To which stage, with what the stages on the way ask for."""

    stage = forms.ChoiceField(label="Stage")
    resolution = forms.CharField(
        label="How it was resolved", required=False, max_length=20_000, widget=_lines(3),
        help_text="Asked for on the way to the resolution; customers read it.",
    )  # fmt: skip
    confirmed = forms.BooleanField(label="Customers agreed that it works", required=False)
    confirmation = forms.CharField(
        label="Who agreed, or why you go on without", required=False, max_length=300,
        help_text="Asked for at the closure.",
    )  # fmt: skip
    reason = forms.CharField(
        label="Why", required=False, max_length=300, help_text="Asked for when it goes back to an earlier stage."
    )

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = lifecycle.place_of(incident.stages, incident.stage)
        ahead = [(stage["key"], stage["title"]) for stage in incident.stages[here + 1 :]]
        behind = [(stage["key"], f"Back to {stage['title']}") for stage in incident.stages[:here]]
        self.fields["stage"].choices = [*ahead, *behind]
        if incident.status != IncidentStatus.OPEN:
            del self.fields["resolution"]
        asked = [stage["key"] for stage in incident.stages[here + 1 :]]
        if not any(lifecycle.meaning_of(key) == lifecycle.CONFIRM for key in asked):
            del self.fields["confirmed"], self.fields["confirmation"]


class UpdateForm(RuleForm):
    """How it stands."""

    body = forms.CharField(label="How it stands", max_length=20_000, widget=_lines(3))


class NoteForm(RuleForm):
    """An internal line, of now or of a moment before."""

    body = forms.CharField(label="Note", max_length=20_000, widget=_lines(3))
    happened_at = forms.DateTimeField(label="When it happened", required=False, widget=MOMENT, help_text="Empty: now.")


class CloseForm(RuleForm):
    """Whether customers agreed, where no stage asked."""

    confirmed = forms.BooleanField(label="Customers agreed that it works", required=False)
    confirmation = forms.CharField(label="Who agreed, or why you close it without", required=False, max_length=300)


class AnswerForm(RuleForm):
    """One answer to every linked ticket that waits."""

    body = forms.CharField(label="Answer to all of them", max_length=100_000, widget=_lines(4))
    status = forms.ChoiceField(
        label="Then they are", required=False,
        choices=[("", "as they were"), ("waiting_customer", "Waiting on customer"), ("resolved", "Resolved")],
    )  # fmt: skip


class LetterForm(RuleForm):
    """A letter: subject, opening, the methodology's parts, none of which may stay empty (FMEA-8.5)."""

    subject = forms.CharField(label="Subject", max_length=200)
    opening = forms.CharField(
        label="Opening words", required=False, max_length=10_000, widget=_lines(2),
        help_text="Filled in for each account: {contact}, {account}, {incident}, {title}, {next_update}.",
    )  # fmt: skip

    def __init__(self, *args: Any, parts: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = {f"part-{number}": part for number, part in enumerate(parts)}
        for name, part in self.parts.items():
            self.fields[name] = forms.CharField(
                label=part[:1].upper() + part[1:], max_length=10_000, initial=parts[part], widget=_lines(2),
                error_messages={"required": "This part of the letter is still empty."},
            )  # fmt: skip

    def values(self) -> dict[str, str]:
        """The text of each part."""
        return {part: self.cleaned_data.get(name, "") for name, part in self.parts.items()}


class ReviewForm(RuleForm):
    """The parts of a review."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, parts: Sequence[str], texts: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = {f"part-{number}": part for number, part in enumerate(parts)}
        for name, part in self.parts.items():
            self.fields[name] = forms.CharField(
                label=part[:1].upper() + part[1:], required=False, max_length=20_000, initial=texts.get(part, ""),
                widget=_lines(5),
            )  # fmt: skip

    def values(self) -> dict[str, str]:
        """The text of each part."""
        return {part: self.cleaned_data.get(name, "") for name, part in self.parts.items()}

    def refuse(self, part: str, message: str) -> None:
        """Show an error at the field of ``part``."""
        name = next((name for name, each in self.parts.items() if each == part), None)
        self.add_error(name, message)


class ActionForm(RuleForm):
    """A measure: what, whose, until when, for which account."""

    title = forms.CharField(label="What is to be done", max_length=200)
    owner = forms.ModelChoiceField(
        label="Owner", queryset=User.objects.none(), required=False, empty_label="The account's owner"
    )
    due_on = forms.DateField(label="Due", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    account = forms.ChoiceField(label="For")

    def __init__(self, *args: Any, accounts: Sequence[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(account.pk): account for account in accounts}
        named = [(key, account.name) for key, account in self.accounts.items()]
        self.fields["account"].choices = [*named, ("all", "Each affected account")]
        self.fields["owner"].queryset = User.objects.active().staff().order_by("name", "email")

    def chosen(self) -> list[Account]:
        """The accounts it is for."""
        key = self.cleaned_data["account"]
        return list(self.accounts.values()) if key == "all" else [self.accounts[key]]


class IncidentSettingsForm(RuleForm):
    """How often customers are told, by how bad it is, and until when a review is written."""

    review_within_days = forms.IntegerField(
        label="A review within … business days of the resolution", min_value=1, max_value=90
    )

    def __init__(self, *args: Any, minutes: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for rank in range(1, 5):
            self.fields[f"rank-{rank}"] = forms.IntegerField(
                label=f"Severity {rank}{', the worst' if rank == 1 else ''}: tell customers every … minutes",
                min_value=1, max_value=43_200, initial=minutes[rank - 1] if len(minutes) >= rank else None,
            )  # fmt: skip
        self.order_fields(["rank-1", "rank-2", "rank-3", "rank-4", "review_within_days"])

    def minutes(self) -> list[int]:
        """By rank, the worst first."""
        return [self.cleaned_data[f"rank-{rank}"] for rank in range(1, 5)]
