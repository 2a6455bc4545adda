"""What tests of one figure leave possible: a range of numbers, or a set of words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_INFINITE = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``; an end counts unless it is open. ``words`` instead where a test names words."""

    low: Decimal = -_INFINITE
    high: Decimal = _INFINITE
    low_open: bool = False
    high_open: bool = False
    words: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing meets it."""
        if self.words is not None:
            return not self.words
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def meeting(self, other: Range) -> Range:
        """What meets both. Words and numbers never meet."""
        if self.words is not None or other.words is not None:
            return Range(words=(self.words or frozenset()) & (other.words or frozenset()))
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_shut = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not high_shut)

    def __str__(self) -> str:
        if self.words is not None:
            return " or ".join(sorted(self.words))
        if self.high == _INFINITE:
            return "anything" if self.low == -_INFINITE else f"{self.low} or more"
        return f"{self.high} or less" if self.low == -_INFINITE else f"{self.low} to {self.high}"


ANYTHING = Range()


def range_of(test: Mapping[str, Any]) -> Range:
    """What a test of a metric leaves possible."""
    op, value = test["op"], test["value"]
    if op == "in":
        return Range(words=frozenset(map(str, value)))
    if op == "between":
        return Range(Decimal(str(value[0])), Decimal(str(value[1])))
    if op == "==" and isinstance(value, str) and not _is_number(value):
        return Range(words=frozenset({value}))
    figure = Decimal(str(value))
    return {
        "<": Range(high=figure, high_open=True),
        "<=": Range(high=figure),
        ">": Range(low=figure, low_open=True),
        ">=": Range(low=figure),
        "==": Range(figure, figure),
    }[op]


def gaps(ranges: Iterable[Range]) -> list[tuple[Decimal, Decimal]]:
    """The stretches that no range covers between the lowest and the highest of them, from low to high."""
    found: list[tuple[Decimal, Decimal]] = []
    covered: Decimal | None = None
    is_shut = False
    for each in sorted(
        (each for each in ranges if each.words is None and not each.is_empty), key=lambda r: (r.low, r.low_open)
    ):
        if covered is not None:
            touching = each.low == covered and (is_shut or not each.low_open)
            if each.low > covered or (each.low == covered and not touching):
                found.append((covered, each.low))
        if covered is None or (each.high, not each.high_open) > (covered, is_shut):
            covered, is_shut = each.high, not each.high_open
    return found


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False
