"""Forms of the mail room. They read; the actions decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.account_fields import AccountField
from accounts.models import Account
from accounts.people_forms import RuleForm
from support.models import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class ReleaseForm(RuleForm):
    """Where a held mail goes: an account, or one of its tickets by number."""

    account = AccountField(required=False, empty_label="Where the sender is known")
    ticket = forms.IntegerField(
        label="Into ticket", required=False, min_value=1, max_value=10**15, help_text="A number; empty: a new ticket"
    )
    add_contact = forms.BooleanField(label="Add the sender to the account's people", required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["account"].offer(Account.objects.visible_to(user).unarchived())

    def clean_ticket(self) -> Ticket | None:
        number = self.cleaned_data.get("ticket")
        if not number:
            return None
        found = Ticket.objects.visible_to(self.user).select_related("account__tier").filter(number=number).first()
        if found is None:
            raise forms.ValidationError("There is no such ticket.")
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        ticket, account = data.get("ticket"), data.get("account")
        if ticket and account and ticket.account_id != account.pk:
            self.add_error("ticket", f"Ticket #{ticket.number} belongs to {ticket.account}.")
        return data


class MailSettingsForm(RuleForm):
    """What the desk is called from outside, and whom it believes."""

    support_address = forms.EmailField(
        label="Support address",
        required=False,
        max_length=254,
        help_text="What customers write to and answers come from. Have its mail forwarded to the address above.",
    )
    trusted_relay = forms.RegexField(
        r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        label="Trusted relay",
        required=False,
        max_length=200,
        help_text="Its name in the Authentication-Results it writes on top of each mail. Empty: the installation's.",
        error_messages={"invalid": "It is one host name, such as mx.example.com."},
    )
    mails_per_hour = forms.IntegerField(
        label="Mails an hour from one address", min_value=1, max_value=1000,
        help_text="What comes beyond is kept and not worked: two machines may be answering each other.",
    )  # fmt: skip
    acknowledge_mail = forms.BooleanField(label="Tell the sender that a ticket was opened", required=False)
    ask_for_rating = forms.BooleanField(label="Ask the customer how it went when a ticket is resolved", required=False)
