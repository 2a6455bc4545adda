"""The portfolio split by segment, tier, owner or scorecard: each part's money and health on both days. One query."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from health.book.choices import ScopeChoices
from health.book.scope import SPLITS, Scope, fetch, positions
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
_PARTS = """WITH p AS (
    SELECT 0 AS side, %s::date AS day, q.* FROM ({on}) q UNION ALL SELECT 1, %s::date, q.* FROM ({since}) q
)
SELECT side, COALESCE({key}, '') AS key, count(*) AS n, COALESCE(sum(arr) FILTER (WHERE currency = %s), 0) AS arr,
    count(*) FILTER (WHERE rag IN ('red', 'orange')) AS risky, avg(score) AS score,
    COALESCE(sum(arr) FILTER (WHERE currency = %s AND rag IN ('red', 'orange')), 0) AS risky_arr
FROM p {joined} GROUP BY 1, 2"""


def split(user: Any, scope: Scope, currency: str, choices: ScopeChoices) -> list[Part]:
    """The parts that have accounts on the day, the one with most ARR first. One query.

    Tiers, typed segments, owners and scorecards add up to the whole. Segments by rule may share accounts, and an
    account may be in none of them.
    """
    now, then = positions(user, scope, scope.on), positions(user, scope, scope.since)
    key, joined, extra = _COLUMNS.get(scope.split, "m.key"), "", ()
    if scope.split == "rule":
        stays = stays_by_day().values_list("segment", "account", "first_on", "end_on")
        text, extra = stays.query.sql_with_params()
        joined = (
            f"JOIN (SELECT k::text AS key, a, f, u FROM ({text}) AS x(k, a, f, u)) m "
            "ON m.a = p.account_id AND m.f <= p.day AND m.u > p.day"
        )
    rows = fetch(
        _PARTS.format(on=now.text, since=then.text, key=key, joined=joined),
        (scope.on, *now.parameters, scope.since, *then.parameters, currency, currency, *extra),
    )
    before = {row["key"]: row["arr"] for row in rows if row["side"] == 1}
    names = _names(scope.split, choices)
    parts = [
        Part(
            key=row["key"],
            name=names.get(row["key"], "Somebody who left" if scope.split == "owner" else row["key"]),
            accounts=row["n"],
            arr=row["arr"],
            at_risk=row["risky"],
            arr_at_risk=row["risky_arr"],
            score=row["score"],
            arr_before=before.get(row["key"]),
        )
        for row in rows
        if row["side"] == 0
    ]
    return sorted(parts, key=lambda part: (-part.arr, -part.accounts, part.name))


def _names(by: str, choices: ScopeChoices) -> dict[str, str]:
    offered = {"rule": choices.rules, "segment": choices.plain, "tier": choices.tiers, "owner": choices.owners,
               "card": choices.cards}[by]  # fmt: skip
    return {"": SPLITS[by].nothing, **dict(offered)}
