"""What the reader asked the portfolio for: whose accounts, on which day, compared with which. The address holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField, F, Func, Q, QuerySet, Value
from django.http import QueryDict

from accounts.choices import AccountStatus, Role
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from health.book.filters import MINE, NOBODY
from health.models import Standing
from health.queries.segments import in_segments, members_on

DEFAULT_PERIOD = "30"
PERIODS = {
    "30": "Last 30 days",
    "90": "Last 90 days",
    "365": "Last 12 months",
    "month": "This month",
    "quarter": "This quarter",
    "year": "This year",
}
EARLIEST = date(2000, 1, 1)


class Split(NamedTuple):
    """A way to split the portfolio: what it is called, and what accounts are called that have none."""

    label: str
    nothing: str


SPLITS = {
    "segment": Split("Segment", "No segment"),
    "rule": Split("Segment by rule", ""),
    "tier": Split("Tier", "No tier"),
    "owner": Split("Owner", "Nobody"),
    "card": Split("Scorecard", "Not scored"),
}
DEFAULT_SPLIT = "segment"


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _date(text: str, latest: date) -> date | None:
    """A day between 2000 and ``latest``; None for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if EARLIEST <= found <= latest else None


def period_before(period: str, on: date) -> date:
    """The day that a period ending ``on`` is compared with: the last one before it began."""
    if period in {"30", "90", "365"}:
        return on - timedelta(days=int(period))
    month = {"month": on.month, "quarter": on.month - (on.month - 1) % 3, "year": 1}[period]
    return date(on.year, month, 1) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """Filters, the day of the figures, and the day they are compared with; an empty filter means any.

    ``today`` is the reader's. ``on`` may be a past day: then everything is as it was recorded that day.
    """

    today: date
    on: date
    since: date
    owner: str = ""
    tier: str = ""
    segment: str = ""
    card: str = ""
    period: str = DEFAULT_PERIOD
    split: str = DEFAULT_SPLIT

    @classmethod
    def read(cls, query: Mapping[str, str], today: date) -> Scope:
        """The scope of an address. What means nothing is dropped, as if it were not there."""
        owner = query.get("owner", "")
        on = _date(query.get("on", ""), today) or today
        asked = _date(query.get("since", ""), on - timedelta(days=1))
        period = query.get("period", "")
        period = "custom" if asked else period if period in PERIODS else DEFAULT_PERIOD
        return cls(
            today=today,
            on=on,
            since=asked or period_before(period, on),
            owner=owner if owner in {MINE, NOBODY} else _uuid(owner),
            tier=_uuid(query.get("tier", "")),
            segment=query.get("segment", "").replace("\x00", "")[:60],
            card=query.get("card", "").replace("\x00", "")[:60],
            period=period,
            split=query.get("split", "") if query.get("split") in SPLITS else DEFAULT_SPLIT,
        )

    @classmethod
    def parse(cls, text: str, today: date) -> Scope:
        """What a kept query string asks for."""
        return cls.read(QueryDict(text), today)

    def canonical(self) -> str:
        """The query string; two scopes that show the same have the same one."""
        return urlencode(self.parameters())

    def parameters(self, **changes: str) -> dict[str, str]:
        """As they stand in an address; what is not set is left out. ``changes`` replace some."""
        values = {
            "owner": self.owner,
            "tier": self.tier,
            "segment": self.segment,
            "card": self.card,
            "period": self.period if self.period not in {"custom", DEFAULT_PERIOD} else "",
            "since": self.since.isoformat() if self.period == "custom" else "",
            "on": self.on.isoformat() if self.on != self.today else "",
            "split": self.split if self.split != DEFAULT_SPLIT else "",
            **changes,
        }
        return {name: value for name, value in values.items() if value}

    @property
    def period_name(self) -> str:
        return PERIODS.get(self.period, "Between two days")

    def before(self) -> Scope:
        """The period before this one: up to the day compared with, against as many days earlier."""
        if self.period == "custom":
            days = self.on - self.since
            return replace(self, on=self.since, since=self.since - days)
        return replace(self, on=self.since, since=period_before(self.period, self.since))

    @property
    def is_filtered(self) -> bool:
        return bool(self.owner or self.tier or self.segment or self.card)

    @property
    def rule(self) -> str:
        """The key of the segment by rule that was asked for; one that was typed in is named by its words."""
        return _uuid(self.segment)

    def narrowed(self, rows: QuerySet[Any], user: Any, card: str = "scorecard_key") -> QuerySet[Any]:
        """``rows`` of the owner, tier, typed segment and scorecard asked for."""
        if self.owner == NOBODY:
            rows = rows.filter(owner_id=None)
        elif self.owner:
            rows = rows.filter(owner_id=user.pk if self.owner == MINE else self.owner)
        wanted = {"tier_id": self.tier, "segment": "" if self.rule else self.segment, card: self.card}
        return rows.filter(**{name: value for name, value in wanted.items() if value})

    def accounts(self, user: Any) -> AccountQuerySet:
        """Accounts of today's owner, tier, segment and scorecard that are not archived, customers or not."""
        rows = self.narrowed(Account.objects.visible_to(user).unarchived(), user, "health__scorecard_key")
        return rows.filter(pk__in=in_segments([self.rule])) if self.rule else rows

    def customers(self, user: Any) -> AccountQuerySet:
        """Those of them who are customers today: the words of the nightly run."""
        lost = Q(churned_on__lte=self.today) | Q(churned_on=None, status=AccountStatus.CHURNED)
        begun = Q(customer_since_on=None) | Q(customer_since_on__lte=self.today)
        return self.accounts(user).filter(begun).exclude(lost)

    def standings(self, user: Any, day: date) -> QuerySet[Standing]:
        """How the accounts that were in scope on a past ``day`` stood then."""
        rows = self.narrowed(Standing.objects.visible_to(user).on(day), user)
        return rows.filter(account__in=members_on(self.rule, day)) if self.rule else rows


