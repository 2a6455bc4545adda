"""Reads a stored score's evidence back as named measures and dimensions, and compares two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from health.cards import CompiledCard
from health.choices import FRESH, MISSING, REFUSED, STALE
from health.models.scores import Evidence
from health.scoring import POINTS_SUM, decimal, millionths
from ui import wording

STATE_WORDS = {FRESH: "measured", STALE: "stale", MISSING: "missing", REFUSED: "out of range"}


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input of a measure: its value as it came, when and from where, and its state in words."""

    metric: str
    value: str | None
    observed_at: datetime | None
    source: str | None
    state: str
    age_days: int | None


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure of a score. ``points`` is None where it was not measured; for a penalty, what is taken off."""

    key: str
    name: str
    unit: str
    kind: str
    dimension: str
    inputs: tuple[InputLine, ...]
    level: str | None
    points: Decimal | None
    max_points: Decimal
    formula: str

    @property
    def is_stale(self) -> bool:
        return any(item.state == STATE_WORDS[STALE] for item in self.inputs)

    @property
    def observed_at(self) -> datetime | None:
        """The age of the measure is that of its oldest input."""
        return min((item.observed_at for item in self.inputs if item.observed_at), default=None)


@dataclass(frozen=True, slots=True)
class DimensionLine:
    """One dimension of a score. ``share`` is the points of the total that it carries, at most ``max_share``."""

    key: str
    name: str
    weight: Any
    score: Decimal | None
    max_score: Decimal
    share: Decimal
    max_share: Decimal
    measures: tuple[MeasureLine, ...]


def dimension_lines(row: Evidence, compiled: CompiledCard) -> list[DimensionLine]:
    """The evidence of ``row`` by dimension, in the card's order. No query."""
    card = compiled.card
    inputs = _input_lines(row, compiled)
    weights = {part["key"]: part["weight"] for part in compiled.definition["dimensions"]}
    lines = []
    shares = shares_of(row, compiled)
    for place, part in enumerate(card.dimensions):
        micro = row.dimensions[place]
        lines.append(
            DimensionLine(
                key=part.key,
                name=part.name,
                weight=weights[part.key],
                score=None if micro is None else decimal(micro),
                max_score=card.most_of(part),
                share=shares[part.key][0],
                max_share=shares[part.key][1],
                measures=tuple(_measure_line(row, compiled, at, inputs) for at in part.measures),
            )
        )
    return lines


def _input_lines(row: Evidence, compiled: CompiledCard) -> dict[str, InputLine]:
    lines = {}
    for place, metric in enumerate(compiled.evidence_inputs):
        observed_at = row.observed_at[place]
        age = None if observed_at is None else max((row.computed_at - observed_at).days, 0)
        lines[metric] = InputLine(
            metric, row.values[place], observed_at, row.sources[place], STATE_WORDS[row.states[place]], age
        )
    return lines


def _measure_line(row: Evidence, compiled: CompiledCard, at: int, inputs: Mapping[str, InputLine]) -> MeasureLine:
    measure = compiled.card.measures[at]
    level, points = row.levels[at], row.points[at]
    return MeasureLine(
        key=measure.key,
        name=measure.name,
        unit=measure.unit,
        kind=measure.kind,
        dimension=measure.dimension,
        inputs=tuple(inputs[name] for name in measure.inputs),
        level=None if level is None else measure.levels[level],
        points=None if points is None else decimal(points),
        max_points=decimal(millionths(measure.max_points)),
        formula=measure.formula,
    )


def shares_of(row: Evidence, compiled: CompiledCard) -> dict[str, tuple[Decimal, Decimal]]:
    """Dimension to (points of the total it carries, the most it could), rescaled over what was measured.

    The shares add to the total; each is rounded for showing, to six decimals.
    """
    card = compiled.card
    figures = dict(zip((part.key for part in card.dimensions), row.dimensions, strict=True))
    if card.method == POINTS_SUM:
        most = {
            part.key: sum(card.measures[at].max_points for at in part.measures if row.points[at] is not None)
            for part in card.dimensions
        }
        whole = sum(most.values())
        return {
            key: (
                decimal(round((figures[key] or 0) * 100 / whole)) if whole else Decimal(0),
                decimal(round(most[key] * 100 * 1_000_000 / whole)) if whole else Decimal(0),
            )
            for key in figures
        }
    whole = sum(part.weight for part in card.dimensions if figures[part.key] is not None)
    shares = {}
    for part in card.dimensions:
        figure = figures[part.key]
        weight = part.weight / whole if whole and figure is not None else 0
        shares[part.key] = (decimal(round((figure or 0) * weight)), decimal(round(100_000_000 * weight)))
    return shares


def changes_in_words(before: Evidence, after: Evidence, compiled: CompiledCard, *, most: int = 3) -> list[str]:
    """What moved between two scores of the same version, the biggest first, in words: 'Login frequency High → Low'.

    Empty when the versions differ: their measures cannot be compared.
    """
    if before.version_id != after.version_id:
        return []
    moves = []
    for at, measure in enumerate(compiled.card.measures):
        old, new = before.points[at], after.points[at]
        if old == new:
            continue
        sign = -1 if measure.kind == "penalty" else 1
        weight = float(measure.weight) * float(
            next(part.weight for part in compiled.card.dimensions if part.key == measure.dimension)
        )
        size = sign * ((new or 0) - (old or 0)) * (1.0 if compiled.card.method == POINTS_SUM else weight)
        moves.append((abs(size), _move_in_words(compiled, at, before, after)))
    moves.sort(key=lambda move: -move[0])
    return [words for _, words in moves[:most]]


def _move_in_words(compiled: CompiledCard, at: int, before: Evidence, after: Evidence) -> str:
    measure = compiled.card.measures[at]
    return f"{measure.name} {reading_in_words(compiled, at, before)} → {reading_in_words(compiled, at, after)}"


def reading_in_words(compiled: CompiledCard, at: int, row: Evidence) -> str:
    """What a measure of a stored score reads: its level, its value, or that it was not measured. No query."""
    measure = compiled.card.measures[at]
    level = row.levels[at]
    if level is not None:
        return measure.levels[level].replace("_", " ")
    if row.points[at] is None:
        return "not measured"
    return value_in_words(measure.unit, row.values[compiled.evidence_inputs.index(measure.inputs[0])])


def value_in_words(unit: str, value: object) -> str:
    """A measured value as a sentence says it, in its unit."""
    return wording.with_unit(value, unit)
