"""The figures of the portfolio: what each is, which rows belong to it and how it follows from them. Pure.

A figure is worked out from rows and nothing else, so that the page, the list behind a figure and its receipt cannot
say different things. Rows are mappings: of a day's ``standing`` (account, name, arr, rag, score, coverage_pct,
is_stale, renewal_on) or of ``contracts`` on two days (account, name, then, now). Money is in one currency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

Row = Mapping[str, Any]
AT_RISK = frozenset({"red", "orange"})
COLOURS = ("red", "orange", "yellow", "green", "none")
RENEWAL_DAYS = 90
PLACES = Decimal("0.000001")


def _sum(rows: Sequence[Row], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return Decimal(part) * 100 / Decimal(whole) if whole else None


def _mean(rows: Sequence[Row], column: str) -> Decimal | None:
    known = [Decimal(row[column]) for row in rows if row[column] is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def _kept(rows: Sequence[Row]) -> Decimal:
    return sum((min(Decimal(row["then"]), Decimal(row["now"])) for row in rows), Decimal(0))


def is_fresh(row: Row) -> bool:
    """Whether the row's account has a score and none of its inputs is older than its scorecard allows."""
    return row["score"] is not None and not row["is_stale"]


@dataclass(frozen=True, slots=True)
class Formula:
    """How a figure follows from its rows: in words, and as arithmetic. None: there is nothing to divide by."""

    words: str
    work_out: Callable[[Sequence[Row]], Decimal | None]


FORMULAS: dict[str, Formula] = {
    "sum of arr": Formula("the sum of ARR", lambda rows: _sum(rows, "arr")),
    "count": Formula("the number of accounts", lambda rows: Decimal(len(rows))),
    "share scored": Formula(
        "accounts with a score ÷ accounts × 100",
        lambda rows: _share(sum(row["score"] is not None for row in rows), len(rows)),
    ),
    "share fresh": Formula(
        "accounts with a score and no stale input ÷ accounts × 100",
        lambda rows: _share(sum(map(is_fresh, rows)), len(rows)),
    ),
    "mean score": Formula("the mean of the scores there are", lambda rows: _mean(rows, "score")),
    "mean coverage": Formula(
        "the mean share of the scorecard's weight that was measured", lambda rows: _mean(rows, "coverage_pct")
    ),
    "net retention": Formula(
        "the sum of ARR now ÷ the sum of ARR then × 100", lambda rows: _share(_sum(rows, "now"), _sum(rows, "then"))
    ),
    "gross retention": Formula(
        "the sum of the smaller of ARR then and now ÷ the sum of ARR then × 100",
        lambda rows: _share(_kept(rows), _sum(rows, "then")),
    ),
    "lost": Formula(
        "customers without ARR now ÷ customers with ARR then × 100",
        lambda rows: _share(sum(Decimal(row["now"]) == 0 for row in rows), len(rows)),
    ),
}


def _anybody(row: Row, day: date, part: str) -> bool:
    return True


def _had_arr(row: Row, day: date, part: str) -> bool:
    return Decimal(row["then"]) > 0


def _at_risk(row: Row, day: date, part: str) -> bool:
    return row["rag"] in AT_RISK


def _of_colour(row: Row, day: date, part: str) -> bool:
    return row["rag"] == part


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _renewing(row: Row, day: date, part: str) -> bool:
    renewal = _day(row["renewal_on"])
    return renewal is not None and day <= renewal <= day + timedelta(days=RENEWAL_DAYS)


def _due_in(row: Row, day: date, part: str) -> bool:
    """Whether the contract ends in the month (``2027-01``) or quarter (``2027-Q1``), from the day on."""
    renewal = _day(row["renewal_on"])
    if renewal is None or renewal < day:
        return False
    return part in {f"{renewal:%Y-%m}", f"{renewal.year}-Q{(renewal.month + 2) // 3}"}


