"""The six kinds of measure: each turns the values of its inputs into points and, where it has them, a level.

Points are integers at the scorecard's ``scale`` (points times scale), so that means and sums stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from health.scoring.figures import MILLION, exact, number

Value = Decimal | str
# (points at scale, index of the level or None); None when a value is outside its domain.
Reading = tuple[int, int | None]
Reader = Callable[[Sequence[Value | None]], Reading | None]


# Beyond this nobody means a figure of a customer.
_TOO_MUCH = Decimal(10) ** 12


class Domain(NamedTuple):
    """What an input may be: a number from ``minimum`` to ``maximum`` (None: open) or one of ``options``."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None
    options: tuple[str, ...] = ()

    def takes(self, value: Any) -> bool:
        """Whether a stored value lies in the domain. Quicker than ``refusal``, which also says why not."""
        if self.options:
            return value in self.options
        if value.__class__ is not Decimal:
            return False
        if self.minimum is not None and value < self.minimum:
            return False
        return value < _TOO_MUCH if self.maximum is None else value <= self.maximum

    def refusal(self, value: Any) -> tuple[str, str] | None:
        """The rule that ``value`` breaks as (code, sentence), or None. Points are exact to six decimals of it."""
        if self.options:
            if isinstance(value, str) and value in self.options:
                return None
            return "choice", f"must be one of {', '.join(self.options)}"
        amount = number(value)
        if amount is None:
            return "number", "must be a number"
        if self.minimum is not None and amount < self.minimum:
            return "minimum", f"must be {self.minimum} or more"
        if self.maximum is not None and amount > self.maximum:
            return "maximum", f"must be {self.maximum} or less"
        if abs(amount) >= _TOO_MUCH:
            return "maximum", "must be under 1,000,000,000,000"
        return None


@dataclass(frozen=True, slots=True)
class Measure:
    """One compiled measure. ``weight`` counts inside its dimension, ``max_points`` for points_sum cards.

    ``outcomes`` is all that a reading depends on of the value of the input at a place.
    """

    key: str
    name: str
    unit: str
    kind: str
    dimension: str
    inputs: tuple[str, ...]
    optional: frozenset[str]
    weight: Fraction
    max_points: Fraction
    levels: tuple[str, ...]
    domains: Mapping[str, Domain]
    read: Reader
    outcomes: Callable[[int, Value], Any]
    formula: str


def share_of(measure: Measure, reading: Reading | None, scale: int) -> float | None:
    """The share of a measure's points that a reading gives, 0 to 1; of a penalty what is left of it."""
    if reading is None or not measure.max_points:
        return None
    share = float(reading[0] / (scale * measure.max_points))
    return 1 - share if measure.kind == "penalty" else share


def inputs_of(scoring: Mapping[str, Any]) -> tuple[str, ...]:
    """The metrics a measure reads, in the order in which they appear."""
    if scoring["kind"] != "levels":
        return (scoring["input"],)
    named = [test["metric"] for level in scoring["levels"] for test in level["when"]]
    return tuple(dict.fromkeys(named))


def scale_of(scoring: Mapping[str, Any]) -> int:
    """A factor that makes points of six-decimal inputs integers in millionths: the slope's denominator."""
    if scoring["kind"] == "linear":
        return (100 / exact(scoring["full_at"])).denominator
    if scoring["kind"] == "penalty":
        return (exact(scoring["per_unit"]) / exact(scoring.get("unit_size") or 1)).denominator
    if scoring["kind"] == "affine":
        return exact(scoring["factor"]).denominator
    return 1


# Far beyond any scale, and in millionths still within the four bytes in which the points of a measure are kept.
MOST_POINTS = 2_000


def compile_measure(definition: Mapping[str, Any], *, dimension: str, scale: int) -> Measure:
    """Compile one measure of a checked definition; ``scale`` is the scorecard's."""
    scoring = definition["scoring"]
    inputs = inputs_of(scoring)
    levels, reader, formula = _KINDS[scoring["kind"]](scoring, inputs, scale)
    domain = _domain(scoring, definition["unit"])
    domains = dict.fromkeys(inputs, domain)
    optional = frozenset(scoring.get("optional_inputs", ()))
    return Measure(
        key=definition["key"],
        name=definition["name"],
        unit=definition["unit"],
        kind=scoring["kind"],
        dimension=dimension,
        inputs=inputs,
        optional=optional,
        weight=exact(definition.get("weight", 1)),
        max_points=_max_points(definition),
        levels=levels,
        domains=domains,
        read=_guarded(reader, inputs, optional, domain, MOST_POINTS * scale),
        outcomes=_outcomes(scoring, inputs, domain),
        formula=formula,
    )


