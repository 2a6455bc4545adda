"""Scores groups of accounts and renders each score with its evidence as one line of COPY.

Everything is worked out once for each distinct observation, reading and total; what is left an account is
picking texts by code and joining them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from health.cards import CompiledCard
from health.choices import FRESH, MISSING, REFUSED, STALE, Rag
from health.conditions import Facts, accounts_where
from health.queries.inputs import Frame
from health.scoring import MILLION, Scorecard
from health.scoring.columns import NONE, Coded, Integers, Read, Scores, score_columns

STAGE_COLUMNS = (
    "account_id, version_id, scorecard_key, score, shown, band, band_rank, rag, coverage_pct, values, observed_at, "
    "sources, states, levels, points, dimensions, red_flags"
)
_PLAIN = re.compile(r"[A-Za-z0-9_.:+-]+")


def score_accounts(compiled: CompiledCard, places: Sequence[int], frame: Frame, *, at: datetime) -> list[str]:
    """The lines for COPY of the accounts at ``places`` of ``frame``, scored with one card. No query."""
    chosen = np.array(places, dtype=np.int64)
    inputs = [_Input(compiled, place, name, frame, chosen, at) for place, name in enumerate(compiled.evidence_inputs)]
    card = compiled.card
    scores = score_columns(card, [item.to_score for item in inputs[: len(card.inputs)]], len(chosen))
    held = _held(compiled, inputs, at)
    flag_keys = [_cell(flag["key"]) for flag in card.red_flags]
    flags = [",".join([flag_keys[index] for index in held.get(at_, ())]) for at_ in range(len(chosen))]
    head = f"\t{compiled.version_id}\t{_escaped(card.key)}\t"
    rows = zip(
        [frame.accounts[place] for place in places],
        _figures(card, scores, held),
        _joined([item.texts(item.values) for item in inputs]),
        _joined([item.texts(item.moments) for item in inputs]),
        _joined([item.texts(item.sources) for item in inputs]),
        map("".join, zip(*[item.texts(item.states) for item in inputs], strict=True)),
        _joined(
            [_texts(read, [_number(reading and reading[1]) for reading in read.readings]) for read in scores.measures]
        ),
        _joined([_texts(read, _points(card, read)) for read in scores.measures]),
        _joined([_whole(column) for column in scores.dimensions]),
        flags,
        strict=True,
    )
    return [
        f"{account}{head}{figures}\t{{{values}}}\t{{{moments}}}\t{{{sources}}}\t{states}\t{{{levels}}}\t{{{points}}}\t"
        f"{{{dimensions}}}\t{{{red}}}\n"
        for account, figures, values, moments, sources, states, levels, points, dimensions, red in rows
    ]


class _Input:
    """One input over the accounts: what to score, and the texts to keep, the last of each for a missing one."""

    def __init__(
        self, compiled: CompiledCard, place: int, name: str, frame: Frame, chosen: Integers, at: datetime
    ) -> None:
        column = frame.coded(name)
        self.codes = column.codes[chosen]
        self.picked: list[int] = self.codes.tolist()
        cells = column.cells
        limit = at - timedelta(days=compiled.max_age_days[place])
        stale = [seen.observed_at < limit for seen in cells]
        drop = not compiled.card.stale_counts
        self.raw = [seen.value for seen in cells]
        self.to_score = Coded(
            self.codes, [None if drop and old else value for value, old in zip(self.raw, stale, strict=True)]
        )
        refused = _refusals(compiled.card, name)
        self.states = [
            REFUSED if refused(value) else STALE if old else FRESH for value, old in zip(self.raw, stale, strict=True)
        ] + [MISSING]
        self.values = [*map(_cell, self.raw), "NULL"]
        # Many observations share few moments and sources: each is written out once.
        moments = {id(seen.observed_at): seen.observed_at for seen in cells}
        written = {key: moment.isoformat() for key, moment in moments.items()}
        sources = {source: _cell(source) for source in {seen.source for seen in cells}}
        self.moments = [*(written[id(seen.observed_at)] for seen in cells), "NULL"]
        self.sources = [*(sources[seen.source] for seen in cells), "NULL"]

    def texts(self, by_code: list[str]) -> list[str]:
        return [by_code[code] for code in self.picked]


def _refusals(card: Scorecard, name: str) -> Any:
    """Whether no measure that reads the input takes a value: it is left out, and the receipt says so."""
    domains = {measure.domains[name] for measure in card.measures if name in measure.domains}
    if not domains:
        return lambda value: False
    return lambda value: not any(domain.takes(value) for domain in domains)


def _held(compiled: CompiledCard, inputs: list[_Input], at: datetime) -> dict[int, tuple[int, ...]]:
    """Which red flags each row holds, as indices."""
    flags = compiled.card.red_flags
    if not flags:
        return {}
    metrics: dict[str, dict[Any, Any]] = {
        name: {row: item.raw[code] for row, code in enumerate(item.picked) if code != NONE}
        for name, item in zip(compiled.evidence_inputs, inputs, strict=True)
    }
    facts = Facts(at=at, metrics=metrics)
    held: dict[int, tuple[int, ...]] = {}
    for index, flag in enumerate(flags):
        for row in accounts_where(flag["condition"], facts):
            held[row] = (*held.get(row, ()), index)
    return held


def _figures(card: Scorecard, scores: Scores, held: dict[int, tuple[int, ...]]) -> list[str]:
    """Score, shown, band, rank, colour and coverage of every row, tab between."""
    flagged = np.zeros(len(scores.total), dtype=np.int64)
    flagged[list(held)] = 1
    # AMB-132: no better than the second band while a red flag stands.
    band = np.where((scores.band == 0) & (flagged == 1), 1, scores.band)
    bands = [f"{_escaped(item.key)}\t{rank}\t{item.rag}" for rank, item in enumerate(card.bands)]
    texts: dict[tuple[int, int, int], str] = {}
    found = []
    for key in zip(scores.total.tolist(), band.tolist(), scores.coverage.tolist(), strict=True):
        text = texts.get(key)
        if text is None:
            text = texts[key] = _figure(card, bands, *key)
        found.append(text)
    return found


def _figure(card: Scorecard, bands: list[str], total: int, band: int, coverage: int) -> str:
    if total == NONE:
        return f"\\N\t\\N\t\t\\N\t{Rag.NONE.value}\t{_hundredths(coverage)}"
    return f"{total // MILLION}.{total % MILLION:06d}\t{card.shown(total)}\t{bands[band]}\t{_hundredths(coverage)}"


def _hundredths(coverage: int) -> str:
    """Coverage in per cent with two decimals, cut, so that 49.999 % never reads 50."""
    whole = coverage // 10_000
    return f"{whole // 100}.{whole % 100:02d}"


def _joined(columns: list[list[str]]) -> Any:
    return map(",".join, zip(*columns, strict=True))


def _texts(read: Read, by_code: list[str]) -> list[str]:
    return [by_code[code] for code in read.codes.tolist()]


def _levels(read: Read) -> list[str]:
    return [_number(None if reading is None else reading[1]) for reading in read.readings]


def _points(card: Scorecard, read: Read) -> list[str]:
    return [_number(None if reading is None else reading[0] * MILLION // card.scale) for reading in read.readings]


def _number(value: int | None) -> str:
    return "NULL" if value is None else str(value)


def _whole(column: Integers) -> list[str]:
    return ["NULL" if value == NONE else str(value) for value in column.tolist()]


def _cell(raw: Any) -> str:
    """``raw`` as an element of an array literal inside a line of COPY."""
    text = str(raw)
    if raw.__class__ is Decimal:
        return text
    if _PLAIN.fullmatch(text) and text.upper() != "NULL":
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return _escaped(f'"{quoted}"')


def _escaped(text: str) -> str:
    """``text`` as a field of COPY's text format."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
