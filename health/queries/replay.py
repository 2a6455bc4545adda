"""History as it was known: scores of every customer on each past day, and what became of them.

A day costs the providers' queries and one of the accounts, whatever their number; the figures are kept as small
columns a day, a byte for each measure, so that 10,000 accounts over 24 month ends need a few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection

from accounts.choices import ContractStatus
from accounts.models import Contract, Workspace
from health.backtest import Account, History
from health.backtest.grading import COLOURS, UNSCORED
from health.backtest.outcomes import Term
from health.backtest.predictors import UNREAD, Course
from health.cards import CompiledCard
from health.choices import Basis, Step
from health.queries.inputs import Frame, frame_for, subjects
from health.queries.scored import Scored, fill_measures_from_kpis, metrics_read, score_frame
from health.scoring.columns import NONE
from health.scoring.measures import share_of


def replay_days(today: date, *, months: int, step: str) -> list[date]:
    """The days to score, oldest first: month ends or every seventh day back from ``today``, which is the last."""
    if step == Step.WEEK:
        return [today - timedelta(weeks=back) for back in range(months * 52 // 12, -1, -1)]
    first, days = today.replace(day=1), [today]
    for _ in range(months):
        days.append(first - timedelta(days=1))
        first = days[-1].replace(day=1)
    return sorted(set(days))


class Roster(NamedTuple):
    """The accounts of a replay in a fixed order: their ids and their contracts for the outcome."""

    ids: list[UUID]
    accounts: list[Account]
    place: dict[UUID, int]


def roster(segment: str = "") -> Roster:
    """Every account that ever was a customer, of one segment if it is named. Two queries."""
    terms: dict[UUID, list[Term]] = {}
    rows = Contract.objects.exclude(status=ContractStatus.DRAFT).order_by("start_on", "pk")
    for account, start, end, arr, status in rows.values_list("account", "start_on", "end_on", "arr", "status"):
        last = None if end is None else end.toordinal()
        churned = status == ContractStatus.CHURNED
        terms.setdefault(account, []).append(Term(start.toordinal(), last, float(arr), churned))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, customer_since_on, churned_on FROM accounts_account"
            " WHERE (%(segment)s = '' OR segment = %(segment)s) ORDER BY id",
            {"segment": segment},
        )
        found = cursor.fetchall()
    accounts = [
        Account(terms.get(key, ()), since and since.toordinal(), left and left.toordinal())
        for key, since, left in found
    ]
    ids = [row[0] for row in found]
    return Roster(ids, accounts, {key: place for place, key in enumerate(ids)})


class Replay:
    """Scores filled in day by day; ``histories`` has one for each card."""

    def __init__(self, cards: Sequence[CompiledCard], people: Roster, days: Sequence[date], *, basis: str) -> None:
        self.cards, self.people, self.days, self.basis = cards, people, days, basis
        shape = (len(people.ids), len(days))
        ordinals = [day.toordinal() for day in days]
        self.histories = [
            History(
                ordinals,
                np.full(shape, NONE, dtype=np.int32),
                np.full(shape, UNSCORED, dtype=np.int8),
                [
                    Course(measure.key, measure.name, np.full(shape, UNREAD, dtype=np.uint8))
                    for measure in card.card.measures
                ],
            )
            for card in cards
        ]
        self.zone = ZoneInfo(Workspace.objects.values_list("timezone", flat=True).get())
        self.metrics = set().union(*(metrics_read(card) for card in cards))

    def run(self) -> Iterator[int]:
        """Score the next day; yields how many days are done."""
        for place, day in enumerate(self.days):
            self._score(place, day)
            yield place + 1

    def _score(self, place: int, day: date) -> None:
        at = datetime.combine(day, time.max, self.zone)
        ids = [row.account_id for row in subjects(None, day, since=False) if row.account_id in self.people.place]
        known_at = at if self.basis == Basis.RECORDED else None
        frame = frame_for(ids, self.metrics, day, everyone=True, known_at=known_at)
        rows = np.array([self.people.place[key] for key in ids], dtype=np.int64)
        for card, history in zip(self.cards, self.histories, strict=True):
            scored = score_with(card, frame, at=at)
            history.total[rows, place] = scored.scores.total
            history.colour[rows, place] = colours_of(card)[scored.band]
            for course, shares in zip(history.courses, shares_read(card, scored), strict=True):
                course.shares[rows, place] = shares


def score_with(card: CompiledCard, frame: Frame, *, at: datetime) -> Scored:
    """Score every account of ``frame``; KPIs fill measures for this card only. One query if it reads KPIs."""
    own = frame.copy() if card.kpis else frame
    fill_measures_from_kpis(card, own)
    return score_frame(card, range(len(frame.accounts)), own, at=at)


def shares_read(card: CompiledCard, scored: Scored) -> Iterator[Any]:
    """Of each measure the share of its points that every account has, in whole per cent; UNREAD where none."""
    for measure, read in zip(card.card.measures, scored.scores.measures, strict=True):
        shares = [share_of(measure, reading, card.card.scale) for reading in read.readings]
        told = [UNREAD if share is None else round(min(max(share, 0), 1) * 100) for share in shares]
        yield np.array(told, dtype=np.uint8)[read.codes]


def colours_of(card: CompiledCard) -> Any:
    """Colour by band as numbers, the last for no band."""
    return np.array([*(COLOURS.index(band.rag) for band in card.card.bands), UNSCORED], dtype=np.int8)
