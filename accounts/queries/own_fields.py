"""Own fields of accounts: which there are, what stands in them, and what stands on accounts without a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count

from accounts.choices import FieldKind
from accounts.models import Account, OwnField
from accounts.own_values import KEY, FieldDefinition, guess_kind
from accounts.queries.own_values import empty, misfit

KEPT_SECONDS = 60
# The number counts shapes: an entry of an older release is not read.
_KEY = "accounts.own_fields.1"
_MOST_SUGGESTED, _SAMPLE = 30, 40
# Every key that no field has, with how many accounts hold it and its most frequent values.
_UNDEFINED = """
SELECT v.key, sum(v.held)::int, array_agg(v.value ORDER BY v.held DESC, v.value) FILTER (WHERE v.place <= %(sample)s)
FROM (
    SELECT e.key, e.value, count(*) AS held, row_number() OVER (PARTITION BY e.key ORDER BY count(*) DESC) AS place
    FROM accounts_account a CROSS JOIN LATERAL jsonb_each_text(a.custom) AS e (key, value)
    WHERE jsonb_typeof(a.custom) = 'object' AND btrim(e.value) <> ''
        AND NOT EXISTS (SELECT FROM accounts_ownfield f WHERE f.key = e.key)
    GROUP BY e.key, e.value
) v GROUP BY v.key ORDER BY 2 DESC, 1 LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A key that stands on ``accounts`` accounts and is no field yet, with the kind its values read as."""

    key: str
    accounts: int
    kind: FieldKind
    options: list[str]
    sample: list[str]


def known_fields() -> dict[str, FieldDefinition]:
    """Every field by its key, archived ones too, in order; at most a minute old. One look-up, else one query."""
    found: dict[str, FieldDefinition] | None = cache.get_or_set(_KEY, OwnField.objects.all().by_key, KEPT_SECONDS)
    return found or {}


def live_fields() -> dict[str, FieldDefinition]:
    """Those of ``known_fields`` that are not archived."""
    return {key: field for key, field in known_fields().items() if not field.is_archived}


def forget_fields() -> None:
    """Read the fields again: one of them was just changed."""
    cache.delete(_KEY)


def held_by(fields: list[FieldDefinition]) -> list[tuple[int, int]]:
    """(accounts that hold something, those among them where it does not fit) of each field. One query."""
    if not fields:
        return []
    wanted: dict[str, Any] = {}
    for place, field in enumerate(fields):
        wanted[f"held_{place}"] = Count("pk", filter=~empty(field))
        wanted[f"misfits_{place}"] = Count("pk", filter=misfit(field))
    found = Account.objects.aggregate(**wanted)
    return [(found[f"held_{place}"], found[f"misfits_{place}"]) for place in range(len(fields))]


def undefined() -> list[Suggestion]:
    """Keys on accounts that are no field, those of most accounts first, thirty at most. One query over all accounts."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDEFINED, {"sample": _SAMPLE, "most": _MOST_SUGGESTED})
        rows = cursor.fetchall()
    found = []
    for key, accounts, values in rows:
        if not KEY.fullmatch(key):
            continue
        kind, options = guess_kind(values)
        found.append(Suggestion(key, accounts, kind, options, values[:3]))
    return found
