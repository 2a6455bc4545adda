"""One account's health: now, on an earlier day, over time, and between two days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Account
from health.cards import CompiledCard, compiled
from health.models import AccountHealth, HealthOverride, HealthScore
from health.models.scores import Evidence
from health.queries.evidence import DimensionLine, MeasureLine, changes_in_words, dimension_lines, shares_of
from health.scoring import decimal, trend


def current_of(account_id: UUID) -> AccountHealth | None:
    """The account's current state with its version, scorecard and override, or None before the first run."""
    return (
        AccountHealth.objects.select_related("version__scorecard", "override__author")
        .filter(account_id=account_id)
        .first()
    )


def score_as_of(account_id: UUID, on: date) -> HealthScore | None:
    """The score that stood on a day: the latest one of that day or before."""
    return (
        HealthScore.objects.select_related("version__scorecard")
        .filter(account_id=account_id, computed_on__lte=on)
        .order_by("-computed_on")
        .first()
    )


def health_of(account: Account) -> dict[str, Any]:
    """The account's health as the API answers it (INTERFACES §3). One query.

    Decimals are strings. Score, band and colour are None under half coverage or before the first run.
    """
    row = current_of(account.pk)
    if row is None:
        return _UNSCORED.copy()
    card = compiled(row.version)
    answer = evidence_json(row, card)
    change = None if row.score is None or row.previous_score is None else row.score - row.previous_score
    answer.update(
        previous=_plain(row.previous_score),
        previous_band=row.previous_band or None,
        previous_at=_moment(row.previous_at),
        change=_plain(change),
        score_30_days_ago=_plain(row.score_30d),
        change_30_days=_plain(row.change_30d),
        band_since=row.band_since_on.isoformat(),
        current_band=row.current_band or None,
        current_colour=None if row.current_rag == "none" else row.current_rag,
        override=None if row.override is None else override_json(row.override),
    )
    return answer


_UNSCORED: dict[str, Any] = {
    **dict.fromkeys(("score", "shown", "band", "band_name", "colour")),
    "coverage_pct": "0",
    **dict.fromkeys(("as_of", "scorecard", "version")),
    "dimensions": [],
    **dict.fromkeys(("previous", "change", "override")),
}


def evidence_json(row: Evidence, card: CompiledCard) -> dict[str, Any]:
    """One stored score, current or of a day, with everything it was made of."""
    bands = {band.key: band for band in card.card.bands}
    band = bands.get(row.band)
    return {
        "score": _plain(row.score),
        "shown": None if row.shown is None else str(row.shown),
        "band": row.band or None,
        "band_name": None if band is None else band.name,
        "colour": None if band is None else band.rag,
        "coverage_pct": _plain(row.coverage_pct),
        "as_of": _moment(row.computed_at),
        "scorecard": row.scorecard_key,
        "version": card.number,
        "dimensions": [_dimension_json(line) for line in dimension_lines(row, card)],
        "red_flags": list(row.red_flags),
        "recommendations": [
            {"category": item["category"], "priority": item["priority"], "action": item["action"]}
            for item in card.card.recommendations_for(row.dimensions)
        ],
    }


def _dimension_json(line: DimensionLine) -> dict[str, Any]:
    return {
        "key": line.key,
        "name": line.name,
        "score": _plain(line.score),
        "weight": str(line.weight),
        "points_of_total": _plain(line.share),
        "measures": [_measure_json(measure) for measure in line.measures],
    }


def _measure_json(line: MeasureLine) -> dict[str, Any]:
    return {
        "key": line.key,
        "name": line.name,
        "inputs": {item.metric: item.value for item in line.inputs},
        "sources": {item.metric: item.source for item in line.inputs if item.source},
        "level": line.level,
        "points": _plain(line.points),
        "max_points": _plain(line.max_points),
        "observed_at": _moment(line.observed_at),
        "stale": line.is_stale,
        "formula": line.formula,
    }


def override_json(override: HealthOverride) -> dict[str, Any]:
    """An override with its reason, author and end, and the computed band it was set against."""
    return {
        "id": str(override.pk),
        "band": override.band,
        "band_name": override.band_name,
        "colour": override.rag,
        "reason": override.reason,
        "author": None if override.author is None else str(override.author),
        "created_at": _moment(override.created_at),
        "expires_at": _moment(override.expires_at),
        "computed_band": override.computed_band or None,
        "computed_score": _plain(override.computed_score),
    }


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall: what a dimension gave to the total on the two days, and the difference."""

    key: str
    name: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Waterfall:
    """How the score of one day became that of another. ``steps`` is empty if the versions differ."""

    before: HealthScore
    after: HealthScore
    steps: tuple[Step, ...]
    words: tuple[str, ...]


def waterfall(account_id: UUID, *, start: date, end: date) -> Waterfall | None:
    """The change between two days by dimension; None if either has no score. Two queries.

    The steps add to the change of the total up to the sixth decimal.
    """
    before, after = score_as_of(account_id, start), score_as_of(account_id, end)
    if before is None or after is None or before.score is None or after.score is None:
        return None
    if before.version_id != after.version_id:
        return Waterfall(before, after, (), ())
    card = compiled(after.version)
    old, new = shares_of(before, card), shares_of(after, card)
    steps = tuple(Step(part.key, part.name, old[part.key][0], new[part.key][0]) for part in card.card.dimensions)
    return Waterfall(before, after, steps, tuple(changes_in_words(before, after, card, most=5)))


@dataclass(frozen=True, slots=True)
class Point:
    """A day's score in a series; None where there was not enough data."""

    on: date
    score: Decimal | None
    shown: Decimal | None
    band: str
    rag: str
    version_id: UUID


def score_series(account_id: UUID, *, start: date, end: date) -> list[Point]:
    """The scores stored from ``start`` to ``end``, oldest first, led by the one that stood on ``start``.

    A day between two points has the earlier one's score. One query.
    """
    fields = ("computed_on", "score", "shown", "band", "rag", "version_id")
    rows = HealthScore.objects.filter(account_id=account_id, computed_on__lte=end)
    lead = rows.filter(computed_on__lt=start).order_by("-computed_on").values_list(*fields)[:1]
    points = [Point(*row) for row in lead.union(rows.filter(computed_on__gte=start).values_list(*fields), all=True)]
    return sorted(points, key=lambda point: point.on)


def dimension_trends(account_id: UUID, *, on: date) -> dict[str, str]:
    """Dimension to improving, declining or stable over the last six stored scores (AMB-130). One query."""
    rows = list(
        HealthScore.objects.select_related("version__scorecard")
        .filter(account_id=account_id, computed_on__lte=on)
        .order_by("-computed_on")[:6]
    )
    if not rows:
        return {}
    card = compiled(rows[0].version).card
    same = [row for row in reversed(rows) if row.version_id == rows[0].version_id]
    trends = {}
    for at, part in enumerate(card.dimensions):
        figures = [row.dimensions[at] for row in same]
        trends[part.key] = trend([decimal(figure) for figure in figures if figure is not None])
    return trends


def _plain(value: Decimal | None) -> str | None:
    """A decimal without needless zeros: 68.45, 63, 0."""
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")
