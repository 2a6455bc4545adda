"""Scores groups of accounts and renders each score with its evidence as one row of binary COPY.

Everything is worked out once for each distinct observation, reading and total; what is left an account is
picking bytes by code and joining them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from struct import pack
from typing import Any

import numpy as np

from health.actions import binary
from health.cards import CompiledCard
from health.choices import FRESH, MISSING, REFUSED, STALE, Rag
from health.queries.inputs import Frame
from health.queries.scored import Column, score_frame
from health.scoring import MILLION, Scorecard
from health.scoring.columns import NONE, Integers, Read, Scores

STAGE_COLUMNS = (
    "account_id, version_id, scorecard_key, score, shown, band, band_rank, rag, coverage_pct, values, observed_at, "
    "sources, states, levels, points, dimensions, red_flags"
)
_FIELDS = pack(">h", len(STAGE_COLUMNS.split(",")))


def score_accounts(compiled: CompiledCard, places: Sequence[int], frame: Frame, *, at: datetime) -> list[bytes]:
    """The rows for COPY of the accounts at ``places`` of ``frame``, scored with one card. No query."""
    found = score_frame(compiled, places, frame, at=at)
    inputs = [
        _Texts(compiled, name, column) for name, column in zip(compiled.evidence_inputs, found.inputs, strict=True)
    ]
    card, scores, held = compiled.card, found.scores, found.held
    flag_keys = [binary.text(flag["key"]) for flag in card.red_flags]
    head = binary.field(compiled.version_id.bytes) + binary.text(card.key)
    states = map(b"".join, zip(*[item.pick(item.states) for item in inputs], strict=True))
    rows = zip(
        [frame.accounts[place].bytes for place in places],
        _figures(card, scores, found.band),
        _arrays(binary.TEXT, [item.pick(item.values) for item in inputs]),
        _arrays(binary.MOMENT, [item.pick(item.moments) for item in inputs]),
        _arrays(binary.TEXT, [item.pick(item.sources) for item in inputs]),
        map(binary.field, states),
        _arrays(binary.SMALL, [_picked(read, _levels(read)) for read in scores.measures]),
        _arrays(binary.WHOLE, [_picked(read, _points(card, read)) for read in scores.measures]),
        _arrays(binary.WHOLE, [_whole(column) for column in scores.dimensions]),
        [binary.texts(flag_keys[index] for index in held.get(row, ())) for row in range(len(places))],
        strict=True,
    )
    start = _FIELDS + pack(">i", 16)
    return [b"".join((start, account, head, *rest)) for account, *rest in rows]


class _Texts:
    """The texts to keep of one input over the accounts, the last of each for a missing one."""

    def __init__(self, compiled: CompiledCard, name: str, column: Column) -> None:
        self.picked: list[int] = column.codes.tolist()
        cells = column.cells
        refused = _refusals(compiled.card, name)
        self.states = [
            (REFUSED if refused(value) else STALE if old else FRESH).encode()
            for value, old in zip(column.raw, column.stale, strict=True)
        ] + [MISSING.encode()]
        self.values = [*(binary.text(str(value)) for value in column.raw), binary.NULL]
        # Many observations share few moments and sources: each is written out once.
        moments = {id(seen.observed_at): seen.observed_at for seen in cells}
        written = {key: binary.moment(moment) for key, moment in moments.items()}
        sources = {source: binary.text(source) for source in {seen.source for seen in cells}}
        self.moments = [*(written[id(seen.observed_at)] for seen in cells), binary.NULL]
        self.sources = [*(sources[seen.source] for seen in cells), binary.NULL]

    def pick(self, by_code: list[bytes]) -> list[bytes]:
        return [by_code[code] for code in self.picked]


def _refusals(card: Scorecard, name: str) -> Any:
    """Whether no measure that reads the input takes a value: it is left out, and the receipt says so."""
    domains = {measure.domains[name] for measure in card.measures if name in measure.domains}
    if not domains:
        return lambda value: False
    return lambda value: not any(domain.takes(value) for domain in domains)


def _figures(card: Scorecard, scores: Scores, band: Integers) -> list[bytes]:
    """Score, shown, band, rank, colour and coverage of every row: six fields."""
    known: dict[tuple[int, int, int], bytes] = {}
    found = []
    for key in zip(scores.total.tolist(), band.tolist(), scores.coverage.tolist(), strict=True):
        figure = known.get(key)
        if figure is None:
            figure = known[key] = _figure(card, *key)
        found.append(figure)
    return found


def _figure(card: Scorecard, total: int, band: int, coverage: int) -> bytes:
    """The six fields; coverage has two decimals, cut, so that 49.999 % never reads 50."""
    covered = binary.numeric(coverage // 10_000, 2)
    if total == NONE:
        return binary.NULL * 2 + binary.text("") + binary.NULL + binary.text(Rag.NONE.value) + covered
    best = card.bands[band]
    shown = binary.numeric(int(card.shown(total) * 10), 1)
    return b"".join(
        (binary.numeric(total, 6), shown, binary.text(best.key), binary.small(band), binary.text(best.rag), covered)
    )


def _arrays(kind: int, columns: list[list[bytes]]) -> Iterator[bytes]:
    """Fields that are arrays, one a row, of the elements that stand in the row in each column."""
    head = binary.array_head(kind, len(columns))
    field = binary.field
    return (field(head + b"".join(row)) for row in zip(*columns, strict=True))


def _picked(read: Read, by_code: list[bytes]) -> list[bytes]:
    return [by_code[code] for code in read.codes.tolist()]


def _levels(read: Read) -> list[bytes]:
    return [binary.small(None if reading is None else reading[1]) for reading in read.readings]


def _points(card: Scorecard, read: Read) -> list[bytes]:
    return [binary.whole(None if reading is None else reading[0] * MILLION // card.scale) for reading in read.readings]


def _whole(column: Integers) -> list[bytes]:
    values, codes = np.unique(column, return_inverse=True)
    by_code = [binary.whole(None if value == NONE else value) for value in values.tolist()]
    return [by_code[code] for code in codes.tolist()]