def _domain(scoring: Mapping[str, Any], unit: str) -> Domain:
    """AMB-123: percentages are 0 to 100, NPS -100 to 100, nothing is below 0; over 100 only where a cap follows."""
    kind = scoring["kind"]
    if kind == "choice":
        return Domain(options=tuple(scoring["options"]))
    if kind == "affine":
        factor, offset = exact(scoring["factor"]), exact(scoring["offset"])
        ends = sorted([-offset, 100 / factor - offset])
        return Domain(_whole(ends[0]), _whole(ends[1]))
    if kind == "direct":
        return Domain(Decimal(0), Decimal(100))
    capped = (kind == "linear" and scoring.get("cap") is not None) or (
        kind == "penalty" and scoring.get("max") is not None
    )
    return Domain(Decimal(0), Decimal(100) if unit == "percent" and not capped else None)


def _whole(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _max_points(definition: Mapping[str, Any]) -> Fraction:
    """The most the measure can give; a penalty has its ceiling, or 100."""
    if "points" in definition:
        return exact(definition["points"])
    scoring = definition["scoring"]
    if scoring["kind"] == "penalty":
        return exact(100 if scoring.get("max") is None else scoring.get("max"))
    return exact(scoring.get("cap") or 100)


def _guarded(reader: Reader, inputs: tuple[str, ...], optional: frozenset[str], domain: Domain, most: int) -> Reader:
    """``reader`` behind the domain: a value outside is refused as a whole, never bent into range.

    What it gives stops at ``most`` points either way: a thousand urgent tickets take no more off than nothing leaves.
    """
    needed = tuple(name not in optional for name in inputs)

    def read(values: Sequence[Value | None]) -> Reading | None:
        for value, need in zip(values, needed, strict=True):
            if value is None and not need:
                continue
            if value is None or not domain.takes(value):
                return None
        reading = reader(values)
        if reading is None or -most <= reading[0] <= most:
            return reading
        return max(-most, min(reading[0], most)), reading[1]

    return read


def _outcomes(scoring: Mapping[str, Any], inputs: tuple[str, ...], domain: Domain) -> Callable[[int, Value], Any]:
    """Levels see which of their tests a value passes, whatever else it is; the other kinds see the value."""
    if scoring["kind"] != "levels":
        return lambda place, value: value
    tests: list[list[Callable[[Value | None], bool]]] = [[] for _ in inputs]
    for level in scoring["levels"]:
        for test in level["when"]:
            tests[inputs.index(test["metric"])].append(compile_test(test))
    return lambda place, value: (domain.takes(value), *(test(value) for test in tests[place]))


def _levels(scoring: Mapping[str, Any], inputs: tuple[str, ...], scale: int) -> tuple[tuple[str, ...], Reader, str]:
    """The first level whose every test holds; a test on an input that may be missing, and is, holds."""
    rungs = [
        (
            tuple((inputs.index(test["metric"]), compile_test(test)) for test in level["when"]),
            int(exact(level["points"]) * scale),
        )
        for level in scoring["levels"]
    ]

    def read(values: Sequence[Value | None]) -> Reading | None:
        for index, (tests, points) in enumerate(rungs):
            if all(values[at] is None or test(values[at]) for at, test in tests):
                return points, index
        return None

    words = [f"{level['level']} {level['points']} if {_tests_in_words(level['when'])}" for level in scoring["levels"]]
    return tuple(level["level"] for level in scoring["levels"]), read, "; ".join(words)


def _tests_in_words(tests: Sequence[Mapping[str, Any]]) -> str:
    if not tests:
        return "none of these"
    return " and ".join(f"{test['metric']} {test['op']} {test['value']}" for test in tests)


def _choice(scoring: Mapping[str, Any], _inputs: tuple[str, ...], scale: int) -> tuple[tuple[str, ...], Reader, str]:
    options = tuple(scoring["options"])
    points = {key: (int(exact(worth) * scale), options.index(key)) for key, worth in scoring["options"].items()}

    best_first = sorted(scoring["options"].items(), key=lambda option: -exact(option[1]))

    def read(values: Sequence[Value | None]) -> Reading | None:
        return points.get(str(values[0]))

    return options, read, ", ".join(f"{key} {worth}" for key, worth in best_first)


def _linear(scoring: Mapping[str, Any], _inputs: tuple[str, ...], scale: int) -> tuple[tuple[str, ...], Reader, str]:
    """The share of ``full_at`` that is reached, in per cent: min(input / full_at * 100, cap)."""
    slope = 100 / exact(scoring["full_at"]) * scale / MILLION
    cap = None if scoring.get("cap") is None else int(exact(scoring["cap"]) * scale)

    def read(values: Sequence[Value | None]) -> Reading | None:
        points = _micro(values[0]) * slope.numerator // slope.denominator
        return (points if cap is None or points < cap else cap), None

    limit = "" if cap is None else f", at most {scoring['cap']}"
    return (), read, f"{scoring['input']} / {scoring['full_at']} × 100{limit}"


def _affine(scoring: Mapping[str, Any], _inputs: tuple[str, ...], scale: int) -> tuple[tuple[str, ...], Reader, str]:
    """A scale moved and stretched: (input + offset) * factor."""
    slope = exact(scoring["factor"]) * scale / MILLION
    offset = int(exact(scoring["offset"]) * MILLION)

    def read(values: Sequence[Value | None]) -> Reading | None:
        return (_micro(values[0]) + offset) * slope.numerator // slope.denominator, None

    return (), read, f"({scoring['input']} + {scoring['offset']}) × {scoring['factor']}"


def _direct(scoring: Mapping[str, Any], _inputs: tuple[str, ...], scale: int) -> tuple[tuple[str, ...], Reader, str]:
    def read(values: Sequence[Value | None]) -> Reading | None:
        return _micro(values[0]) * scale // MILLION, None

    return (), read, f"{scoring['input']} as it is"


def _penalty(scoring: Mapping[str, Any], _inputs: tuple[str, ...], scale: int) -> tuple[tuple[str, ...], Reader, str]:
    """0 up to ``free``; above it (input - free) / unit_size * per_unit, at most ``max``."""
    slope = exact(scoring["per_unit"]) / exact(scoring.get("unit_size") or 1) * scale / MILLION
    free = int(exact(scoring["free"]) * MILLION)
    most = None if scoring.get("max") is None else int(exact(scoring.get("max")) * scale)

    def read(values: Sequence[Value | None]) -> Reading | None:
        points = max(_micro(values[0]) - free, 0) * slope.numerator // slope.denominator
        return (points if most is None or points < most else most), None

    unit = scoring.get("unit_size") or 1
    limit = "" if most is None else f", at most {scoring['max']}"
    return (), read, f"{scoring['per_unit']} off for each {unit} of {scoring['input']} above {scoring['free']}{limit}"


def _micro(value: Value | None) -> int:
    return int(Decimal(value or 0) * MILLION)


_KINDS = {
    "levels": _levels,
    "choice": _choice,
    "linear": _linear,
    "affine": _affine,
    "direct": _direct,
    "penalty": _penalty,
}
KINDS = frozenset(_KINDS)


def compile_test(test: Mapping[str, Any]) -> Callable[[Value | None], bool]:
    """The test of one value: ``op`` is <, <=, >, >=, ==, in or between (both ends included).

    A value of the wrong kind (a word against a number) fails the test.
    """
    op, limit = test["op"], test["value"]
    if op == "in":
        allowed = frozenset(str(item) for item in limit)
        return lambda value: value is not None and str(value) in allowed
    if op == "between":
        low, high = Decimal(str(limit[0])), Decimal(str(limit[1]))
        return lambda value: isinstance(value, Decimal) and low <= value <= high
    if op == "==" and number(limit) is None:
        return lambda value: value == limit
    edge = Decimal(str(limit))
    return _COMPARISONS[op](edge)


_COMPARISONS: dict[str, Callable[[Decimal], Callable[[Value | None], bool]]] = {
    "<": lambda edge: lambda value: isinstance(value, Decimal) and value < edge,
    "<=": lambda edge: lambda value: isinstance(value, Decimal) and value <= edge,
    ">": lambda edge: lambda value: isinstance(value, Decimal) and value > edge,
    ">=": lambda edge: lambda value: isinstance(value, Decimal) and value >= edge,
    "==": lambda edge: lambda value: isinstance(value, Decimal) and value == edge,
}
OPERATORS = frozenset({*_COMPARISONS, "in", "between"})
