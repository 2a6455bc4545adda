"""Scores of many accounts as columns: what the recompute stores, a preview compares and a backtest replays.

All of them read and score here, so that a preview cannot say another thing than the activation then does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from health.cards import CompiledCard, compiled
from health.conditions import Facts, accounts_where
from health.kpis import Target, fill_from_kpis, metric_names
from health.models import Kpi
from health.queries.inputs import ActiveCards, Frame, Subject
from health.scoring import Value
from health.scoring.columns import NONE, Coded, Integers, Scores, score_columns


class Column(NamedTuple):
    """One input over the accounts: ``codes`` into ``cells`` (-1: none), the raw values and which are stale.

    ``to_score`` leaves out what the card's policy for stale values leaves out.
    """

    codes: Integers
    cells: list[Any]
    raw: list[Value]
    stale: list[bool]
    to_score: Coded


class Scored(NamedTuple):
    """``scores`` of the accounts, their ``band`` after red flags (-1: none), which flags each row holds."""

    scores: Scores
    band: Integers
    held: Mapping[int, tuple[int, ...]]
    inputs: list[Column]


def score_frame(compiled: CompiledCard, places: Sequence[int], frame: Frame, *, at: datetime) -> Scored:
    """The scores of the accounts at ``places`` of ``frame`` as of ``at``. No query."""
    chosen = np.array(places, dtype=np.int64)
    inputs = [_column(compiled, place, name, frame, chosen, at) for place, name in enumerate(compiled.evidence_inputs)]
    scores = score_columns(compiled.card, [item.to_score for item in inputs[: len(compiled.card.inputs)]], len(chosen))
    held = _held(compiled, inputs, at)
    return Scored(scores, capped(scores.band, held), held, inputs)


def capped(band: Integers, held: Mapping[int, tuple[int, ...]]) -> Integers:
    """Bands no better than the second while a red flag stands (AMB-132)."""
    flagged = np.zeros(len(band), dtype=np.int64)
    flagged[list(held)] = 1
    return np.where((band == 0) & (flagged == 1), 1, band)


def _column(compiled: CompiledCard, place: int, name: str, frame: Frame, chosen: Integers, at: datetime) -> Column:
    column = frame.coded(name)
    codes, cells = column.codes[chosen], column.cells
    limit = at - timedelta(days=compiled.max_age_days[place])
    stale = [seen.observed_at < limit for seen in cells]
    raw = [seen.value for seen in cells]
    drop = not compiled.card.stale_counts
    kept = [None if drop and old else value for value, old in zip(raw, stale, strict=True)]
    return Column(codes, cells, raw, stale, Coded(codes, kept))


def _held(compiled: CompiledCard, inputs: list[Column], at: datetime) -> dict[int, tuple[int, ...]]:
    """Which red flags each row holds, as indices."""
    flags = compiled.card.red_flags
    if not flags:
        return {}
    metrics: dict[str, dict[Any, Any]] = {
        name: {row: item.raw[code] for row, code in enumerate(item.codes.tolist()) if code != NONE}
        for name, item in zip(compiled.evidence_inputs, inputs, strict=True)
    }
    facts = Facts(at=at, metrics=metrics)
    held: dict[int, tuple[int, ...]] = {}
    for index, flag in enumerate(flags):
        for row in accounts_where(flag["condition"], facts):
            held[row] = (*held.get(row, ()), index)
    return held


def metrics_read(card: CompiledCard) -> set[str]:
    """Every metric a card's score may depend on, those of its KPIs included."""
    return set(card.evidence_inputs) | {
        name for keys in card.kpis.values() for key in keys for name in metric_names(key)
    }


def grouped(accounts: list[Subject], cards: ActiveCards) -> dict[CompiledCard, list[int]]:
    """Places of accounts by the card that scores them; without any card nothing is scored."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, subject in enumerate(accounts):
        places.setdefault((subject.scorecard_key, subject.segment), []).append(place)
    groups: dict[CompiledCard, list[int]] = {}
    for found in places.values():
        version = cards.of(accounts[found[0]])
        if version is not None:
            groups.setdefault(compiled(version), []).extend(found)
    return groups


def fill_measures_from_kpis(card: CompiledCard, frame: Frame) -> None:
    """Take measures from KPIs where the card allows it and nobody stated them. One query if it does."""
    if not card.kpis:
        return
    keys = {key for wanted in card.kpis.values() for key in wanted}
    known = Kpi.objects.filter(key__in=keys).values_list("key", "op", "target")
    targets = {key: Target(key, op, target) for key, op, target in known if op is not None and target is not None}
    readings = frame.by_account(name for key in keys for name in metric_names(key))
    for name, wanted in card.kpis.items():
        chosen = tuple(targets[key] for key in wanted if key in targets)
        stated = frame.by_account([name]).get(name, {})
        frame.replace(name, fill_from_kpis(stated, chosen, readings))
