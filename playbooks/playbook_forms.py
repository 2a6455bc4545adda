"""Forms about playbooks. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.module_loading import import_string

from accounts.people_forms import RuleForm
from playbooks.actions.ctas import MAX_TASKS
from playbooks.actions.own import MAX_DAYS
from playbooks.choices import DayUnit
from playbooks.models import Playbook
from ui import wording


class PlaybookForm(RuleForm):
    """What a playbook is called, what it is for, and when to start it."""

    name = forms.CharField(label="Name", max_length=120)
    objective = forms.CharField(label="Objective", max_length=300, required=False)
    entry = forms.CharField(
        label="Start when", max_length=200, required=False, help_text="In words, for whoever starts it by hand."
    )

    @classmethod
    def initial_of(cls, playbook: Playbook) -> dict[str, Any]:
        """The form's values for a playbook as it is."""
        return {name: getattr(playbook, name) for name in cls.base_fields}


class StepForm(forms.Form):
    """One task; a row without title is left out."""

    title = forms.CharField(label="Task", max_length=200, required=False)
    step = forms.CharField(label="Part of", max_length=120, required=False)
    offset_days = forms.IntegerField(label="Days after", min_value=0, max_value=MAX_DAYS, initial=2, required=False)
    unit = forms.ChoiceField(label="Counted in", choices=DayUnit.choices, initial=DayUnit.BUSINESS)
    optional = forms.BooleanField(label="Optional", required=False)

    def clean_offset_days(self) -> int:
        return self.cleaned_data["offset_days"] or 0


class BaseStepFormSet(forms.BaseFormSet):
    """The tasks of one playbook."""

    def tasks(self) -> list[dict[str, Any]]:
        """The rows that name a task."""
        return [dict(form.cleaned_data) for form in self.forms if form.cleaned_data.get("title")]

    @staticmethod
    def initial_of(playbook: Playbook) -> list[dict[str, Any]]:
        """The rows for a playbook as it is."""
        return [{name: getattr(task, name) for name in StepForm.base_fields} for task in playbook.tasks.all()]


StepFormSet = forms.formset_factory(
    StepForm, formset=BaseStepFormSet, extra=4, max_num=MAX_TASKS, absolute_max=MAX_TASKS, validate_max=True
)


class TriggersForm(RuleForm):
    """Which triggers start a playbook."""

    trigger_keys = forms.MultipleChoiceField(
        label="Triggers that start it",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="A trigger that names a playbook itself starts that one.",
    )

    def __init__(self, *args: Any, names: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["trigger_keys"].choices = list(names.items())


def names_of(playbook: Playbook) -> dict[str, str]:
    """Every trigger's name by its key; one that ``playbook`` names and that is gone keeps its key in words."""
    known: dict[str, str] = import_string(settings.TRIGGER_NAMES)()
    return known | {key: wording.titled(key) for key in playbook.trigger_keys if key not in known}
