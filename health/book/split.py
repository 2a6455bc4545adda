"""The portfolio split by segment, tier, owner or scorecard: each part's money and health on both days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from health.book.choices import ScopeChoices
from health.book.scope import SPLITS, Scope, Sql
from health.queries.segments import stays_by_day


@dataclass(frozen=True, slots=True)
class Part:
    """One part on the day. ``key`` is its word in the address, empty for what has none; ``arr_before`` is None
    where the part had no account on the day compared with.
    """

    key: str
    name: str
    accounts: int
    arr: Decimal
    at_risk: int
    arr_at_risk: Decimal
    score: Decimal | None
    arr_before: Decimal | None

    @property
    def share_at_risk(self) -> Decimal | None:
        """Per cent of the part's ARR that is at risk; None without ARR."""
        return self.arr_at_risk * 100 / self.arr if self.arr else None


_COLUMNS = {"tier": "tier_id::text", "segment": "segment", "owner": "owner_id::text", "card": "card"}


def grouped(scope: Scope) -> tuple[str, Sql]:
    """What ``scope`` is split by, as a column of the accounts ``p`` on ``p.day``, and what has to be joined for it."""
    if scope.split != "rule":
        return _COLUMNS[scope.split], Sql("", ())
    stays = stays_by_day().values_list("segment", "account", "first_on", "end_on")
    text, parameters = stays.query.sql_with_params()
    joined = (
        f"JOIN (SELECT k::text AS key, a, f, u FROM ({text}) AS x(k, a, f, u)) m "
        "ON m.a = p.account_id AND m.f <= p.day AND m.u > p.day"
    )
    return "m.key", Sql(joined, parameters)


def split(rows: Sequence[dict[str, Any]], scope: Scope, choices: ScopeChoices) -> list[Part]:
    """The parts that have accounts on the day, the one with most ARR first, of the ``parts`` of a portfolio.

    Tiers, typed segments, owners and scorecards add up to the whole. Segments by rule may share accounts, and an
    account may be in none of them.
    """
    before = {row["part"]: row["money"] for row in rows if row["side"] == 1}
    names = _names(scope.split, choices)
    parts = [
        Part(
            key=row["part"],
            name=names.get(row["part"], "Somebody who left" if scope.split == "owner" else row["part"]),
            accounts=row["n"],
            arr=row["money"],
            at_risk=row["risky"],
            arr_at_risk=row["risky_money"],
            score=row["total_score"] / row["scored"] if row["scored"] else None,
            arr_before=before.get(row["part"]),
        )
        for row in rows
        if row["side"] == 0
    ]
    return sorted(parts, key=lambda part: (-part.arr, -part.accounts, part.name))


def _names(by: str, choices: ScopeChoices) -> dict[str, str]:
    offered = {"rule": choices.rules, "segment": choices.plain, "tier": choices.tiers, "owner": choices.owners,
               "card": choices.cards}[by]  # fmt: skip
    return {"": SPLITS[by].nothing, **dict(offered)}
