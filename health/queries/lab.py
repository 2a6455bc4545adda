"""What the backtest lab lists: versions to test, backtests so far, names of the accounts they speak of."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from accounts.models import Account
from health.choices import VersionState
from health.models import Backtest, ScorecardVersion

if TYPE_CHECKING:
    from accounts.models import User

NEWEST = 50


class Named(NamedTuple):
    """An account as lists show it."""

    pk: str
    name: str
    arr: Decimal
    currency: str


def versions_to_test() -> list[ScorecardVersion]:
    """Running versions first, then drafts, then retired ones, 100 at most. One query."""
    order = {VersionState.ACTIVE: 0, VersionState.DRAFT: 1, VersionState.RETIRED: 2}
    rows = list(ScorecardVersion.objects.select_related("scorecard").order_by("-created_at")[:100])
    return sorted(
        rows, key=lambda row: (not row.scorecard.is_default, order[VersionState(row.state)], row.scorecard.name)
    )


def newest_backtests() -> list[Backtest]:
    """The newest fifty without their rows by account. One query."""
    rows = Backtest.objects.select_related("version__scorecard", "challenger__scorecard", "created_by")
    return list(rows.defer("rows", "definition", "challenger_definition")[:NEWEST])


def names_of(user: User, accounts: Iterable[str]) -> dict[str, Named]:
    """Names of those of these accounts that ``user`` may see. One query."""
    rows = Account.objects.visible_to(user).filter(pk__in=set(accounts)).values_list("pk", "name", "arr", "currency")
    return {str(pk): Named(str(pk), name, arr, currency) for pk, name, arr, currency in rows}
