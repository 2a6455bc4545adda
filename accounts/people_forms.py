"""Forms about people. They read and say what is wrong; the actions decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.account_fields import AccountsField
from accounts.choices import PORTAL_ROLES, Role, Scope
from accounts.directory import staff_role_choices, successors_of
from accounts.errors import RuleViolated
from accounts.models import Account, User
from ui.forms import LongSelect

if TYPE_CHECKING:
    from collections.abc import Callable


class RuleForm(forms.Form):
    """A form that shows a broken rule of an action at the field it belongs to."""

    def run(self, act: Callable[[], Any]) -> bool:
        """Call ``act``; False, with the error at its field, when a rule refused it."""
        try:
            act()
        except RuleViolated as broken:
            self.add_error(broken.field if broken.field in self.fields else None, str(broken.message))
            return False
        return True


def zone_choices() -> list[tuple[str, str]]:
    """The time zones a person may choose: UTC, then the places by name."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [("UTC", "UTC"), *((zone, zone) for zone in places)]


class InviteForm(RuleForm):
    """Who is invited, as what."""

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("They can change it."))
    role = forms.ChoiceField(label=_("Role"))
    portal_accounts = AccountsField(
        label=_("Accounts"),
        required=False,
        help_text=_("Only for portal users: the accounts of theirs they may see."),
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = staff_role_choices(with_owner=actor.role == Role.OWNER)
        portal = [(role.value, role.label) for role in Role if role in PORTAL_ROLES]
        self.fields["role"].choices = [(_("Colleagues"), staff), (_("Customers"), portal)]
        self.fields["role"].initial = Role.CSM
        self.fields["portal_accounts"].offer(Account.objects.visible_to(actor).unarchived())


class RoleForm(RuleForm):
    """Another role on the same side of the house."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, user: User, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        portal = [(role.value, role.label) for role in Role if role in PORTAL_ROLES]
        self.fields["role"].choices = (
            portal if user.is_portal else staff_role_choices(with_owner=actor.role == Role.OWNER)
        )
        self.fields["role"].initial = user.role


class DeactivateForm(RuleForm):
    """Who takes over."""

    reassign_to = forms.ModelChoiceField(
        label=_("Accounts go to"), queryset=User.objects.none(), required=False, empty_label=_("Nobody")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reassign_to"].queryset = successors_of(user)


class TokenForm(RuleForm):
    """A new API token."""

    LIFETIMES = ((30, _("30 days")), (90, _("90 days")), (180, _("180 days")), (365, _("365 days")))

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("The system that will use it."))
    user = forms.ModelChoiceField(
        label=_("Acts for"), queryset=User.objects.none(), help_text=_("It may do what this person's role may.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=Scope.choices, initial=[Scope.READ], widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(label=_("Lifetime"), choices=LIFETIMES, coerce=int, initial=90)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = User.objects.active().staff().order_by("name", "email")
        self.fields["user"].queryset = users if actor.role == Role.OWNER else users.exclude(role=Role.OWNER)
        self.fields["user"].initial = actor.pk


class ProfileForm(RuleForm):
    """What people see of me and how the product looks to me."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    title = forms.CharField(
        label=_("Title"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    timezone = forms.ChoiceField(label=_("Time zone"), required=False, widget=LongSelect)
    theme = forms.ChoiceField(label=_("Theme"), choices=User._meta.get_field("theme").choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"].choices = [("", _("As the workspace")), *zone_choices()]


class AcceptForm(RuleForm):
    """The invited person's name and password."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters; a sentence is easier to remember than a puzzle."),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password
