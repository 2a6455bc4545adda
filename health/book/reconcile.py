"""Whether the figures of revenue fit each other: equations whose difference has to be nothing.

ARR is said in three ways: by the accounts as they stood on the day, by the accounts that moved since the day compared
with, and by the contracts. Each equation adds lines up and compares them with a figure that another query gave; what
the lines cannot explain is named account by account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.models import Account
from health.book.choices import ScopeChoices
from health.book.compare import ARR, RISK, Bridge, Comparison, explained
from health.book.retention import arr_on_two_days, in_force, retention, year_before
from health.book.scope import SPLITS, Scope, fetch, positions
from health.book.sums import Sums, sums
from ui import formats

NAMED = 50
ZERO, CENT = Decimal(0), Decimal("0.01")


class Line(NamedTuple):
    """One line of an equation: its amount, and of how many accounts (None where that says nothing)."""

    label: str
    amount: Decimal
    accounts: int | None = None


class Odd(NamedTuple):
    """An account whose contracts do not give its ARR."""

    account_id: Any
    name: str
    arr: Decimal
    contracts: Decimal

    @property
    def difference(self) -> Decimal:
        return self.arr - self.contracts


@dataclass(frozen=True, slots=True)
class Equation:
    """Lines that add up to the figure ``stated``. ``moves``: the first is an amount, the others move it. ``odd`` are
    accounts to look at.
    """

    key: str
    title: str
    lines: list[Line]
    stated_label: str
    stated: Decimal
    moves: bool = False
    odd: list[Odd] = field(default_factory=list)

    @property
    def worked_out(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def difference(self) -> Decimal:
        return self.stated - self.worked_out


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All equations of a scope. ``known`` says whether anything was recorded of the day compared with."""

    equations: list[Equation]
    known: bool

    @property
    def difference(self) -> Decimal:
        """What does not fit, of all equations together; each counts, whatever its sign."""
        return sum((abs(equation.difference) for equation in self.equations), ZERO)


def reconcile(user: Any, scope: Scope, currency: str, choices: ScopeChoices) -> Reconciliation:
    """The equations of what ``user`` may see and ``scope`` leaves. Seven queries."""
    now, before = sums(user, scope, currency)
    moved = explained(user, scope, currency, _both_days(now, before))
    found = [
        _moves("arr", "ARR", moved.arr, now.whole.arr, scope),
        _moves("risk", "ARR at risk", moved.risk, now.at_risk.arr, scope),
        _contracts(user, scope, currency, now),
        *_year(user, scope, currency),
        *_parts(user, scope, currency, now, choices),
    ]
    return Reconciliation(found, moved.known)


def _both_days(now: Sums, before: Sums | None) -> Comparison:
    arr, risk = (before.whole.arr, before.at_risk.arr) if before else (ZERO, ZERO)
    return Comparison(
        known=before is not None,
        arr=Bridge(ARR, arr, now.whole.arr, [], []),
        risk=Bridge(RISK, risk, now.at_risk.arr, [], []),
    )


def _moves(key: str, title: str, bridge: Bridge, stated: Decimal, scope: Scope) -> Equation:
    lines = [Line(f"{title} on {formats.day(scope.since)}", bridge.before)]
    lines += [Line(step.label, step.amount, step.accounts) for step in bridge.steps]
    return Equation(key, f"{title} from day to day", lines, f"{title} on {formats.day(scope.on)}", stated, moves=True)


_PARTS = """SELECT CASE WHEN GROUPING(tier_id) = 0 THEN 'tier' WHEN GROUPING(segment) = 0 THEN 'segment' ELSE 'card' END
    AS split, COALESCE(tier_id::text, segment, card, '') AS key, count(*) AS n, sum(arr) AS arr
FROM ({on}) p WHERE currency = %s GROUP BY GROUPING SETS ((tier_id), (segment), (card)) ORDER BY 1, 4 DESC, 2"""


def _parts(user: Any, scope: Scope, currency: str, now: Sums, choices: ScopeChoices) -> list[Equation]:
    """The parts of each way to split that shares nothing out twice, against the whole."""
    rows = positions(user, scope, scope.on)
    found = fetch(_PARTS.format(on=rows.text), (*rows.parameters, currency))
    names = {"tier": dict(choices.tiers), "segment": {}, "card": dict(choices.cards)}
    lines: dict[str, list[Line]] = {"tier": [], "segment": [], "card": []}
    for row in found:
        split = row["split"]
        name = names[split].get(row["key"], row["key"]) or SPLITS[split].nothing
        lines[split].append(Line(name, row["arr"], row["n"]))
    loads = sorted(now.loads.values(), key=lambda load: -load.book.arr)
    lines["owner"] = [Line(choices.owner(load.owner_id), load.book.arr, load.book.accounts) for load in loads]
    lines["colour"] = [
        Line(choices.bands[colour], part.arr, part.accounts) for colour, part in now.by_colour.items() if part.accounts
    ]
    titles = {"colour": "band", "owner": "owner", "tier": "tier", "segment": "segment", "card": "scorecard"}
    return [
        Equation(f"by-{split}", f"ARR by {title}", lines[split], "ARR", now.whole.arr)
        for split, title in titles.items()
    ]


