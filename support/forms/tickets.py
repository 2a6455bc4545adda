"""Forms about tickets. They read and say what is wrong; the actions decide."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.account_fields import AccountField
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, Contact, Severity, User
from accounts.people_forms import RuleForm
from accounts.uploads import ACCEPT, HINT
from support.choices import Channel, Impact, LinkKind, Status, TicketType
from support.forms.fields import CustomFields
from support.models import Team


class ManyFiles(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files; the list is empty where none was chosen."""

    def __init__(self, **kwargs: Any) -> None:
        widget = ManyFiles(attrs={"accept": ACCEPT})
        super().__init__(**{"required": False, "label": "Attach", "help_text": HINT, "widget": widget, **kwargs})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Each file by Django's own rules; what is in them is checked by ``accounts.uploads``."""
        given = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(each, initial) for each in given if each]


class SeverityField(forms.ModelChoiceField):
    """A choice of severities with what each means (FMEA-6.6)."""

    def label_from_instance(self, obj: Severity) -> str:  # type: ignore[override]
        meaning = obj.data.get("definition") or obj.data.get("description") or ""
        return f"{obj.name}: {meaning}" if meaning else obj.name


class SnoozeForm(RuleForm):
    """Until when a ticket is set aside: one of the moments people mean, or one of their own."""

    WHEN = (
        ("reply", "the customer writes"), ("hours", "in four hours"), ("tomorrow", "tomorrow at nine"),
        ("monday", "Monday at nine"), ("moment", "the moment below"),
    )  # fmt: skip
    when = forms.ChoiceField(label="Until", choices=WHEN, widget=forms.Select(attrs={"data-shortcut": "z"}))
    until = forms.DateTimeField(
        label="Moment", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def moment(self, at: datetime) -> datetime | None:
        """The moment meant at ``at`` in the reader's zone; None: until the customer writes. Raises RuleViolated."""
        when, now = self.cleaned_data["when"], timezone.localtime(at)
        nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
        if when == "moment" and self.cleaned_data["until"] is None:
            raise RuleViolated("required", "Choose the moment it comes back.", "until")
        found: dict[str, datetime | None] = {
            "reply": None,
            "hours": now + timedelta(hours=4),
            "tomorrow": nine + timedelta(days=1),
            "monday": nine + timedelta(days=7 - now.weekday()),
            "moment": self.cleaned_data["until"],
        }
        return found[when]


class DetailsForm(CustomFields, RuleForm):
    """What a ticket is about and how bad it is."""

    subject = forms.CharField(label="Subject", max_length=300)
    severity = SeverityField(
        label="Severity", queryset=Severity.objects.none(), empty_label="Choose how bad it is", to_field_name="key"
    )
    impact = forms.TypedChoiceField(
        label="Impact", coerce=int, choices=[("", "Choose whom it keeps from working"), *Impact.choices]
    )
    type = forms.ChoiceField(label="Type", choices=TicketType.choices, initial=TicketType.QUESTION)
    component = forms.CharField(
        label="Component", max_length=80, required=False, widget=forms.TextInput(attrs={"list": "components"})
    )
    category = forms.CharField(
        label="Issue guide", max_length=60, required=False, help_text="A kind of issue the methodology has a guide for."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Severity.objects.all()
        self.fields["severity"].queryset = rows
        # A workspace without severities cannot ask for one (FMEA-6.2).
        self.fields["severity"].required = rows.exists()


class EditForm(DetailsForm):
    """Details that are changed later: also for whom, and what Level 3 found (FMEA-5.12)."""

    severity_reason = forms.CharField(label="Why the severity changes", max_length=300, required=False)
    requester = forms.ModelChoiceField(
        label="Requester", queryset=Contact.objects.none(), required=False, empty_label="Nobody"
    )
    cc = forms.CharField(
        label="Copied", max_length=2000, required=False,
        help_text="Mail addresses that get every answer, separated by commas.",
    )  # fmt: skip
    root_cause = forms.CharField(
        label="Root cause", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    engineering_reference = forms.CharField(label="Engineering reference", max_length=120, required=False)

    def __init__(self, *args: Any, account: Account, custom: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_custom(custom)
        self.fields["requester"].queryset = Contact.objects.filter(account=account, left_on=None).order_by("name")

    def clean_cc(self) -> list[str]:
        """The addresses, one by one; the action says which of them is none."""
        return re.split(r"[\s,;]+", self.cleaned_data["cc"].strip()) if self.cleaned_data["cc"].strip() else []


class NewTicketForm(DetailsForm):
    """A ticket opened on behalf of a customer."""

    account = AccountField(label="Account", empty_label="Choose an account")
    requester = forms.CharField(
        label="Requester", max_length=254, required=False, help_text="The e-mail address of a contact of the account."
    )
    channel = forms.ChoiceField(label="Reached us by", choices=Channel.choices, initial=Channel.PHONE)
    body = forms.CharField(label="What they said", widget=forms.Textarea(attrs={"rows": 6}), max_length=100_000)
    tags = forms.CharField(label="Tags", required=False, max_length=500, help_text="Separated by commas.")
    assignee = forms.ModelChoiceField(
        label="Assignee", queryset=User.objects.none(), required=False, empty_label="Nobody yet"
    )
    opened_by_staff = forms.BooleanField(
        label="We noticed it ourselves: nobody waits for a first answer", required=False
    )
    files = FilesField()
    field_order = [
        "account", "requester", "subject", "body", "severity", "impact", "type", "component", "category", "channel",
        "tags", "assignee", "files", "opened_by_staff",
    ]  # fmt: skip

    def __init__(self, *args: Any, user: User, account: UUID | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_custom()
        self.fields["account"].offer(accounts_for(user), editable=user.role != Role.SUPPORT_AGENT)
        self.fields["account"].initial = account
        self.fields["assignee"].queryset = User.objects.active().staff().order_by("name", "email")

    def clean(self) -> dict[str, Any]:
        """The requester's address as the account's contact."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        account, address = data.get("account"), (data.get("requester") or "").strip()
        if account and address:
            data["requester"] = Contact.objects.filter(account=account, email__iexact=address).first()
            if data["requester"] is None:
                self.add_error("requester", "The account has no contact with this address.")
        return data

    def values(self) -> dict[str, Any]:
        """What ``open_ticket`` takes besides the account."""
        names = """subject severity impact type component category channel body assignee opened_by_staff requester"""
        found = {name: self.cleaned_data[name] for name in names.split()}
        return {
            **found,
            "requester": found["requester"] or None,
            "custom": {key: value for key, value in self.custom().items() if value is not None},
            "tags": self.cleaned_data["tags"].split(","),
        }


class ReplyForm(RuleForm):
    """An answer or a note, with what is to be done besides."""

    body = forms.CharField(label="Answer", widget=forms.Textarea(attrs={"rows": 6}), max_length=100_000)
    files = FilesField()
    status = forms.ChoiceField(choices=[("", ""), *Status.choices], required=False)


class RelateForm(RuleForm):
    """Another ticket, and how the two belong together."""

    number = forms.IntegerField(label="Ticket number", min_value=1, max_value=2**53)
    how = forms.ChoiceField(label="How", choices=[*LinkKind.choices, ("merge", "Merge this one into it")])


class TimeForm(RuleForm):
    """Work that was put in."""

    minutes = forms.IntegerField(label="Minutes", min_value=1, max_value=1440)
    note = forms.CharField(label="Note", max_length=200, required=False)


class MacroForm(RuleForm):
    """An answer kept ready."""

    name = forms.CharField(label="Name", max_length=120)
    body = forms.CharField(
        label="Text", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Filled in: {first_name}, {customer}, {account}, {ticket.number}, {ticket.subject}, {agent}.",
    )  # fmt: skip
    is_internal = forms.BooleanField(label="Adds a note instead of an answer", required=False)
    status = forms.ChoiceField(
        label="Then the ticket is", required=False, choices=[("", "as it was"), *Status.choices[1:]]
    )
    tags = forms.CharField(label="Adds the tags", required=False, max_length=500, help_text="Separated by commas.")
    assign_to_me = forms.BooleanField(label="Whoever uses it takes the ticket", required=False)


def accounts_for(user: User) -> Any:
    """Accounts ``user`` may open tickets for: an agent's every one they see, others' those they may edit."""
    seen = Account.objects.visible_to(user) if user.role == Role.SUPPORT_AGENT else Account.objects.editable_by(user)
    return seen.unarchived()


def team_called(key: str) -> Team | None:
    """The team of this key that is still there."""
    return Team.objects.filter(key=key, retired_at=None).first() if key else None
