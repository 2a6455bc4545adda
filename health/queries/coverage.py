"""What a scorecard version finds measured: by measure, and how many accounts it could score from how much.

Under the card's least coverage an account has no score (AMB-03). Whoever runs a card on data that cannot feed all
of it sees here which measures lack figures, and what another least coverage would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from accounts.queries.workspace import workspace_day
from health.cards import CompiledCard, compiled
from health.models import ScorecardVersion
from health.queries.inputs import active_cards, frame_for, subjects
from health.queries.preview import with_version
from health.queries.scored import Column, fill_measures_from_kpis, metrics_read, score_frame
from health.scoring import decimal, millionths
from health.scoring.columns import NONE, Integers, Read
from usage.catalogue import DERIVED, DESK

STEPS = (100, 75, 50, 40, 30, 25, 20, 10)
# Scoring from less than this says nothing about a customer.
LOWEST = 10
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Fed:
    """One measure: of how many accounts it is measured and how many of those only by stale figures.

    ``share`` is that of the accounts, ``weight`` the measure's part of the whole card, both in per cent.
    """

    dimension: str
    key: str
    name: str
    inputs: tuple[str, ...]
    measured: int
    stale: int
    share: Decimal
    weight: Decimal
    newest_at: datetime | None
    sources: tuple[str, ...]
    needs: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """``accounts`` the version would score; ``scored`` have enough. ``steps`` are (least per cent, scored then)."""

    accounts: int
    scored: int
    least: Decimal
    measures: list[Fed]
    steps: list[tuple[int, int]]
    suggested: int | None

    @property
    def unmeasured(self) -> list[Fed]:
        return [one for one in self.measures if not one.measured]


def coverage_of(version: ScorecardVersion, *, at: datetime) -> Coverage:
    """What the accounts that ``version`` would score after its activation at ``at`` have figures for.

    The queries of a recompute, whatever the number of accounts; nothing is written.
    """
    on, card = workspace_day(at), compiled(version)
    cards = with_version(active_cards(), version)
    accounts = subjects(None, on, since=False)
    chosen = [one.account_id for one in accounts if cards.of(one) is version]
    # Naming most accounts costs more than reading the others too.
    frame = frame_for(chosen, metrics_read(card), on, everyone=2 * len(chosen) > len(accounts))
    fill_measures_from_kpis(card, frame)
    found = score_frame(card, range(len(chosen)), frame, at=at)
    covered = found.scores.coverage
    counts = {step: int((covered >= step * 1_000_000).sum()) for step in range(LOWEST, 101)}
    least = decimal(millionths(card.card.least_coverage * 100))
    inputs = dict(zip(card.evidence_inputs, found.inputs, strict=True))
    return Coverage(
        len(chosen),
        int((found.scores.total != NONE).sum()),
        least,
        _measures(card, found.scores.measures, inputs, len(chosen)),
        [(step, counts[step]) for step in STEPS],
        _suggested(counts, len(chosen), least),
    )


def _suggested(counts: dict[int, int], accounts: int, least: Decimal) -> int | None:
    """The highest whole least coverage, lower than that of now, from which at least half the accounts are scored."""
    if not accounts or counts[max(LOWEST, int(least))] * 2 >= accounts:
        return None
    return next((step for step in range(int(least), LOWEST - 1, -1) if counts[step] * 2 >= accounts), None)


def _measures(card: CompiledCard, reads: Sequence[Read], inputs: dict[str, Column], accounts: int) -> list[Fed]:
    found = []
    for part in card.card.dimensions:
        for at in part.measures:
            measure, read = card.card.measures[at], reads[at]
            there = np.array([reading is not None for reading in read.readings], dtype=bool)[read.codes]
            columns = [inputs[name] for name in measure.inputs]
            count = int(there.sum())
            seen = [cell for column in columns for cell in _used(column)]
            found.append(
                Fed(
                    dimension=part.name,
                    key=f"{part.key}.{measure.key}",
                    name=measure.name,
                    inputs=measure.inputs,
                    measured=count,
                    stale=int((there & _stale(columns)).sum()),
                    share=(HUNDRED * count / accounts).quantize(Decimal("0.1")) if accounts else Decimal(0),
                    weight=decimal(card.card.plan_of(1 << at).coverage),
                    newest_at=max((cell.observed_at for cell in seen), default=None),
                    sources=tuple(sorted({cell.source for cell in seen})),
                    needs="" if count else _needs(measure),
                )
            )
    return found


def _used(column: Column) -> list[Any]:
    return [column.cells[code] for code in np.unique(column.codes).tolist() if code != NONE]


def _stale(columns: list[Column]) -> Integers:
    """Accounts whose every figure of the measure is stale."""
    flags = [np.array([*column.stale, True], dtype=bool)[column.codes] for column in columns]
    return np.logical_and.reduce(flags)


def _needs(measure: Any) -> str:
    """Where figures of a measure come from: worked out from something, or stated."""
    known = [(name, DERIVED.get(name) or DESK.get(name)) for name in measure.inputs]
    words = [f"{one.name}: {one.formula}" for _, one in known if one is not None]
    stated = [name for name, one in known if one is None]
    if stated:
        words.append(f"{', '.join(stated)}: stated by an integration, a file of metrics, or by hand on the account")
    return "; ".join(words)
