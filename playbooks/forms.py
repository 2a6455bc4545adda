"""Forms about CTAs. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from accounts.account_fields import AccountField
from accounts.models import Account, User
from accounts.people_forms import RuleForm
from playbooks.choices import CtaKind, Outcome, Priority
from playbooks.models import Cta, Playbook


def _day(**attributes: str) -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", **attributes}, format="%Y-%m-%d")


class CloseForm(RuleForm):
    """How it ended."""

    outcome = forms.ChoiceField(label="Outcome", choices=[("", "Choose how it ended"), *Outcome.choices])
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)


class SnoozeForm(RuleForm):
    """Until when, and why."""

    until_on = forms.DateField(label="Until", widget=_day())
    reason = forms.CharField(label="Reason", max_length=200)


class ColleagueField(forms.ModelChoiceField):
    """A choice of colleagues, each with how many CTAs they have open, so that work goes where there is room."""

    def label_from_instance(self, obj: User) -> str:  # type: ignore[override]
        return f"{obj} · {obj.open_ctas or 0} open"  # type: ignore[attr-defined]


class ReassignForm(RuleForm):
    """Who takes over."""

    owner = ColleagueField(label="New owner", queryset=User.objects.none(), empty_label="Choose a colleague")
    reason = forms.CharField(label="Reason", max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        theirs = Cta.objects.open().filter(owner=OuterRef("pk")).order_by().values("owner")
        counted = Subquery(theirs.annotate(count=Count("pk")).values("count"))
        self.fields["owner"].queryset = (
            User.objects.active().staff().annotate(open_ctas=counted).order_by("name", "email")
        )


class TaskForm(RuleForm):
    """One more thing to do."""

    title = forms.CharField(label="Task", max_length=200)
    due_on = forms.DateField(label="Due", required=False, widget=_day())


class TaskEditForm(RuleForm):
    """What a task says and when it is due."""

    title = forms.CharField(label="Task", max_length=200)
    detail = forms.CharField(label="Detail", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=4000)
    due_on = forms.DateField(label="Due", widget=_day())


class CtaForm(RuleForm):
    """What a CTA says and when it is due."""

    title = forms.CharField(label="Title", max_length=200)
    reason = forms.CharField(label="Why", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=4000)
    kind = forms.ChoiceField(label="Kind", choices=CtaKind.choices, initial=CtaKind.ACTIVITY)
    priority = forms.ChoiceField(label="Priority", choices=Priority.choices, initial=Priority.MEDIUM)
    due_on = forms.DateField(
        label="Due", required=False, widget=_day(), help_text="Empty: by priority, in business days."
    )


class PlaybookField(forms.ModelChoiceField):
    """A choice of playbooks, each with when it is to be started, so that its entry is checked before (CS-10.7)."""

    def label_from_instance(self, obj: Playbook) -> str:  # type: ignore[override]
        return f"{obj.name} (start when: {obj.entry})" if obj.entry else obj.name


class NewCtaForm(CtaForm):
    """A CTA opened by hand: also for whom, whose, and by which playbook."""

    account = AccountField(label="Account", empty_label="Choose an account")
    owner = forms.ModelChoiceField(
        label="Owner", queryset=User.objects.none(), required=False, empty_label="The account's owner"
    )
    playbook = PlaybookField(
        label="Playbook",
        queryset=Playbook.objects.none(),
        required=False,
        empty_label="None",
        help_text="Its tasks are copied.",
    )
    field_order = ["account", "title", "reason", "kind", "priority", "owner", "due_on", "playbook"]

    def __init__(self, *args: Any, user: User, account: UUID | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].offer(Account.objects.editable_by(user).unarchived(), editable=True)
        self.fields["account"].initial = account
        self.fields["owner"].queryset = User.objects.active().staff().order_by("name", "email")
        self.fields["playbook"].queryset = Playbook.objects.filter(retired_at=None)

    def values(self) -> dict[str, Any]:
        """What ``create_cta`` takes besides the account."""
        data = dict(self.cleaned_data)
        del data["account"]
        playbook = data.pop("playbook")
        return {**data, "playbook_key": playbook.key if playbook else None}


def snooze_initial() -> dict[str, Any]:
    """The snooze form as it first stands: a week from today."""
    return {"until_on": timezone.localdate() + timedelta(days=7)}
