"""One account under several scorecards at once: the same inputs, each methodology's reading of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.queries.workspace import workspace_day
from health.cards import CompiledCard
from health.queries.inputs import frame_for
from health.queries.preview import Standing, standing_of
from health.queries.scored import fill_measures_from_kpis, metrics_read, score_frame
from health.scoring import decimal
from health.scoring.columns import NONE
from health.scoring.measures import share_of
from health.wording import in_words

# Worst first: what makes two methodologies disagree is the colour, bands have names of their own.
_RANKS = ("red", "orange", "yellow", "green")


class Dimension(NamedTuple):
    """A dimension of one card with its figure (None: nothing measured) and the best it could be."""

    name: str
    figure: Decimal | None
    most: Decimal


class Reading(NamedTuple):
    """What one card makes of one metric: the level it falls into, and the share of the most points, 0 to 1."""

    level: str | None
    share: float | None


@dataclass(frozen=True, slots=True)
class View:
    """One methodology on the account. ``missing`` are the inputs nobody measured; ``flags`` stand."""

    pack: str
    name: str
    version: str
    standing: Standing
    dimensions: list[Dimension]
    readings: dict[str, Reading]
    measured: int
    inputs: int
    missing: list[str]
    flags: list[str]


class Row(NamedTuple):
    """A metric that at least one card reads: its value, and each card's reading of it (None: does not read it)."""

    metric: str
    value: str | None
    observed_at: datetime | None
    readings: list[Reading | None]

    @property
    def differs(self) -> bool:
        """Whether two cards that read the metric are more than a quarter of the points apart."""
        shares = [one.share for one in self.readings if one is not None and one.share is not None]
        return len(shares) > 1 and max(shares) - min(shares) > 0.25


@dataclass(frozen=True, slots=True)
class Comparison:
    """All views, the metrics with their readings, those that differ first."""

    views: list[View]
    rows: list[Row]

    @property
    def colours(self) -> list[str]:
        """The colours the methodologies give, worst first, each once; those without a score have none."""
        given = {view.standing.rag for view in self.views}
        return [colour for colour in _RANKS if colour in given]

    @property
    def agree(self) -> bool:
        return len(self.colours) < 2

    @property
    def scoring(self) -> list[View]:
        """The views that have enough data for a score."""
        return [view for view in self.views if view.standing.score is not None]

    @property
    def unmeasured(self) -> list[Row]:
        """What some methodology reads and this account has no figure of."""
        return [row for row in self.rows if row.value is None]

    @property
    def headline(self) -> str:
        """Whether they agree, in words, for a sentence about the account."""
        scoring = self.scoring
        if not scoring:
            return "No methodology has enough data to score it"
        if len(scoring) == 1:
            return f"Only {scoring[0].name} has enough data to score it"
        if self.agree:
            return f"{len(scoring)} methodologies can score it and give the same colour"
        return f"The methodologies disagree: {', '.join(self.colours)}"


def compare_methodologies(
    account_id: UUID, cards: Sequence[tuple[str, str, str, CompiledCard]], *, at: datetime, zone: str = ""
) -> Comparison:
    """The account under each of (pack, name, version, card) with the figures known at ``at``, by the day of ``zone``.

    The providers' queries for one account, and one more for each card that reads KPIs.
    """
    metrics = set().union(*(metrics_read(card) for *_, card in cards))
    frame = frame_for([account_id], metrics, workspace_day(at, zone), everyone=False)
    views = []
    for pack, name, version, card in cards:
        own = frame.copy()
        fill_measures_from_kpis(card, own)
        views.append(_view(pack, name, version, card, own, at))
    return Comparison(views, _rows(cards, views, frame))


def _view(pack: str, name: str, version: str, card: CompiledCard, frame: Any, at: datetime) -> View:
    found = score_frame(card, [0], frame, at=at)
    scores = found.scores
    standing = standing_of(card, int(scores.total[0]), int(found.band[0]), int(scores.coverage[0]))
    figures = [int(column[0]) for column in scores.dimensions]
    missing = [
        metric for metric, column in zip(card.evidence_inputs, found.inputs, strict=True) if column.codes[0] == NONE
    ]
    flags = [card.card.red_flags[at] for at in found.held.get(0, ())]
    return View(
        pack,
        name,
        version,
        standing,
        [
            Dimension(part.name, None if figure == NONE else decimal(figure), card.card.most_of(part))
            for part, figure in zip(card.card.dimensions, figures, strict=True)
        ],
        _readings(card, scores),
        len(card.evidence_inputs) - len(missing),
        len(card.evidence_inputs),
        missing,
        [flag.get("label") or in_words(flag["condition"]) for flag in flags],
    )


def _readings(card: CompiledCard, scores: Any) -> dict[str, Reading]:
    """By metric what its measure gave; of a metric in several measures the first counts."""
    found: dict[str, Reading] = {}
    for measure, read in zip(card.card.measures, scores.measures, strict=True):
        reading = read.readings[read.codes[0]]
        level = None if reading is None or reading[1] is None else measure.levels[reading[1]].replace("_", " ")
        share = share_of(measure, reading, card.card.scale)
        for metric in measure.inputs:
            found.setdefault(metric, Reading(level, share))
    return found


def _rows(cards: Sequence[tuple[str, str, str, CompiledCard]], views: list[View], frame: Any) -> list[Row]:
    metrics = dict.fromkeys(metric for *_, card in cards for metric in card.evidence_inputs)
    rows = []
    for metric in metrics:
        column = frame.coded(metric)
        seen = None if column.codes[0] == NONE else column.cells[int(column.codes[0])]
        reads = [metric in card.evidence_inputs for *_, card in cards]
        readings = [
            view.readings.get(metric, Reading(None, None)) if there else None
            for view, there in zip(views, reads, strict=True)
        ]
        value = None if seen is None else _written(seen.value)
        rows.append(Row(metric, value, None if seen is None else seen.observed_at, readings))
    return sorted(rows, key=lambda row: (not row.differs, row.value is None))


def _written(value: Any) -> str:
    """A figure with at most two decimals, or a choice in words."""
    if isinstance(value, Decimal | float | int):
        return f"{round(Decimal(str(value)), 2).normalize():f}"
    return str(value)
