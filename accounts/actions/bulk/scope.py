"""Which accounts the caller of a bulk call may write to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.errors import RuleViolated
from accounts.models import Account

if TYPE_CHECKING:
    from accounts.models import User


class Scope:
    """The editable ones among ``accounts``, read in one query; all of them for the system."""

    def __init__(self, actor: User | None, accounts: Iterable[Account]) -> None:
        keys = {account.pk for account in accounts}
        if actor is not None and keys:
            keys = set(Account.objects.editable_by(actor).filter(pk__in=keys).values_list("pk", flat=True))
        self._editable: set[UUID] = keys

    def require(self, account_id: UUID) -> None:
        """Raise RuleViolated unless the account may be written to."""
        if account_id not in self._editable:
            raise RuleViolated("not_yours", "You may not change this account.", "account")
