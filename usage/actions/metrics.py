"""Metric values: checked, stored with history, parked for unknown accounts.

A later value for the same account, metric and day replaces the earlier one; both stay in ``MetricValue``.
Five statements whatever the number of values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from django.db import connection, transaction

from accounts import audit
from accounts.actions.changes import mark_changed
from accounts.errors import RuleViolated
from accounts.models import Account
from tenants.guard import new_id
from usage import intake
from usage.actions.definitions import define_stated_metrics
from usage.actions.events import KEPT_ERRORS, Received
from usage.actions.parking import PAIRS
from usage.choices import MetricKind, ReceiptKind
from usage.fold import RESOLVED
from usage.models import IngestReceipt, MetricDefinition, ParkedObservation

if TYPE_CHECKING:
    from accounts.models import User

BY_HAND = "entered"
EARLIEST = dt.date(2000, 1, 1)
LARGEST = Decimal(10) ** 14
Key = tuple[UUID, str, dt.date]


@dataclass(frozen=True, slots=True)
class Value:
    """A checked value on its way in: ``index`` is its place in the batch."""

    index: int
    key: Key
    number: Decimal | None
    choice: str

    @property
    def content(self) -> tuple[Decimal | None, str]:
        return self.number, self.choice


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of values: places accepted, unchanged, parked, and refused with the reason."""

    accepted: list[int]
    duplicates: list[int]
    parked: list[int]
    rejected: list[intake.Rejection]


def receive_metrics(
    batch: intake.Batch[intake.Observation],
    *,
    at: dt.datetime,
    actor: User | None = None,
    only_accounts: Callable[[list[UUID]], set[UUID]] | None = None,
) -> Received:
    """Store a batch of metric values and answer with its receipt, which is done at once.

    ``only_accounts`` narrows resolved accounts to those the sender may change; the others, and unknown ones,
    are then refused alike. Without it unknown accounts are parked.
    """
    with transaction.atomic():
        receipt = IngestReceipt(kind=ReceiptKind.METRICS, source=batch.source, received=batch.received, created_at=at)
        done = _record(batch, at=at, actor=actor, receipt=receipt.pk, only_accounts=only_accounts)
        receipt.accepted, receipt.duplicates = len(done.accepted), len(done.duplicates)
        receipt.parked, receipt.rejected = len(done.parked), len(done.rejected)
        receipt.errors = [msgspec.to_builtins(one) for one in done.rejected[:KEPT_ERRORS]]
        receipt.done_at = at
        receipt.save(force_insert=True)
    return Received(receipt, done.rejected)


@transaction.atomic
def record_observations(
    rows: Iterable[dict[str, Any]], *, source: str, at: dt.datetime, actor: User | None = None
) -> Recorded:
    """Store values given as rows of ``account``, ``metric``, ``on`` and ``value``, for imports and pages.

    Values may be text. An unknown account is refused, not parked; the answer names each row's place.
    """
    batch = intake.read_rows(rows, "metrics", source=source)
    # Every account may be changed here; one that does not exist is refused.
    return _record(batch, at=at, actor=actor, receipt=None, only_accounts=set)


@transaction.atomic
def state_metric(
    account: Account, definition: MetricDefinition, *, on: dt.date, value: Decimal | str, actor: User, at: dt.datetime
) -> bool:
    """Record a value that a person enters; audited. False when it was the current value already.

    Raises RuleViolated when the value is none the metric takes.
    """
    row = {"account": str(account.pk), "metric": definition.key, "on": on, "value": str(value)}
    done = record_observations([row], source=BY_HAND, at=at, actor=actor)
    if done.rejected:
        refused = done.rejected[0]
        raise RuleViolated(refused.code, refused.detail, refused.field)
    if done.accepted:
        after = {"metric": definition.key, "on": on, "value": str(value)}
        audit.record("metric.stated", definition, actor=actor, at=at, after=after, account=account)
    return bool(done.accepted)


