"""The form of a scheduled board pack: which view, when, and to whom."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import ListPage
from accounts.models import SavedView, User
from accounts.people_forms import RuleForm
from health.actions.pack_schedules import When
from health.choices import PackEvery
from health.models import PackSchedule
from health.models.packs import WEEKDAYS
from health.queries.packs import readers


class PeopleField(forms.ModelMultipleChoiceField):
    """Colleagues by name and role."""

    def label_from_instance(self, obj: User) -> str:
        return f"{obj}, {obj.get_role_display()}"


class PackScheduleForm(RuleForm):
    """``view`` is asked for only while it is being made."""

    view = forms.ModelChoiceField(label="View of the portfolio", queryset=SavedView.objects.none(), empty_label=None)
    every = forms.ChoiceField(label="How often", choices=PackEvery.choices)
    weekday = forms.TypedChoiceField(
        label="Day of the week", choices=list(enumerate(WEEKDAYS)), coerce=int, empty_value=None, required=False,
        help_text="Counts every week.",
    )  # fmt: skip
    day = forms.TypedChoiceField(
        label="Day of the month", choices=[(day, str(day)) for day in range(1, 29)], coerce=int, empty_value=None,
        required=False, help_text="Counts every month.",
    )  # fmt: skip
    hour = forms.TypedChoiceField(
        label="At", choices=[(hour, f"{hour:02}:00") for hour in range(24)], coerce=int, empty_value=None
    )
    recipients = PeopleField(
        label="Sent to", queryset=User.objects.none(), widget=forms.CheckboxSelectMultiple,
        help_text="Who sees the whole portfolio; looked at again for every pack.",
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, owner: User, schedule: PackSchedule | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hour"].help_text = "On your own clock." if schedule is None else f"On the clock of {owner}."
        self.fields["recipients"].queryset = readers(owner.workspace_settings)
        if schedule is not None:
            del self.fields["view"]
        else:
            self.fields["view"].queryset = SavedView.objects.visible_to(owner).of(ListPage.PORTFOLIO)

    @property
    def when(self) -> When:
        """The time of a form that is valid."""
        return When(**{name: self.cleaned_data[name] for name in When._fields})


def initial_of(schedule: PackSchedule) -> dict[str, Any]:
    """What the form shows of a schedule."""
    names = ("every", "weekday", "day", "hour", "version")
    people = list(schedule.recipients.values_list("pk", flat=True))
    return {**{name: getattr(schedule, name) for name in names}, "recipients": people}
