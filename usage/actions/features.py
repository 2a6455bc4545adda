"""The tenant's list of key features: given by the methodology, edited here, or found in the events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypedDict

from django.db import connection, transaction
from django.utils.text import slugify

from accounts import audit
from accounts.errors import RuleViolated
from usage.choices import FeatureOrigin
from usage.fold import FEATURE, NOT_FEATURES
from usage.models import FeatureSlot
from usage.models.rollups import SLOTS

if TYPE_CHECKING:
    from accounts.models import User


class Feature(TypedDict, total=False):
    """A key feature as it is given: ``key``, ``name``, the ``events`` that are its use, ``counted``."""

    key: str
    name: str
    events: list[str]
    counted: bool


def feature_key(name: str) -> str:
    """The key events are matched with: lower case with underscores."""
    return slugify(name).replace("-", "_")[:60]


@transaction.atomic
def define_key_features(
    features: Sequence[Feature],
    *,
    actor: User | None,
    at: dt.datetime,
    origin: str = FeatureOrigin.TENANT,
) -> list[FeatureSlot]:
    """Make ``features`` the key features, at most eight, keeping the column of those that stay.

    Returns the slots in order. The caller refills the columns with ``rebuild_account_days`` when events are
    stored already. A methodology gives the first list only: it replaces neither one that the tenant entered
    nor that of another methodology, and an empty one changes nothing.
    """
    existing = {slot.key: slot for slot in FeatureSlot.objects.select_for_update()}
    kept = any(slot.origin != FeatureOrigin.AUTOMATIC for slot in existing.values())
    if origin != FeatureOrigin.TENANT and (kept or not features):
        return sorted(existing.values(), key=lambda slot: slot.slot)
    wanted = {feature.get("key") or feature_key(feature["name"]): feature for feature in features}
    if len(wanted) > len(SLOTS):
        raise RuleViolated("at_most_eight", f"At most {len(SLOTS)} key features are kept.", "features")
    before = [slot.key for slot in sorted(existing.values(), key=lambda slot: slot.slot)]
    FeatureSlot.objects.filter(key__in=set(existing) - set(wanted)).delete()
    taken = {existing[key].slot for key in wanted if key in existing}
    free = iter([slot for slot in SLOTS if slot not in taken])
    rows = [_row(key, feature, existing.get(key), free, origin, at) for key, feature in wanted.items()]
    if before != [row.key for row in rows]:
        audit.record(
            "usage.features_defined", rows[0] if rows else FeatureSlot(name="key features"), actor=actor, at=at,
            before={"features": before}, after={"features": [row.key for row in rows]},
        )  # fmt: skip
    return sorted(rows, key=lambda slot: slot.slot)


def _row(
    key: str, feature: Feature, old: FeatureSlot | None, free: Iterator[int], origin: str, at: dt.datetime
) -> FeatureSlot:
    row = old or FeatureSlot(key=key, slot=next(free), valid_from_on=at.date())
    row.name = feature.get("name") or key.replace("_", " ").capitalize()
    row.events = sorted({*feature.get("events", []), key})
    row.counted = feature.get("counted", True)
    row.origin = origin
    row.save()
    return row


FOUND = f"""
SELECT feature FROM (SELECT {FEATURE.format("event")} AS feature, account FROM usage_inbox) AS waiting
WHERE feature <> '' AND feature <> ALL(%s) AND length(feature) <= 60
GROUP BY feature ORDER BY count(DISTINCT account) DESC, count(*) DESC, feature LIMIT %s
"""


def discover_features(*, at: dt.datetime) -> list[FeatureSlot]:
    """Give free columns to features seen for the first time in the inbox, widest used first.

    Does nothing once somebody, or the methodology, has given a list. Called by the drain before it folds, so
    a feature's first event is already in its column.
    """
    slots = list(FeatureSlot.objects.all())
    if len(slots) == len(SLOTS) or any(slot.origin != FeatureOrigin.AUTOMATIC for slot in slots):
        return []
    known = {slot.key for slot in slots}
    free = [slot for slot in SLOTS if slot not in {one.slot for one in slots}]
    with connection.cursor() as cursor:
        cursor.execute(FOUND, [[*NOT_FEATURES, *known], len(free)])
        found = [name for (name,) in cursor.fetchall()]
    rows = [
        FeatureSlot(
            slot=slot, key=name, name=name.replace("_", " ").capitalize(), events=[name],
            origin=FeatureOrigin.AUTOMATIC, valid_from_on=at.date(),
        )
        for slot, name in zip(free, found, strict=False)
    ]  # fmt: skip
    return FeatureSlot.objects.bulk_create(rows)
