"""Exact figures: everything is an integer number of millionths, so that no edge is ever rounded across.

A figure is cut to millionths. Cutting changes no comparison with a limit that has six decimals or fewer:
``exact >= limit`` holds exactly when ``cut >= limit``, and ``exact < limit`` when ``cut < limit``. So bands
and levels can be decided, stored and checked again from the stored integer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

PLACES = 6
MILLION = 10**PLACES
TENTH = MILLION // 10


def number(raw: Any) -> Decimal | None:
    """``raw`` as an exact Decimal, or None if it is no finite number. JSON's 0.2 is two tenths, not its float."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return None
    try:
        value = raw if isinstance(raw, Decimal) else Decimal(str(raw))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def exact(raw: Any) -> Fraction:
    """``raw`` of a checked definition as a fraction. Raises ValueError if it is no number."""
    value = number(raw)
    if value is None:
        raise ValueError(f"{raw!r} is not a number")
    return Fraction(value)


def millionths(value: Fraction) -> int:
    """``value`` in millionths, cut down."""
    return value.numerator * MILLION // value.denominator


def decimal(micro: int) -> Decimal:
    """Millionths as the shortest Decimal: 68450000 is 68.45, 63000000 is 63."""
    whole, rest = divmod(micro, MILLION)
    if not rest:
        return Decimal(whole)
    return Decimal(micro).scaleb(-PLACES).normalize()


def band_index(micro: int, minimums: Sequence[int]) -> int:
    """The band of a total, 0 the best. ``minimums`` are the bands' lower edges in rising order (AMB-01)."""
    return len(minimums) - max(bisect_right(minimums, micro), 1)


def shown(micro: int, minimums: Sequence[int]) -> Decimal:
    """The total with one decimal, half up, but cut down where rounding would reach a better band (AMB-02)."""
    tenths = (micro + TENTH // 2) // TENTH
    if band_index(tenths * TENTH, minimums) != band_index(micro, minimums):
        tenths = micro // TENTH
    return Decimal(tenths).scaleb(-1)
