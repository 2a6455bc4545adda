"""Forms about teams, their people and routing. They read; the actions decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from accounts.models import Tier, User, WorkCalendar
from accounts.people_forms import RuleForm
from support.choices import Level, Routing


class WordsField(forms.CharField):
    """Words separated by commas, as a list."""

    def clean(self, value: Any) -> list[str]:
        """The words, those that are empty left out."""
        return [word.strip() for word in str(super().clean(value) or "").split(",") if word.strip()]

    def prepare_value(self, value: Any) -> Any:
        """A list as it is written."""
        return ", ".join(value) if isinstance(value, list) else value


class TeamForm(RuleForm):
    """A team: which line it is, whom it serves, what it knows, when it works."""

    name = forms.CharField(label="Name", max_length=120)
    level = forms.TypedChoiceField(label="Line of support", coerce=int, choices=Level.choices)
    skills = WordsField(
        label="Skills of everybody on it", required=False, max_length=1000,
        help_text="Separated by commas. A ticket asks for a skill by its component, issue guide, type or a tag.",
    )  # fmt: skip
    tiers = forms.ModelMultipleChoiceField(
        label="Tiers it serves", queryset=Tier.objects.none(), required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Their tickets go to this team before others. None: it serves everybody else.",
    )  # fmt: skip
    calendar = forms.ModelChoiceField(
        label="Working hours", queryset=WorkCalendar.objects.none(), required=False, empty_label="Always at work",
        help_text="Out of hours a ticket goes to another team that is at work, or waits in the queue.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tiers"].queryset = Tier.objects.all()
        self.fields["calendar"].queryset = WorkCalendar.objects.all()


class SeatForm(RuleForm):
    """Somebody's place on a team."""

    user = forms.ModelChoiceField(label="Colleague", queryset=User.objects.none(), empty_label="Choose a colleague")
    skills = WordsField(label="Skills of theirs", required=False, max_length=1000, help_text="Separated by commas.")
    capacity = forms.IntegerField(
        label="Active tickets at most", min_value=1, max_value=500, initial=20,
        help_text="With so many, routing passes them by. Colleagues can still assign more.",
    )  # fmt: skip

    def __init__(self, *args: Any, only: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.active().staff().order_by("name", "email")
        self.fields["user"].queryset = people
        if only is not None:
            del self.fields["user"]


class AwayForm(RuleForm):
    """Until when somebody is away; empty: they are there."""

    away_until = forms.DateTimeField(
        label="Away until", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: at work again.",
    )  # fmt: skip

    def until(self) -> datetime | None:
        """The moment, None for being there."""
        found: datetime | None = self.cleaned_data["away_until"]
        return found


class RoutingForm(RuleForm):
    """How far new tickets are given on by themselves."""

    routing = forms.ChoiceField(label="New tickets are given on by themselves", choices=Routing.choices)


class TryRoutingForm(RuleForm):
    """The ticket to be routed, by number."""

    number = forms.IntegerField(label="Ticket number", min_value=1, max_value=2**53)
