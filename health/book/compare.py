"""Two days of the portfolio side by side: what ARR and ARR at risk came from, and which accounts made the change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from health.book.figures import AT_RISK
from health.book.scope import Scope, fetch, positions

ARR, RISK = "arr", "risk"
# Why an account's amount changed, in the order in which a bridge shows it.
ARR_STEPS = {
    "new": "New customers",
    "grown": "Expansion",
    "in": "Moved into this view",
    "shrunk": "Contraction",
    "left": "Lost customers",
    "out": "Moved out of this view",
}
RISK_STEPS = {
    "fell": "Fell into risk",
    "new": "New customers at risk",
    "more": "More ARR of accounts at risk",
    "in": "Moved into this view",
    "rose": "Recovered",
    "less": "Less ARR of accounts at risk",
    "left": "Lost while at risk",
    "out": "Moved out of this view",
}


class Moved(NamedTuple):
    """An account whose amount differs: before, after, and why."""

    account_id: Any
    name: str
    owner: str
    before: Decimal
    after: Decimal
    why: str
    row: dict[str, Any]

    @property
    def change(self) -> Decimal:
        return self.after - self.before


class Step(NamedTuple):
    """One step of a bridge: its sum and how many accounts made it."""

    key: str
    label: str
    amount: Decimal
    accounts: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """From one amount to another; the steps add to the difference, and so do the accounts."""

    key: str
    before: Decimal
    after: Decimal
    steps: list[Step]
    moved: list[Moved]

    @property
    def change(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both bridges. ``known`` says whether anything was recorded of the earlier day."""

    known: bool
    arr: Bridge
    risk: Bridge


# Accounts in scope on either day, with both sides; ``was`` and ``will`` say whether one out of scope was a customer.
_COMPARED = """WITH a AS MATERIALIZED ({on}), b AS MATERIALIZED ({since}), both_days AS (
    SELECT account_id, b.account_id IS NOT NULL AS in_before, a.account_id IS NOT NULL AS in_after,
        b.arr AS arr_before, a.arr AS arr_after, b.rag AS rag_before, a.rag AS rag_after,
        b.score AS score_before, a.score AS score_after,
        b.currency AS currency_before, a.currency AS currency_after, COALESCE(a.owner_id, b.owner_id) AS owner_id
    FROM b FULL JOIN a USING (account_id)
)
SELECT d.*, n.name, COALESCE(NULLIF(u.name, ''), u.email, '') AS owner,
    d.in_before OR EXISTS (SELECT FROM ({before}) k(id) WHERE k.id = d.account_id) AS was,
    d.in_after OR EXISTS (SELECT FROM ({after}) k(id) WHERE k.id = d.account_id) AS will
FROM both_days d JOIN accounts_account n ON n.id = d.account_id LEFT JOIN accounts_user u ON u.id = d.owner_id
WHERE {which} ORDER BY d.account_id"""
_CHANGED = """NOT in_before OR NOT in_after OR arr_before <> arr_after OR currency_before <> currency_after
    OR (rag_before IN ('red', 'orange')) <> (rag_after IN ('red', 'orange'))"""
_TOTALS = """SELECT side, COALESCE(sum(arr), 0) AS arr,
    COALESCE(sum(arr) FILTER (WHERE rag IN ('red', 'orange')), 0) AS risk, count(*) AS n
FROM (SELECT 'after' AS side, arr, rag, currency FROM ({on}) x
    UNION ALL SELECT 'before', arr, rag, currency FROM ({since}) y) s WHERE currency = %s GROUP BY side"""


def both_days(user: Any, scope: Scope, currency: str) -> Comparison:
    """Both days' amounts without what made the difference. One query."""
    now, then = positions(user, scope, scope.on), positions(user, scope, scope.since)
    text = _TOTALS.format(on=now.text, since=then.text)
    totals = {row["side"]: row for row in fetch(text, (*now.parameters, *then.parameters, currency))}
    before, after = totals.get("before", _NOTHING), totals.get("after", _NOTHING)
    return Comparison(
        known=before["n"] > 0,
        arr=Bridge(ARR, before["arr"], after["arr"], [], []),
        risk=Bridge(RISK, before["risk"], after["risk"], [], []),
    )


def compare(user: Any, scope: Scope, currency: str) -> Comparison:
    """What changed between ``scope.since`` and ``scope.on``, account by account. Two queries."""
    return explained(user, scope, currency, both_days(user, scope, currency))


def explained(user: Any, scope: Scope, currency: str, found: Comparison) -> Comparison:
    """``found`` with the accounts and steps that made its differences. One query."""
    now, then = positions(user, scope, scope.on), positions(user, scope, scope.since)
    anybody = Scope(today=scope.today, on=scope.on, since=scope.since)
    known_now, known_then = positions(user, anybody, scope.on), positions(user, anybody, scope.since)
    text = _COMPARED.format(
        on=now.text,
        since=then.text,
        before=f"SELECT account_id FROM ({known_then.text}) o",
        after=f"SELECT account_id FROM ({known_now.text}) o",
        which=_CHANGED,
    )
    rows = fetch(text, (*now.parameters, *then.parameters, *known_then.parameters, *known_now.parameters))
    for row in rows:
        _in_currency(row, currency)
    return Comparison(
        found.known,
        arr=_stepped(found.arr, ARR_STEPS, filter(None, map(_arr_move, rows))),
        risk=_stepped(found.risk, RISK_STEPS, filter(None, map(_risk_move, rows))),
    )


_NOTHING: dict[str, Any] = {"arr": Decimal(0), "risk": Decimal(0), "n": 0}


def _in_currency(row: dict[str, Any], currency: str) -> None:
    for side in ("before", "after"):
        ours = row[f"currency_{side}"] == currency
        row[f"arr_{side}"] = row[f"arr_{side}"] if ours else Decimal(0)


def _moved(row: dict[str, Any], before: Decimal, after: Decimal, why: str) -> Moved:
    return Moved(row["account_id"], row["name"], row["owner"], before, after, why, row)


def _arr_move(row: dict[str, Any]) -> Moved | None:
    before, after = row["arr_before"], row["arr_after"]
    if before == after:
        return None
    if not row["in_before"]:
        return _moved(row, before, after, "in" if row["was"] else "new")
    if not row["in_after"]:
        return _moved(row, before, after, "out" if row["will"] else "left")
    return _moved(row, before, after, "grown" if after > before else "shrunk")


def _risk_move(row: dict[str, Any]) -> Moved | None:
    risky_before, risky_after = row["rag_before"] in AT_RISK, row["rag_after"] in AT_RISK
    before = row["arr_before"] if risky_before else Decimal(0)
    after = row["arr_after"] if risky_after else Decimal(0)
    if before == after:
        return None
    if not row["in_before"]:
        return _moved(row, before, after, "in" if row["was"] else "new")
    if not row["in_after"]:
        return _moved(row, before, after, "out" if row["will"] else "left")
    if risky_before and risky_after:
        return _moved(row, before, after, "more" if after > before else "less")
    return _moved(row, before, after, "fell" if risky_after else "rose")


def _stepped(bridge: Bridge, names: dict[str, str], moves: Iterable[Moved]) -> Bridge:
    moved = sorted(moves, key=lambda move: (-abs(move.change), move.name))
    steps = []
    for why, label in names.items():
        of_step = [move.change for move in moved if move.why == why]
        if of_step:
            steps.append(Step(why, label, sum(of_step, Decimal(0)), len(of_step)))
    return replace(bridge, steps=steps, moved=moved)
