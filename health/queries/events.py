"""When the events that triggers wait for last happened, account by account.

Events come from three places: recorded ones (``health.actions.record_event``), metrics of the event's name
with a value over 0 (so that an integration or an import can raise a flag), and those that follow from what is
known anyway: a band that got worse, a sponsor who left, churn risk (AMB-157).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max

from accounts.choices import StakeholderRole
from accounts.models import Activity, Contact
from health.choices import Rag
from health.conditions import EVENT_WINDOW_DAYS
from health.models import HealthEvent

BAND_WORSENED = "health_band_worsened"
STAKEHOLDER_CHANGED = "stakeholder_changed"
CHURN_RISK = "churn_risk"
CONTRACT_AT_RISK = "contract_at_risk"
DAYS_TO_RENEWAL = "days_to_renewal"
RENEWAL_NEAR_DAYS = 90
KEY_STAKEHOLDERS = (
    StakeholderRole.EXECUTIVE_SPONSOR,
    StakeholderRole.CHAMPION,
    StakeholderRole.DECISION_MAKER,
    StakeholderRole.ECONOMIC_BUYER,
)
_YES = frozenset({"yes", "true"})

Moments = dict[UUID, datetime]


def flag_metrics(events: Iterable[str]) -> set[str]:
    """The metrics to read for these events: their own names, and the renewal date where one needs it."""
    names = set(events)
    return names | ({DAYS_TO_RENEWAL} if CONTRACT_AT_RISK in names else set())


def happened(
    keys: frozenset[str],
    account_ids: list[UUID] | None,
    columns: Mapping[str, Mapping[UUID, Any]],
    current: Iterable[Any],
    *,
    at: datetime,
    on: date,
) -> dict[str, Moments]:
    """Event to account to the last moment it became known, within the window in which an event is new.

    ``current`` rows are health.actions.storing.Current. Two queries at most.
    """
    since = at - timedelta(days=EVENT_WINDOW_DAYS)
    events = _recorded(keys, account_ids, since, at)
    for key in keys:
        _merge(events, key, _flagged(columns.get(key, {}), since, at))
    if BAND_WORSENED in keys:
        _merge(events, BAND_WORSENED, {row.account_id: row.worsened_at for row in current if row.worsened_at})
    if STAKEHOLDER_CHANGED in keys:
        _merge(events, STAKEHOLDER_CHANGED, _stakeholders_left(account_ids, since.date(), on))
    if keys & {CHURN_RISK, CONTRACT_AT_RISK}:
        _add_risks(events, columns, list(current), on)
    return events


def last_happened(keys: frozenset[str], account_ids: list[UUID] | None, *, at: datetime) -> dict[str, Moments]:
    """Event to account to the last time it happened at all, for conditions of absence. Two queries at most.

    A key that names a kind of timeline entry (meeting, call, e-mail) counts those entries too.
    """
    rows = HealthEvent.objects.filter(key__in=keys, at__lte=at)
    entries = Activity.objects.filter(kind__in=keys, at__lte=at)
    if account_ids is not None:
        rows, entries = rows.filter(account__in=account_ids), entries.filter(account__in=account_ids)
    events: dict[str, Moments] = {}
    for key, account, moment in rows.values_list("key", "account").annotate(last=Max("at")):
        events.setdefault(key, {})[account] = moment
    for kind, account, moment in entries.order_by().values_list("kind", "account").annotate(last=Max("at")):
        _merge(events, kind, {account: moment})
    return events


def _recorded(
    keys: frozenset[str], account_ids: list[UUID] | None, since: datetime, at: datetime
) -> dict[str, Moments]:
    rows = HealthEvent.objects.filter(key__in=keys, at__gte=since, recorded_at__lte=at)
    if account_ids is not None:
        rows = rows.filter(account__in=account_ids)
    events: dict[str, Moments] = {}
    for key, account, moment in rows.order_by().values_list("key", "account").annotate(last=Max("recorded_at")):
        events.setdefault(key, {})[account] = moment
    return events


def _flagged(column: Mapping[UUID, Any], since: datetime, at: datetime) -> Moments:
    """Accounts whose metric of the event's name says yes, with the moment of the observation."""
    return {
        account: seen.observed_at
        for account, seen in column.items()
        if since <= seen.observed_at <= at
        and (seen.value > 0 if isinstance(seen.value, Decimal) else str(seen.value).lower() in _YES)
    }


def _stakeholders_left(account_ids: list[UUID] | None, since: date, on: date) -> Moments:
    rows = Contact.objects.filter(stakeholder_role__in=KEY_STAKEHOLDERS, left_on__gte=since, left_on__lte=on)
    if account_ids is not None:
        rows = rows.filter(account__in=account_ids)
    return {
        account: _midnight(left_on)
        for account, left_on in rows.order_by().values_list("account").annotate(last=Max("left_on"))
    }


def _add_risks(
    events: dict[str, Moments], columns: Mapping[str, Mapping[UUID, Any]], current: list[Any], on: date
) -> None:
    """AMB-157: churn risk is red two scores running; a contract is at risk when red or that, 90 days before renewal."""
    red = {row.account_id: row.band_since_on for row in current if row.rag == Rag.RED}
    second = {account: _midnight(since + timedelta(days=1)) for account, since in red.items() if since < on}
    _merge(events, CHURN_RISK, second)
    renewal = columns.get(DAYS_TO_RENEWAL, {})
    doubtful = {account: _midnight(since) for account, since in red.items()}
    doubtful.update(events.get(CHURN_RISK, {}))
    near: Moments = {}
    for account, moment in doubtful.items():
        days = renewal[account].value if account in renewal else None
        if isinstance(days, Decimal) and 0 <= days <= RENEWAL_NEAR_DAYS:
            opened = _midnight(on + timedelta(days=int(days) - RENEWAL_NEAR_DAYS))
            near[account] = max(moment, opened)
    _merge(events, CONTRACT_AT_RISK, near)


def _merge(events: dict[str, Moments], key: str, moments: Moments) -> None:
    known = events.setdefault(key, {})
    for account, moment in moments.items():
        known[account] = max(moment, known.get(account, moment))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
