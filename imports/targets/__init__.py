"""What the rows of a file can become."""

from imports.choices import TargetKey
from imports.targets.base import Context, Settled, Target
from imports.targets.churn import Churn
from imports.targets.records import Accounts, Contacts, Contracts
from imports.targets.tickets import Tickets
from imports.targets.usage import Events, Metrics

TARGETS: dict[str, Target] = {
    TargetKey.ACCOUNTS: Accounts(),
    TargetKey.CONTACTS: Contacts(),
    TargetKey.CONTRACTS: Contracts(),
    TargetKey.METRICS: Metrics(),
    TargetKey.EVENTS: Events(),
    TargetKey.TICKETS: Tickets(),
    TargetKey.CHURN: Churn(),
}

__all__ = ["TARGETS", "Context", "Settled", "Target"]