def is_whole(user: Any, scope: Scope) -> bool:
    """Whether ``user`` sees the whole portfolio in ``scope``, which is what targets are set for."""
    return not scope.is_filtered and not sees_own_book_only(user)


def sees_own_book_only(user: Any) -> bool:
    """Whether the workspace confines ``user`` to their own book."""
    return user.role == Role.CSM and not user.workspace_settings.csm_reads_all_accounts


# Columns of ``positions``: one row an account.
POSITION = (
    "account_id, owner_id, tier_id, segment, COALESCE(card, '') AS card, currency, arr, renewal_on, "
    "COALESCE(band, '') AS band, COALESCE(colour, 'none') AS rag, score, coverage_pct, "
    "COALESCE(is_stale::int, 0) > 0 AS stale, computed_at::timestamptz AS computed_at"
)
_READ = (
    "account_id, owner_id, tier_id, segment, card, currency, arr, renewal_on, band, colour, score, coverage_pct, "
    "is_stale"
)


class Sql(NamedTuple):
    """A statement and its parameters."""

    text: str
    parameters: tuple[Any, ...]


def positions(user: Any, scope: Scope, day: date) -> Sql:
    """Where each account of the scope stood on ``day``, as SQL with the columns of ``POSITION``.

    Today's is read where it is kept, so that it is never behind; a past day's is as it was recorded.
    """
    if day >= scope.today:
        rows = scope.customers(user).values_list(
            "pk", "owner_id", "tier_id", "segment", "health__scorecard_key", "currency", "arr", "renewal_on",
            "health__current_band", "health__current_rag", "health__score", "health__coverage_pct",
            Func(F("health__states"), Value("s"), function="STRPOS"), "health__computed_at",
        )  # fmt: skip
    else:
        rows = scope.standings(user, day).values_list(
            "account_id", "owner_id", "tier_id", "segment", "scorecard_key", "currency", "arr", "renewal_on", "band",
            "rag", "score", "coverage_pct", "is_stale", Value(None, output_field=DateTimeField()),
        )  # fmt: skip
    text, parameters = rows.order_by().query.sql_with_params()
    return Sql(f"SELECT {POSITION} FROM ({text}) AS p({_READ}, computed_at)", parameters)


def fetch(text: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The rows of a statement as dictionaries. One query."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
