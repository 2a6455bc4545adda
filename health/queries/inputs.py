"""Everything a recompute reads: accounts with their card, metric columns, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from inspect import signature
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from health.choices import VersionState
from health.models import ScorecardVersion
from usage.columns import MISSING, Coded, coded

Columns = dict[str, dict[UUID, Any]]


class Subject(NamedTuple):
    """An account to be scored: its card's key or empty, its segment, and since when we know it (if asked)."""

    account_id: UUID
    scorecard_key: str
    segment: str
    known_since: datetime | None


class ActiveCards(NamedTuple):
    """The active versions: by card key, by segment, and the default (None while no card is installed)."""

    by_key: Mapping[str, ScorecardVersion]
    by_segment: Mapping[str, ScorecardVersion]
    default: ScorecardVersion | None

    def of(self, subject: Subject) -> ScorecardVersion | None:
        """The version that scores ``subject``: the one it names, its segment's, or the default (AMB-21)."""
        return self.by_key.get(subject.scorecard_key) or self.by_segment.get(subject.segment) or self.default


def active_cards() -> ActiveCards:
    """Every active scorecard version. One query."""
    versions = ScorecardVersion.objects.filter(state=VersionState.ACTIVE).select_related("scorecard")
    by_key, by_segment, default = {}, {}, None
    for version in versions:
        by_key[version.scorecard.key] = version
        by_segment.update(dict.fromkeys(version.scorecard.segments, version))
        if version.scorecard.is_default:
            default = version
    return ActiveCards(by_key, by_segment, default)


# Accounts that were customers on a day: the same words for scoring and for the portfolio's sums.
LIVE_ON = """(a.archived_at IS NULL OR a.archived_at::date > %(on)s)
    AND (a.customer_since_on IS NULL OR a.customer_since_on <= %(on)s)
    AND (a.churned_on > %(on)s OR a.churned_on IS NULL AND a.status <> 'churned')"""


def subjects(account_ids: Iterable[UUID] | None, on: date, *, since: bool) -> list[Subject]:
    """Accounts that were customers on ``on``, all or those of ``account_ids``. One query.

    ``since`` says whether anybody asks how long we have known them; reading it costs as much as the rest.
    """
    known_since = "COALESCE(a.customer_since_on::timestamptz, a.created_at)" if since else "NULL"
    sql = f"""SELECT a.id, a.scorecard_key, a.segment, {known_since} FROM accounts_account a WHERE {LIVE_ON}"""
    parameters: dict[str, Any] = {"on": on}
    if account_ids is not None:
        sql += " AND a.id = ANY(%(ids)s)"
        parameters["ids"] = list(account_ids)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Subject(*row) for row in cursor.fetchall()]


# Providers that can also answer for thousands of accounts at once, and where.
_AT_ONCE = {"usage.metrics.provide": "usage.columns.coded_columns"}


@lru_cache(maxsize=4)
def _providers(paths: tuple[str, ...]) -> tuple[tuple[Any, Any], ...]:
    return tuple((import_string(path), import_string(_AT_ONCE[path]) if path in _AT_ONCE else None) for path in paths)


def columns_for(account_ids: list[UUID] | None, metrics: set[str], on: date) -> Columns:
    """Metric to account to observation, as known on ``on``, from every provider; a later provider wins.

    The number of queries is the providers', whatever the number of accounts.
    """
    columns: Columns = {}
    for provide, _ in _providers(tuple(settings.METRIC_PROVIDERS)):
        for metric, column in provide(account_ids, metrics, on).items():
            known = columns.get(metric)
            if known:
                known.update(column)
            else:
                columns[metric] = column
    return columns


class Frame:
    """Metric columns over a list of accounts: each distinct observation once, with a code an account."""

    def __init__(self, accounts: list[UUID], columns: dict[str, Coded]) -> None:
        self.accounts = accounts
        self._columns = columns

    def coded(self, metric: str) -> Coded:
        """The column of a metric; without any observation if nobody measured it."""
        known = self._columns.get(metric)
        return known if known is not None else Coded(np.full(len(self.accounts), MISSING, dtype=np.int64), [])

    def by_account(self, metrics: Iterable[str]) -> Columns:
        """These columns as account to observation; metrics without any observation have no entry."""
        found: Columns = {}
        for metric in metrics:
            codes, cells = self.coded(metric)
            places = np.flatnonzero(codes != MISSING).tolist()
            if places:
                found[metric] = {self.accounts[at]: cells[code] for at, code in zip(places, codes[places], strict=True)}
        return found

    def copy(self) -> Frame:
        """The same columns, to put some in the place of others without touching this frame."""
        return Frame(self.accounts, dict(self._columns))

    def replace(self, metric: str, column: Mapping[UUID, Any]) -> None:
        """Put another column in the place of a metric's."""
        self._columns[metric] = coded(self.accounts, column)


def frame_for(
    accounts: list[UUID], metrics: set[str], on: date, *, everyone: bool, known_at: datetime | None = None
) -> Frame:
    """The columns of ``metrics`` over ``accounts`` as of ``on``; ``everyone`` reads all there are, whoever they are.

    The number of queries is the providers', whatever the number of accounts. A later provider wins. With
    ``known_at`` only what was recorded by then counts; a provider that cannot tell is not asked.
    """
    columns: dict[str, Coded] = {}
    known = {} if known_at is None else {"known_at": known_at}
    for provide, at_once in _providers(tuple(settings.METRIC_PROVIDERS)):
        if known and not _takes(provide, "known_at"):
            continue
        if at_once is not None:
            given = at_once(accounts, metrics, on, everyone=everyone, **known)
        else:
            earlier = {"earlier": Frame(accounts, columns)} if _takes(provide, "earlier") else {}
            answer = provide(None if everyone else accounts, metrics, on, **known, **earlier)
            given = {metric: coded(accounts, column) for metric, column in answer.items()}
        for metric, column in given.items():
            columns[metric] = _over(columns[metric], column) if metric in columns else column
    return Frame(accounts, columns)


@lru_cache(maxsize=16)
def _takes(provide: Any, name: str) -> bool:
    """Whether a provider asks for this: when it came to know things, what those before it found."""
    return name in signature(provide).parameters


def _over(earlier: Coded, later: Coded) -> Coded:
    shifted = later.codes + len(earlier.cells)
    return Coded(np.where(later.codes == MISSING, earlier.codes, shifted), [*earlier.cells, *later.cells])