def _record(
    batch: intake.Batch[intake.Observation],
    *,
    at: dt.datetime,
    actor: User | None,
    receipt: UUID | None,
    only_accounts: Callable[[list[UUID]], set[UUID]] | None,
) -> Recorded:
    rejected = list(batch.rejected)
    accounts = _resolve({item.account for item in batch.items}, batch.source)
    if only_accounts is not None:
        allowed = only_accounts(sorted({pk for pk in accounts.values() if pk}))
        accounts = {name: pk for name, pk in accounts.items() if pk in allowed}
    definitions = _definitions({item.metric for item in batch.items}, at=at)
    values: list[Value] = []
    parked: list[tuple[int, intake.Observation]] = []
    for index, item in zip(batch.places, batch.items, strict=True):
        read = read_value(item, definitions.get(item.metric), today=at.date())
        if isinstance(read, intake.Rejection):
            rejected.append(msgspec.structs.replace(read, index=index))
        elif (pk := accounts.get(item.account)) is not None:
            values.append(Value(index, (pk, item.metric, item.on), *read))
        elif only_accounts is None:
            parked.append((index, item))
        else:
            rejected.append(intake.Rejection(index, "unknown_account", "account: no such account", "account"))
    accepted, duplicates = _write(values, source=batch.source, at=at, actor=actor)
    if parked and receipt is not None:
        _park(parked, source=batch.source, receipt=receipt, at=at)
    rejected.sort(key=lambda one: one.index)
    return Recorded(accepted, duplicates, [index for index, _ in parked], rejected)


def read_value(
    item: intake.Observation, definition: MetricDefinition | None, *, today: dt.date
) -> tuple[Decimal | None, str] | intake.Rejection:
    """The value as (number, choice), or why it is refused (AMB-123)."""
    if definition is None:
        return intake.Rejection(0, "unknown_metric", f"metric: {item.metric} is not defined", "metric")
    if item.on > today + dt.timedelta(days=1):
        return intake.Rejection(0, "in_future", "on: the day lies in the future", "on")
    if item.on < EARLIEST:
        return intake.Rejection(0, "too_old", f"on: days before {EARLIEST} are refused", "on")
    if definition.kind == MetricKind.CHOICE:
        return _read_choice(item, definition)
    return _read_number(item, definition)


def _read_choice(
    item: intake.Observation, definition: MetricDefinition
) -> tuple[Decimal | None, str] | intake.Rejection:
    options = definition.option_keys()
    if item.value not in options:
        return intake.Rejection(0, "unknown_option", f"value: one of {', '.join(options)}", "value")
    return None, str(item.value)


