"""Forms of the account's pages. They check shapes; rules belong to the actions, whose refusals land on the fields."""

from accounts.forms.account import AccountForm, OwnerForm
from accounts.forms.activity import ActivityForm
from accounts.forms.base import RecordForm
from accounts.forms.contact import ContactForm, LeftForm
from accounts.forms.contract import ContractForm, LineFormSet
from accounts.forms.team import TeamForm

__all__ = [
    "AccountForm",
    "ActivityForm",
    "ContactForm",
    "ContractForm",
    "LeftForm",
    "LineFormSet",
    "OwnerForm",
    "RecordForm",
    "TeamForm",
]