def _due_at_risk(row: Row, day: date, part: str) -> bool:
    return _due_in(row, day, part) and _at_risk(row, day, part)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``source`` says of which rows, ``belongs`` which of them; ``part`` narrows some figures further.

    ``unit`` is money, percent, points or count; ``good`` the welcome direction. ``definition`` is for people.
    """

    key: str
    label: str
    unit: str
    source: str
    formula: str
    belongs: Callable[[Row, date, str], bool]
    definition: str
    good: str = "up"
    parts: str = ""

    def value(self, rows: Sequence[Row]) -> Decimal | None:
        """The figure over its rows with six decimals; None where it cannot be said."""
        exact = FORMULAS[self.formula].work_out(rows)
        return None if exact is None else exact.quantize(PLACES, ROUND_HALF_EVEN)


def is_met(figure: Figure, value: Decimal | None, target: Decimal | None) -> bool | None:
    """Whether a figure is at its target or on the good side of it; None where one of them is not known."""
    if value is None or target is None:
        return None
    return value >= target if figure.good == "up" else value <= target


STANDING, CONTRACTS = "standing", "contracts"
_RETAINED = "Customers are those with a contract in force twelve months before the day, unless archived since. "
FIGURES: dict[str, Figure] = {
    figure.key: figure
    for figure in (
        Figure(
            "nrr", "Net revenue retention", "percent", CONTRACTS, "net retention", _had_arr,
            _RETAINED + "What their contracts bring on the day, growth included, divided by what they brought then.",
        ),
        Figure(
            "grr", "Gross retention", "percent", CONTRACTS, "gross retention", _had_arr,
            _RETAINED + "As net retention, but nobody counts for more than their ARR then: kept, without growth.",
        ),
        Figure(
            "churn", "Logo churn", "percent", CONTRACTS, "lost", _had_arr,
            _RETAINED + "The share of them that has no contract in force on the day.", "down",
        ),
        Figure(
            "arr", "ARR", "money", STANDING, "sum of arr", _anybody,
            "Yearly recurring revenue of customers, from their contracts in force on the day.",
        ),
        Figure(
            "risk", "ARR at risk", "money", STANDING, "sum of arr", _at_risk,
            "ARR of accounts whose band is orange or red; a judgement stands in place of the computed band.", "down",
        ),
        Figure(
            "renewing", "Renewing in 90 days", "money", STANDING, "sum of arr", _renewing,
            "ARR of accounts whose contract ends within 90 days from the day.", "neither",
        ),
        Figure(
            "accounts", "Accounts", "count", STANDING, "count", _anybody,
            "Customers on the day: neither archived nor lost, in whatever currency they pay.",
        ),
        Figure(
            "scored", "Accounts scored", "percent", STANDING, "share scored", _anybody,
            "Accounts with enough data for a score: half of the scorecard's weight or more.",
        ),
        Figure(
            "coverage", "Coverage", "percent", STANDING, "mean coverage", _anybody,
            "How much of the scorecard's weight was measured, on average over accounts that were looked at.",
        ),
        Figure(
            "fresh", "Fresh scores", "percent", STANDING, "share fresh", _anybody,
            "Accounts with a score none of whose inputs is older than the scorecard allows.",
        ),
        Figure(
            "score", "Average score", "points", STANDING, "mean score", _anybody,
            "The mean score of the accounts that have one, each account counting once.",
        ),
        Figure(
            "band", "ARR by band", "money", STANDING, "sum of arr", _of_colour,
            "ARR of accounts whose band on the day had this colour.", "neither", "colour",
        ),
        Figure(
            "due", "Renewals due", "money", STANDING, "sum of arr", _due_in,
            "ARR of accounts whose contract ends in the month or quarter, counted from the day on.", "neither", "month",
        ),
        Figure(
            "due_risk", "Renewals due at risk", "money", STANDING, "sum of arr", _due_at_risk,
            "That part of the ARR whose contract ends in the month or quarter, counted from the day on, which is of "
            "accounts in an orange or red band.", "down", "month",
        ),
        Figure(
            "cohort", "Net retention of a cohort", "percent", CONTRACTS, "net retention", _had_arr,
            "Customers whose first contract began in the quarter: what they bring at the end of a later quarter, "
            "divided by what they brought at the end of their first.", "up", "cohort",
        ),
    )
}  # fmt: skip
# A figure has a target where a direction is the good one and it is one number.
TARGETED = tuple(key for key, figure in FIGURES.items() if figure.good != "neither" and not figure.parts)
