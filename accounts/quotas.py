"""Whether the workspace may have one more: its limits against what it has.

A limit protects the installation and is no promise: two calls at the same moment may each take the last place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.errors import QuotaReached
from accounts.models import Account, User
from tenants.quotas import busiest_minute, events_on, limits_of

# Shares of a limit, in percent, at which administrators are warned; each once.
STEPS = (70, 85, 95)


@dataclass(frozen=True, slots=True)
class Use:
    """One limit and how much of it is used. ``is_per_time`` begins anew by itself, each day or minute."""

    key: str
    label: str
    detail: str
    used: int
    limit: int
    is_per_time: bool = False

    @property
    def used_pct(self) -> int:
        """Whole percent used, rounded down; may be more than 100."""
        return 100 * self.used // self.limit if self.limit else 100

    @property
    def step(self) -> int:
        """The highest warning step reached, 0 below the first."""
        return max((step for step in STEPS if self.used_pct >= step), default=0)

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


def uses(at: datetime) -> list[Use]:
    """Every limit of the workspace with its use at ``at``. Two queries and two round trips to Redis."""
    limits, schema = limits_of(), connection.schema_name
    calls = "A minute; shown is the busiest of the last ten. Calls above it are answered 429."
    return [
        Use("accounts", "Accounts", "Archived ones do not count.", accounts_used(), limits.accounts),
        Use("users", "Users", "All that may sign in, the portal's too.", users_used(), limits.users),
        Use("events", "Usage events", "A UTC day, those sent twice counted twice.", events_on(schema, at),
            limits.events_per_day, is_per_time=True),
        Use("calls", "API calls", calls, busiest_minute(schema, at), limits.api_calls_per_minute, is_per_time=True),
    ]  # fmt: skip


def storage_bytes() -> int:
    """Bytes that the workspace's tables and indexes take in the database. One query on the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c"
            " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'm')"
        )
        return int(cursor.fetchone()[0])


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
