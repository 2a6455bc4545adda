"""A scorecard definition, compiled once, and the score of one row of inputs.

The shape of a definition is that of the packs. Rules: AMB-01 and AMB-02 for bands and the shown figure,
AMB-03 for missing inputs, AMB-132 for red flags, AMB-131 for recommendations.

A missing measure leaves its dimension's mean and a missing dimension leaves the total; the weights of the
rest are rescaled. On a points_sum card the points of the missing measure leave the total (AMB-100). Which
measures are there is a bit pattern; the weights of each pattern met are worked out once and kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from health.scoring import figures
from health.scoring.figures import MILLION, exact, millionths
from health.scoring.measures import Domain, Measure, Reading, Value, compile_measure, inputs_of, scale_of

POINTS_SUM = "points_sum"
WEIGHTED_AVERAGE = "weighted_average"
# AMB-03, unless the card says otherwise.
LEAST_COVERAGE_PCT = 50
# Distinct values remembered a measure. A daily share has few; the limit only bounds a hostile feed.
_MEMORY = 50_000


class Band(NamedTuple):
    """A band with its lower edge, included. ``rag`` is green, yellow, orange or red (AMB-20)."""

    key: str
    name: str
    rag: str
    minimum: Decimal
    label: str


class Dimension(NamedTuple):
    """One compiled dimension. ``weight`` is a share of 1, or the most points on a points_sum card."""

    key: str
    name: str
    weight: Fraction
    combine: str
    measures: tuple[int, ...]
    cap: Fraction | None
    start: Fraction
    floor: Fraction


class Score(NamedTuple):
    """What one row of inputs is worth. All figures are millionths (health.scoring.figures); None: not measured.

    ``total`` and ``band`` are None under the card's least coverage, half unless it says otherwise. ``band`` is an
    index into the card's bands, after red flags; ``points``, ``levels`` run over the card's measures,
    ``dimensions`` over its dimensions.
    """

    total: int | None
    band: int | None
    coverage: int
    points: tuple[int | None, ...]
    levels: tuple[int | None, ...]
    dimensions: tuple[int | None, ...]


class _Plan(NamedTuple):
    """How to combine one pattern of measured measures. Integers only; see ``Scorecard._plan``."""

    dimensions: tuple[tuple[tuple[tuple[int, int], ...], int, int, int | None, int | None, int] | None, ...]
    denominator: int
    coverage: int
    enough: bool


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A compiled scorecard version. Build it with ``compile_scorecard``; it holds no account's data."""

    key: str
    method: str
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    bands: tuple[Band, ...]
    minimums: tuple[int, ...]
    inputs: tuple[str, ...]
    domains: Mapping[str, Domain]
    red_flags: tuple[Mapping[str, Any], ...]
    recommendations: tuple[Mapping[str, Any], ...]
    max_age_days: int
    stale_counts: bool
    least_coverage: Fraction
    scale: int
    _readers: tuple[Callable[[Sequence[Value | None]], Reading | None], ...] = field(repr=False)
    _plans: dict[int, _Plan] = field(default_factory=dict, repr=False)

    def score(self, inputs: Mapping[str, Value | None], *, flags: int = 0) -> Score:
        """The score of named inputs; absent and None are missing. ``flags`` is the number of red flags held."""
        return self.score_row([inputs.get(name) for name in self.inputs], flags=flags)

    def score_row(self, row: Sequence[Value | None], *, flags: int = 0) -> Score:
        """The score of a row of values in the order of ``inputs``."""
        pattern = 0
        bit = 1
        points: list[int] = []
        levels: list[int | None] = []
        for read in self._readers:
            reading = read(row)
            if reading is None:
                points.append(0)
                levels.append(None)
            else:
                pattern |= bit
                points.append(reading[0])
                levels.append(reading[1])
            bit <<= 1
        plan = self.plan_of(pattern)
        return self._combine(plan, pattern, points, levels, flags)

    def plan_of(self, pattern: int) -> _Plan:
        """How to combine the measures of a bit pattern, from memory if it was met before."""
        return self._plans.get(pattern) or self._plan(pattern)

    def _combine(self, plan: _Plan, pattern: int, points: list[int], levels: list[int | None], flags: int) -> Score:
        scale = self.scale
        total = 0
        dimensions: list[int | None] = []
        for part in plan.dimensions:
            if part is None:
                dimensions.append(None)
                continue
            terms, start, denominator, most, least, share = part
            figure = start
            for at, weight in terms:
                figure += points[at] * weight
            if most is not None and figure > most:
                figure = most
            if least is not None and figure < least:
                figure = least
            dimensions.append(figure * MILLION // denominator)
            total += figure * share
        shown_points = tuple(points[at] * MILLION // scale if pattern >> at & 1 else None for at in range(len(points)))
        if not plan.enough:
            return Score(None, None, plan.coverage, shown_points, tuple(levels), tuple(dimensions))
        micro = total * MILLION // plan.denominator
        band = figures.band_index(micro, self.minimums)
        if flags and band == 0:
            band = 1
        return Score(micro, band, plan.coverage, shown_points, tuple(levels), tuple(dimensions))

    def _plan(self, pattern: int) -> _Plan:
        """Weights of the measured part as integers, for this pattern of measures.

        A dimension's figure over its denominator is its score; the sum of figure times share over the plan's
        denominator is the total.
        """
        present = [[at for at in part.measures if pattern >> at & 1] for part in self.dimensions]
        covered = self._coverage(present)
        whole = sum((part.weight for part, there in zip(self.dimensions, present, strict=True) if there), Fraction(0))
        bases = [
            self._base(part, there) if there else None for part, there in zip(self.dimensions, present, strict=True)
        ]
        if self.method == POINTS_SUM:
            most = sum((self.measures[at].max_points for there in present for at in there), Fraction(0))
            factors = [Fraction(100) / most if base else Fraction(0) for base in bases]
        else:
            factors = [
                part.weight / whole if base else Fraction(0) for part, base in zip(self.dimensions, bases, strict=True)
            ]
        shares = [factor / base[2] if base else Fraction(0) for factor, base in zip(factors, bases, strict=True)]
        denominator = math.lcm(*(share.denominator for share in shares))
        plan = _Plan(
            tuple(
                (*base, int(share * denominator)) if base else None for base, share in zip(bases, shares, strict=True)
            ),
            denominator,
            millionths(covered * 100),
            covered >= self.least_coverage,
        )
        self._plans[pattern] = plan
        return plan

    def _base(
        self, part: Dimension, there: list[int]
    ) -> tuple[tuple[tuple[int, int], ...], int, int, int | None, int | None]:
        """(terms, start, denominator, most, least) of one dimension over its measured measures."""
        if part.combine == "start_minus_penalties":
            terms = tuple((at, -1) for at in there)
            return terms, int(part.start * self.scale), self.scale, None, int(part.floor * self.scale)
        if part.combine == "sum_points":
            return tuple((at, 1) for at in there), 0, self.scale, None, None
        weights = [Fraction(1) if part.combine == "mean" else self.measures[at].weight for at in there]
        common = math.lcm(*(weight.denominator for weight in weights))
        whole = [int(weight * common) for weight in weights]
        denominator = sum(whole) * self.scale
        most = None if part.cap is None else int(part.cap * denominator)
        return tuple(zip(there, whole, strict=True)), 0, denominator, most, None

    def _coverage(self, present: list[list[int]]) -> Fraction:
        """The share of points or weight measured; a penalty dimension counts its measures equally (AMB-03)."""
        if self.method == POINTS_SUM:
            measured = sum((self.measures[at].max_points for part in present for at in part), Fraction(0))
            return measured / sum((measure.max_points for measure in self.measures), Fraction(0))
        covered = Fraction(0)
        for part, there in zip(self.dimensions, present, strict=True):
            covered += part.weight * self._share(part, there)
        return covered / sum((part.weight for part in self.dimensions), Fraction(0))

    def _share(self, part: Dimension, there: list[int]) -> Fraction:
        if part.combine in {"start_minus_penalties", "mean"}:
            return Fraction(len(there), len(part.measures))
        whole = sum((self.measures[at].weight for at in part.measures), Fraction(0))
        return sum((self.measures[at].weight for at in there), Fraction(0)) / whole

    def shown(self, micro: int) -> Decimal:
        """The total as people see it, one decimal (AMB-02)."""
        return figures.shown(micro, self.minimums)

    def recommendations_for(self, dimensions: Sequence[int | None]) -> list[Mapping[str, Any]]:
        """Recommendations whose dimension is strictly under its limit, in the card's order (AMB-131)."""
        figure = dict(zip((part.key for part in self.dimensions), dimensions, strict=True))
        return [
            item
            for item in self.recommendations
            if (value := figure.get(item["dimension"])) is not None and value < exact(item["value"]) * MILLION
        ]

    def most_of(self, dimension: Dimension) -> Decimal:
        """The best figure of a dimension: 100, or its points on a points_sum card."""
        if self.method == POINTS_SUM:
            return figures.decimal(millionths(dimension.weight))
        return Decimal(100)


def compile_scorecard(definition: Mapping[str, Any]) -> Scorecard:
    """Compile a checked definition (health.validation). Pure; keep the result, it remembers what it has read."""
    scale = MILLION * math.lcm(
        *(scale_of(measure["scoring"]) for part in definition["dimensions"] for measure in part["measures"])
    )
    measures: list[Measure] = []
    dimensions = []
    for part in definition["dimensions"]:
        compiled = [compile_measure(item, dimension=part["key"], scale=scale) for item in part["measures"]]
        places = tuple(range(len(measures), len(measures) + len(compiled)))
        measures += compiled
        dimensions.append(_dimension(part, places))
    domains = _domains(measures)
    inputs = tuple(dict.fromkeys(name for measure in measures for name in measure.inputs))
    bands = tuple(
        Band(item["key"], item["name"], item["rag"], Decimal(str(item["min"])), item.get("label", ""))
        for item in definition["bands"]
    )
    return Scorecard(
        key=definition["key"],
        method=definition["method"],
        dimensions=tuple(dimensions),
        measures=tuple(measures),
        bands=bands,
        minimums=tuple(int(band.minimum * MILLION) for band in reversed(bands)),
        inputs=inputs,
        domains=domains,
        red_flags=tuple(definition.get("red_flags", ())),
        recommendations=tuple(definition.get("recommendations", ())),
        max_age_days=definition.get("max_age_days") or DEFAULT_MAX_AGE_DAYS,
        stale_counts=definition.get("stale_policy", "count") == "count",
        least_coverage=exact(definition.get("min_coverage_pct") or LEAST_COVERAGE_PCT) / 100,
        scale=scale,
        _readers=tuple(_remembering(measure, inputs) for measure in measures),
    )


# A measurement older than the longest review period of any pack, a quarter, is stale unless the card says otherwise.
DEFAULT_MAX_AGE_DAYS = 92


def _dimension(part: Mapping[str, Any], places: tuple[int, ...]) -> Dimension:
    return Dimension(
        key=part["key"],
        name=part["name"],
        weight=exact(part["weight"]),
        combine=part["combine"],
        measures=places,
        cap=None if part.get("cap") is None else exact(part["cap"]),
        start=exact(part.get("start") or 0),
        floor=exact(part.get("floor") or 0),
    )


def _domains(measures: Sequence[Measure]) -> dict[str, Domain]:
    """What each input may be. An input of two measures keeps the narrower range."""
    domains: dict[str, Domain] = {}
    for measure in measures:
        for name, domain in measure.domains.items():
            known = domains.get(name)
            if known is None or (known.maximum is None and domain.maximum is not None):
                domains[name] = domain
    return domains


def _remembering(measure: Measure, inputs: tuple[str, ...]) -> Callable[[Sequence[Value | None]], Reading | None]:
    """Read a measure from a whole row, remembering the readings of values met before."""
    memory: dict[Any, Reading | None] = {}
    read = measure.read
    if len(measure.inputs) == 1:
        at = inputs.index(measure.inputs[0])

        def single(row: Sequence[Value | None]) -> Reading | None:
            value = row[at]
            if value is None:
                return None
            try:
                return memory[value]
            except KeyError:
                if len(memory) >= _MEMORY:
                    memory.clear()
                reading = memory[value] = read((value,))
                return reading

        return single
    places = tuple(inputs.index(name) for name in measure.inputs)

    def several(row: Sequence[Value | None]) -> Reading | None:
        values = tuple(row[at] for at in places)
        try:
            return memory[values]
        except KeyError:
            if len(memory) >= _MEMORY:
                memory.clear()
            reading = memory[values] = read(values)
            return reading

    return several


__all__ = ["Band", "Dimension", "Score", "Scorecard", "compile_scorecard", "inputs_of"]