# The accounts as they stood, each with what its contracts bring on the day, as far as they are known now.
_CONTRACTS = """WITH p AS MATERIALIZED ({on}), c AS ({contracts}), j AS (
    SELECT p.account_id, p.arr, COALESCE(c."now", 0) AS contracts,
        EXISTS (SELECT FROM accounts_contract k WHERE k.account_id = p.account_id) AS has_any
    FROM p LEFT JOIN c USING (account_id) WHERE p.currency = %s
), t AS (
    SELECT COALESCE(sum(contracts), 0) AS contracts, count(*) FILTER (WHERE contracts <> 0) AS with_contracts,
        COALESCE(sum(arr) FILTER (WHERE NOT has_any), 0) AS entered,
        count(*) FILTER (WHERE NOT has_any AND arr <> 0) AS with_entered,
        COALESCE(sum(arr - contracts) FILTER (WHERE has_any), 0) AS other,
        count(*) FILTER (WHERE has_any AND arr <> contracts) AS others
    FROM j
)
SELECT t.*, o.* FROM t LEFT JOIN LATERAL (
    SELECT j.account_id, a.name, j.arr, j.contracts AS own FROM j JOIN accounts_account a ON a.id = j.account_id
    WHERE j.has_any AND j.arr <> j.contracts ORDER BY abs(j.arr - j.contracts) DESC, j.account_id LIMIT %s
) o ON true"""


def _contracts(user: Any, scope: Scope, currency: str, now: Sums) -> Equation:
    """ARR against contracts. Of a past day it may differ where a contract was entered or changed after it."""
    rows = positions(user, scope, scope.on)
    own = arr_on_two_days(Account.objects.visible_to(user).order_by().values("pk"), currency, scope.on, scope.on)
    text, parameters = own.query.sql_with_params()
    contracts = f'SELECT q.account_id, q."now" FROM ({text}) AS q(account_id, "then", "now")'
    found = fetch(
        _CONTRACTS.format(on=rows.text, contracts=contracts), (*rows.parameters, *parameters, currency, NAMED)
    )
    total = found[0]
    lines = [
        Line("Contracts in force", total["contracts"], total["with_contracts"]),
        Line("ARR as entered, of accounts without a contract", total["entered"], total["with_entered"]),
    ]
    if scope.on < scope.today and total["others"]:
        lines.append(Line("Contracts entered or changed after that day", total["other"], total["others"]))
    odd = [Odd(row["account_id"], row["name"], row["arr"], row["own"]) for row in found if row["account_id"]]
    return Equation("contracts", "ARR and contracts", lines, "ARR", now.whole.arr, odd=odd)


_YEAR = """SELECT COALESCE(sum("then"), 0) AS began, count(*) FILTER (WHERE "then" > 0) AS customers,
    COALESCE(sum("now" - "then") FILTER (WHERE "then" > 0 AND "now" > "then"), 0) AS grown,
    count(*) FILTER (WHERE "then" > 0 AND "now" > "then") AS growing,
    COALESCE(sum("now" - "then") FILTER (WHERE "now" > 0 AND "now" < "then"), 0) AS shrunk,
    count(*) FILTER (WHERE "now" > 0 AND "now" < "then") AS shrinking,
    COALESCE(-sum("then") FILTER (WHERE "then" > 0 AND "now" = 0), 0) AS lost,
    count(*) FILTER (WHERE "then" > 0 AND "now" = 0) AS leaving,
    COALESCE(sum("now") FILTER (WHERE "then" = 0), 0) AS gained,
    count(*) FILTER (WHERE "then" = 0 AND "now" > 0) AS joining
FROM ({rows}) AS q(account_id, "then", "now")"""


def _year(user: Any, scope: Scope, currency: str) -> list[Equation]:
    """Twelve months of contracts: the customers of then make net retention, with new ones all that is in force."""
    accounts = scope.accounts(user).order_by().values("pk")
    begin = year_before(scope.on)
    text, parameters = arr_on_two_days(accounts, currency, begin, scope.on).query.sql_with_params()
    (row,) = fetch(_YEAR.format(rows=text), parameters)
    kept, _earlier = retention(accounts, currency, scope.on, scope.since)
    lines = [
        Line(f"Contracts in force on {formats.day(begin)}", row["began"], row["customers"]),
        Line("Expansion", row["grown"], row["growing"]),
        Line("Contraction", row["shrunk"], row["shrinking"]),
        Line("Lost customers", row["lost"], row["leaving"]),
    ]
    brings = ZERO if kept.nrr_pct is None else (kept.nrr_pct * kept.start / 100).quantize(CENT)
    every = Line("New customers", row["gained"], row["joining"])
    return [
        Equation("retention", "Twelve months to net retention", lines, _share(kept.nrr_pct), brings, moves=True),
        Equation(
            "year",
            "Twelve months of contracts",
            [*lines, every],
            f"Contracts in force on {formats.day(scope.on)}",
            in_force(accounts, currency, scope.on),
            moves=True,
        ),
    ]


def _share(nrr_pct: Decimal | None) -> str:
    said = "no customer to retain" if nrr_pct is None else f"net retention of {formats.percent(nrr_pct, 1)}"
    return f"What they bring now: {said}"
