"""Whether the workspace may have one more: its limits against what it has.

A limit protects the installation and is no promise: two calls at the same moment may each take the last place.
"""

from __future__ import annotations

from accounts.errors import QuotaReached
from accounts.models import Account, User
from tenants.quotas import limits_of


def accounts_used() -> int:
    """Accounts that count: all that are not archived. One query."""
    return Account.objects.unarchived().count()


def users_used() -> int:
    """Users that count: all that may sign in, the portal's too. One query."""
    return User.objects.active().count()


def room_for_accounts() -> int:
    """How many more accounts the workspace may have; may be negative. One query."""
    return limits_of().accounts - accounts_used()


def check_account() -> None:
    """Raise QuotaReached unless the workspace may have one more account."""
    if room_for_accounts() < 1:
        raise account_refused()


def account_refused() -> QuotaReached:
    """What to say when no account can be added."""
    limit = limits_of().accounts
    text = f"This workspace may have {limit:,} accounts and has them. Archive one, or ask your operator for more."
    return QuotaReached("quota.accounts", text, "name")


def check_user(*, promised: int = 0) -> None:
    """Raise QuotaReached unless the workspace may have one more user. ``promised`` are invitations still open."""
    limit = limits_of().users
    if users_used() + promised >= limit:
        waiting = f", {promised:,} of them invited" if promised else ""
        text = f"This workspace may have {limit:,} users and has them{waiting}. Deactivate one, or ask for more."
        raise QuotaReached("quota.users", text, "email")
