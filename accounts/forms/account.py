"""Creating and editing an account, and giving it to an owner."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.account_fields import AccountField
from accounts.choices import AccountStatus, Role
from accounts.forms.base import DateInput, RecordForm
from accounts.forms.own_fields import OwnFields
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.record_fields import ACCOUNT

# Roles whose people may own an account (FMEA-2.1: a CSM or above).
OWNER_ROLES = (Role.OWNER, Role.ADMIN, Role.VP_CS, Role.CSM)
_TEXT = ("name", "segment", "industry", "country", "website", "timezone", "currency")


class OwnerField(forms.ModelChoiceField):
    """A choice among the people who may own accounts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=User.objects.none(), **options)

    def offer(self) -> None:
        """Fill the choices; done per form, inside the tenant."""
        self.queryset = User.objects.active().filter(role__in=OWNER_ROLES).order_by("name", "email")


class AccountForm(OwnFields, RecordForm):
    """What is kept of an account. ARR, seats and renewal follow from its contracts."""

    fields_table = {name: ACCOUNT[name] for name in _TEXT}

    name = forms.CharField(max_length=200, label="Name")
    status = forms.ChoiceField(choices=AccountStatus.choices, initial=AccountStatus.ACTIVE)
    tier = forms.ModelChoiceField(queryset=Tier.objects.none(), required=False, empty_label="No tier")
    stage = forms.ModelChoiceField(
        queryset=LifecycleStage.objects.none(), required=False, label="Lifecycle stage", empty_label="No stage"
    )
    segment = forms.CharField(max_length=60, required=False)
    owner = OwnerField(required=False)
    parent = AccountField(
        required=False, label="Parent account", empty_label="None", help_text="The group it belongs to"
    )
    industry = forms.CharField(max_length=80, required=False)
    country = forms.CharField(max_length=2, required=False, help_text="Two letters, such as DE")
    website = forms.CharField(max_length=200, required=False)
    timezone = forms.CharField(
        max_length=64, required=False, label="Time zone", help_text="Such as Europe/Berlin; empty: the workspace's"
    )
    currency = forms.CharField(max_length=3, help_text="Three letters, such as EUR")
    customer_since_on = forms.DateField(required=False, widget=DateInput, label="Customer since")
    assigned_users = forms.IntegerField(
        required=False, min_value=0, max_value=2_000_000_000, label="People given access"
    )

    def __init__(self, *args: Any, user: User, account: Account | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tier"].queryset = Tier.objects.all()  # type: ignore[attr-defined]
        self.fields["stage"].queryset = LifecycleStage.objects.all()  # type: ignore[attr-defined]
        self.fields["owner"].offer()  # type: ignore[attr-defined]
        parents = Account.objects.visible_to(user).unarchived()
        self.fields["parent"].offer(parents.exclude(pk=account.pk) if account else parents)  # type: ignore[attr-defined]
        if account is not None:
            del self.fields["owner"]
        self.add_own(account.custom if account is not None else {})

    def values(self) -> dict[str, Any]:
        """What an action takes as changes."""
        return self.with_custom(super().values())

    @classmethod
    def initial_of(cls, account: Account) -> dict[str, Any]:
        """The form's values for an account as it is."""
        names = [name for name in cls.base_fields if name not in {"owner", "version"}]
        return {"version": account.version} | {name: getattr(account, name) for name in names}


class OwnerForm(forms.Form):
    """Who owns the account now, and why it changes hands; the reason is needed to go over a capacity."""

    owner = OwnerField(required=False, empty_label="Nobody", label="Owner")
    reason = forms.CharField(max_length=200, required=False, help_text="Needed to go over somebody's capacity")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].offer()  # type: ignore[attr-defined]
