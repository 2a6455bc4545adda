"""Which metrics may be stated, and with which values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import audit
from accounts.errors import RuleViolated
from ui import wording
from usage.catalogue import STATED
from usage.choices import Aggregation, MetricKind
from usage.models import MetricDefinition

if TYPE_CHECKING:
    from accounts.models import User

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


def _title(key: str) -> str:
    return wording.titled(key)


def _text(bound: Decimal | int | None) -> str | None:
    return None if bound is None else str(bound)


@transaction.atomic
def define_metric(
    key: str,
    *,
    name: str,
    at: dt.datetime,
    actor: User | None = None,
    unit: str = "",
    kind: str = MetricKind.NUMBER,
    options: Sequence[str | Mapping[str, str]] = (),
    lowest: Decimal | int | None = None,
    highest: Decimal | int | None = None,
    aggregation: str = Aggregation.LATEST,
    description: str = "",
    pack: str = "",
) -> MetricDefinition:
    """Define a metric, or change its definition; values already recorded stay. Returns the definition.

    A pack does not change what the tenant defined itself, and adds its options to those of other packs.
    """
    if not KEY.fullmatch(key):
        raise RuleViolated("metric_key", "A key is a–z, 0–9 and underscore, and begins with a letter.", "key")
    given = [dict(one) if isinstance(one, Mapping) else {"key": one, "name": _title(one)} for one in options]
    if (kind == MetricKind.CHOICE) != bool(given):
        raise RuleViolated("options_for_a_choice", "A choice has options, a number has none.", "options")
    if lowest is not None and highest is not None and lowest > highest:
        raise RuleViolated("bounds_in_order", "The lowest value is above the highest.", "lowest")
    existing = MetricDefinition.objects.filter(key=key).first()
    if existing and pack and not existing.pack:
        return existing
    if existing and pack:
        known = {option["key"] for option in existing.options}
        given = [*existing.options, *(option for option in given if option["key"] not in known)]
    row = existing or MetricDefinition(key=key, created_at=at)
    fields = {
        "name": name, "description": description, "unit": unit, "kind": kind, "options": given,
        "lowest": lowest, "highest": highest, "aggregation": aggregation, "pack": pack,
    }  # fmt: skip
    if existing and all(getattr(row, field) == value for field, value in fields.items()):
        return row
    for field, value in fields.items():
        setattr(row, field, value)
    row.save()
    if actor is not None:
        after = {**fields, "lowest": _text(lowest), "highest": _text(highest)}
        audit.record("metric.defined", row, actor=actor, at=at, after=after)
    return row


@transaction.atomic
def define_stated_metrics(*, at: dt.datetime) -> None:
    """Define the daily figures that computed metrics are made of, where they are not defined yet."""
    known = set(MetricDefinition.objects.filter(key__in=STATED).values_list("key", flat=True))
    MetricDefinition.objects.bulk_create(
        [
            MetricDefinition(
                key=key, name=one.name, unit=one.unit, aggregation=one.aggregation, description=one.description,
                lowest=Decimal(0), pack="tenure", created_at=at,
            )
            for key, one in STATED.items()
            if key not in known
        ],
        ignore_conflicts=True,
    )  # fmt: skip
