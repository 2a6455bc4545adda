"""A group of accounts, from the one above all down, with what its rows come to and by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from accounts.choices import AccountStatus
from accounts.models import Account
from accounts.models.account import MAX_DEPTH
from health.book.listing import COLUMNS
from health.choices import Rag

if TYPE_CHECKING:
    from accounts.models import User

MOST = 500
WORST_FIRST = (Rag.RED, Rag.ORANGE, Rag.YELLOW, Rag.GREEN)
# Up to the account that nothing stands above, then down again.
_TREE = """
WITH RECURSIVE up (id, parent_id, level) AS (
    SELECT id, parent_id, 0 FROM accounts_account WHERE id = %(account)s
    UNION ALL
    SELECT a.id, a.parent_id, level + 1 FROM accounts_account a JOIN up ON a.id = up.parent_id WHERE level < %(depth)s
), down (id, parent_id, level) AS (
    SELECT id, NULL::uuid, 0 FROM (SELECT id FROM up ORDER BY level DESC LIMIT 1) root
    UNION ALL
    SELECT a.id, a.parent_id, level + 1 FROM accounts_account a JOIN down ON a.parent_id = down.id
    WHERE level < %(depth)s
)
SELECT id, parent_id FROM down ORDER BY level, id LIMIT %(most)s
"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Total:
    """What accounts come to. ``arr`` by currency; ``score`` is None without one; ``rule`` says how it was averaged."""

    accounts: int
    arr: dict[str, Decimal]
    score: Decimal | None
    rule: str
    worst: str | None
    at_risk: int
    renewal_on: date | None


@dataclass(frozen=True, slots=True)
class Group:
    """The rows in the order of the tree, each with ``depth`` and ``below`` (its own total with all under it).

    ``archived`` are left out, and ``is_cut`` says that there are more than are shown.
    """

    rows: list[Row]
    total: Total
    archived: int
    is_cut: bool


def group_of(user: User, account: Account) -> Group:
    """The group that ``account`` belongs to, as far as ``user`` sees it, without archived accounts.

    An account whose superior is left out stands under the next one that is. Two queries; at most 500 accounts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TREE, {"account": account.pk, "depth": MAX_DEPTH, "most": MOST + 1})
        parents: dict[UUID, UUID | None] = dict(cursor.fetchall()[:MOST])
        is_cut = cursor.rowcount > MOST
    visible = Account.objects.visible_to(user).filter(pk__in=list(parents)).order_by("name", "pk")
    rows = {row["pk"]: row for row in visible.values(*COLUMNS, "archived_at")}
    seen = {key: row for key, row in rows.items() if row["archived_at"] is None}
    return Group(_in_order(seen, parents), total_of(seen.values()), len(rows) - len(seen), is_cut)


def _in_order(seen: Mapping[UUID, Row], parents: Mapping[UUID, UUID | None]) -> list[Row]:
    under: dict[UUID | None, list[UUID]] = {}
    for key in seen:
        above = parents[key]
        while above is not None and above not in seen:
            above = parents[above]
        under.setdefault(above, []).append(key)
    found: list[Row] = []

    def walk(key: UUID, depth: int) -> list[Row]:
        row = {**seen[key], "depth": depth}
        found.append(row)
        below = [row, *(inner for child in under.get(key, ()) for inner in walk(child, depth + 1))]
        row["below"] = total_of(below) if len(below) > 1 else None
        return below

    for key in under.get(None, ()):
        walk(key, 0)
    return found


def total_of(rows: Iterable[Row]) -> Total:
    """What ``rows`` come to: customers' ARR added up, the score as the rule says, the worst band, the next renewal."""
    listed = [row for row in rows if row["status"] != AccountStatus.CHURNED]
    arr: dict[str, Decimal] = {}
    for row in listed:
        arr[row["currency"]] = arr.get(row["currency"], Decimal(0)) + row["arr"]
    score, rule = _averaged(listed, one_currency=len({row["currency"] for row in listed if row["arr"]}) == 1)
    rags = [row["health__current_rag"] for row in listed]
    renewals = [row["renewal_on"] for row in listed if row["renewal_on"]]
    return Total(
        accounts=len(listed),
        arr={currency: amount for currency, amount in sorted(arr.items()) if amount},
        score=score,
        rule=rule,
        worst=next((rag for rag in WORST_FIRST if rag in rags), None),
        at_risk=sum(rag in {Rag.RED, Rag.ORANGE} for rag in rags),
        renewal_on=min(renewals, default=None),
    )


def _averaged(rows: Sequence[Row], *, one_currency: bool) -> tuple[Decimal | None, str]:
    """The mean score weighted by ARR, where all of it is in one currency, else the plain mean; and in words which."""
    scored = [(row["health__score"], row["arr"]) for row in rows if row["health__score"] is not None]
    if not scored:
        return None, "no account has a score"
    weight = sum((arr for _score, arr in scored), Decimal(0))
    if one_currency and weight:
        return sum((score * arr for score, arr in scored), Decimal(0)) / weight, "mean of the scores, weighted by ARR"
    return sum((score for score, _arr in scored), Decimal(0)) / len(scored), "plain mean of the scores"
