"""What a customer success team costs and brings, added up from a methodology's own figures. No Django.

AMB-51: "return / cost" is the figure a stated ROI is measured by; net ROI (return less cost, over cost) stands beside
it. AMB-52: the lines may overlap, so a group of them can be left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_ONE_PLACE = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that costs or brings money; ``count`` of people, where it is people."""

    item: str
    amount: Decimal
    count: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Costs by part (team, technology), returns, and what has no money. Money is in ``currency``."""

    currency: str
    costs: list[tuple[str, list[Line]]]
    returns: list[Line]
    without_money: list[str]
    stated_pct: Decimal | None
    left_out: str

    @property
    def cost_totals(self) -> list[tuple[str, Decimal, int]]:
        """(part, its cost, its people)."""
        return [(part, _total(lines), sum(line.count or 0 for line in lines)) for part, lines in self.costs]

    @property
    def cost(self) -> Decimal:
        return sum((total for _, total, _ in self.cost_totals), Decimal(0))

    @property
    def counted(self) -> list[Line]:
        """The returns that are not left out."""
        return [line for line in self.returns if line.group != self.left_out]

    @property
    def returned(self) -> Decimal:
        return _total(self.counted)

    @property
    def groups(self) -> list[str]:
        """The groups of returns in their order; any of them can be left out."""
        return list(dict.fromkeys(line.group for line in self.returns))

    @property
    def ratio_pct(self) -> Decimal | None:
        """Return over cost in per cent, one place; None without cost."""
        return (self.returned * 100 / self.cost).quantize(_ONE_PLACE) if self.cost else None

    @property
    def net_pct(self) -> Decimal | None:
        """What is left after the cost, over the cost, in per cent, one place."""
        return None if self.ratio_pct is None else self.ratio_pct - 100

    @property
    def is_met(self) -> bool | None:
        """Whether return over cost reaches what the methodology states; None where it states nothing."""
        if self.stated_pct is None or self.ratio_pct is None:
            return None
        return self.ratio_pct >= self.stated_pct


def case_of(parts: Mapping[str, Any], *, left_out: str = "") -> Case | None:
    """The case in the ``roi`` parts of a methodology, by part; None where it has no figures.

    ``left_out`` names a group of returns not to count; an unknown one leaves nothing out.
    """
    invested, returned = parts.get("investment_usd"), parts.get("return_usd")
    if not invested or not returned:
        return None
    costs = [(part, _lines(rows)) for part, rows in invested.items() if isinstance(rows, list)]
    stated = parts.get("stated_roi_pct")
    return Case(
        currency="USD",
        costs=costs,
        returns=_lines(returned),
        without_money=list(parts.get("return_non_cash") or []),
        stated_pct=Decimal(str(stated["value"])) if stated else None,
        left_out=left_out,
    )


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    return [Line(row["item"], Decimal(str(row["amount"])), row.get("count"), row.get("group", "")) for row in rows]


def _total(lines: Sequence[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))