def _read_number(
    item: intake.Observation, definition: MetricDefinition
) -> tuple[Decimal | None, str] | intake.Rejection:
    try:
        number = Decimal(str(item.value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= LARGEST:
        return intake.Rejection(0, "not_a_number", f"value: {item.metric} takes a number", "value")
    if definition.lowest is not None and number < definition.lowest:
        return intake.Rejection(0, "out_of_bounds", f"value: at least {definition.lowest.normalize():f}", "value")
    if definition.highest is not None and number > definition.highest:
        return intake.Rejection(0, "out_of_bounds", f"value: at most {definition.highest.normalize():f}", "value")
    return number.quantize(Decimal("0.000001")), ""


def _definitions(keys: set[str], *, at: dt.datetime) -> dict[str, MetricDefinition]:
    found = {row.key: row for row in MetricDefinition.objects.filter(key__in=keys)}
    if keys - set(found):
        define_stated_metrics(at=at)
        found = {row.key: row for row in MetricDefinition.objects.filter(key__in=keys)}
    return found


def _resolve(names: set[str], source: str) -> dict[str, UUID | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH refs AS (SELECT %s::text AS source, account FROM unnest(%s::text[]) AS account), {RESOLVED}"
            " SELECT account, account_id FROM resolved",
            [source, sorted(names)],
        )
        return dict(cursor.fetchall())


def _write(values: Sequence[Value], *, source: str, at: dt.datetime, actor: User | None) -> tuple[list[int], list[int]]:
    if not values:
        return [], []
    lock_values()
    current = _current([value.key for value in values])
    seen = dict(current)
    accepted, duplicates = [], []
    rows: dict[Key, list[Value]] = {}
    for value in values:
        if seen.get(value.key) == value.content:
            duplicates.append(value.index)
            continue
        seen[value.key] = value.content
        rows.setdefault(value.key, []).append(value)
        accepted.append(value.index)
    if rows:
        _supersede([key for key in rows if key in current], at=at)
        _insert(rows, source=source, at=at, actor=actor)
        mark_changed(sorted({key[0] for key in rows}), at=at)
    return accepted, duplicates


def lock_values() -> None:
    """One writer of metric values a tenant at a time, so that "the later one" is well defined."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ':usage.metrics', 0))")


_KEYS = "unnest(%s::uuid[], %s::text[], %s::date[]) AS k(account_id, metric, day)"


def _arrays(keys: Iterable[Key]) -> list[list[Any]]:
    listed = list(keys)
    return [[key[0] for key in listed], [key[1] for key in listed], [key[2] for key in listed]]


def _current(keys: Sequence[Key]) -> dict[Key, tuple[Decimal | None, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT v.account_id, v.metric, v."on", v.number, v.choice FROM usage_metricvalue v'
            f' JOIN {_KEYS} ON v.account_id = k.account_id AND v.metric = k.metric AND v."on" = k.day'
            " WHERE v.superseded_at IS NULL",
            _arrays(dict.fromkeys(keys)),
        )
        return {(account, metric, on): (number, choice) for account, metric, on, number, choice in cursor.fetchall()}


def _supersede(keys: Sequence[Key], *, at: dt.datetime) -> None:
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE usage_metricvalue v SET superseded_at = %s FROM {_KEYS}"
            ' WHERE v.account_id = k.account_id AND v.metric = k.metric AND v."on" = k.day'
            " AND v.superseded_at IS NULL",
            [at, *_arrays(keys)],
        )


def _insert(rows: dict[Key, list[Value]], *, source: str, at: dt.datetime, actor: User | None) -> None:
    by = actor.pk if actor else None
    with connection.cursor() as cursor:
        with cursor.copy(
            'COPY usage_metricvalue (id, account_id, metric, "on", number, choice, source, recorded_by_id,'
            " recorded_at, superseded_at) FROM STDIN"
        ) as copy:
            for key, values in rows.items():
                for value in values:
                    replaced = None if value is values[-1] else at
                    copy.write_row((new_id(), *key, value.number, value.choice, source, by, at, replaced))
        last = [values[-1] for values in rows.values()]
        cursor.execute(
            'INSERT INTO usage_metriclatest (account_id, metric, "on", number, choice, source, recorded_at)'
            " SELECT DISTINCT ON (account_id, metric) account_id, metric, day, number, choice, %s, %s"
            " FROM unnest(%s::uuid[], %s::text[], %s::date[], %s::numeric[], %s::text[])"
            " AS k(account_id, metric, day, number, choice)"
            " ORDER BY account_id, metric, day DESC"
            ' ON CONFLICT (account_id, metric) DO UPDATE SET "on" = excluded."on", number = excluded.number,'
            " choice = excluded.choice, source = excluded.source, recorded_at = excluded.recorded_at"
            ' WHERE excluded."on" >= usage_metriclatest."on"',
            [source, at, *_arrays(rows), [value.number for value in last], [value.choice for value in last]],
        )


def _park(parked: Sequence[tuple[int, intake.Observation]], *, source: str, receipt: UUID, at: dt.datetime) -> None:
    ParkedObservation.objects.bulk_create(
        ParkedObservation(
            receipt_id=receipt, source=source, account=item.account, metric=item.metric, on=item.on,
            value=str(item.value), recorded_at=at,
        )
        for _, item in parked
    )  # fmt: skip


@transaction.atomic
def replay_parked_observations(*, at: dt.datetime) -> int:
    """Record parked values whose account is known by now, in the order they came; return how many."""
    if not ParkedObservation.objects.exists():
        return 0
    lock_values()
    with connection.cursor() as cursor:
        cursor.execute(
            f"{PAIRS.format(table='usage_parkedobservation')}, refs AS (SELECT source, account FROM pairs), {RESOLVED}"
            " DELETE FROM usage_parkedobservation p USING resolved r"
            " WHERE r.account_id IS NOT NULL AND p.source = r.source AND p.account = r.account"
            ' RETURNING p.id, p.receipt_id, p.source, p.account, p.metric, p."on", p.value'
        )
        rows = sorted(cursor.fetchall())
    for source in sorted({row[2] for row in rows}):
        of_source = [row for row in rows if row[2] == source]
        done = record_observations(
            [{"account": row[3], "metric": row[4], "on": row[5], "value": row[6]} for row in of_source],
            source=source, at=at,
        )  # fmt: skip
        _settle([row[1] for row in of_source], done)
    return len(rows)


def _settle(receipts: Sequence[UUID], done: Recorded) -> None:
    counts: dict[UUID, list[int]] = {}
    for place, column in (
        *((index, 0) for index in done.accepted),
        *((index, 1) for index in done.duplicates),
        *((refused.index, 2) for refused in done.rejected),
    ):
        counts.setdefault(receipts[place], [0, 0, 0])[column] += 1
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE usage_ingestreceipt SET accepted = accepted + %s, duplicates = duplicates + %s,"
            " rejected = rejected + %s, parked = parked - %s WHERE id = %s",
            [(a, d, r, a + d + r, receipt) for receipt, (a, d, r) in counts.items()],
        )
