"""Entries of the audit log in the words that are sent."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import AuditEntry
from accounts.own_values import PREFIX
from webhooks.catalogue import EventType

# (resource, keys) -> {key: the resource as the API shows it, plain}, from the layer above that knows the shapes.
Shapes = Callable[[str, Collection[str]], Mapping[str, Mapping[str, Any]]]
# A test looks for its event among so many entries, the newest first: the log has no index of actions.
LOOKED_THROUGH = 1_000_000


def log_end() -> int:
    """The key of the newest entry of the audit log. One query."""
    return AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def last_entry(known: EventType) -> AuditEntry | None:
    """The newest entry that tells of this type; None where none of the newest million does. Two queries."""
    rows = AuditEntry.objects.filter(pk__gt=log_end() - LOOKED_THROUGH, action__in=known.actions)
    for name, values in known.when.items():
        rows = rows.filter(**{f"after__{name}__in": list(values)})
    return rows.order_by("-pk").first()


def written(told: Sequence[tuple[EventType, AuditEntry]]) -> Iterator[tuple[EventType, str]]:
    """(type, body) for each pair, in order. A few queries for each kind of resource, however many pairs."""
    shapes = _shapes(told)
    for known, entry in told:
        yield known, _body(known, entry, shapes[known.resource].get(_key(known, entry)))


def _key(known: EventType, entry: AuditEntry) -> str:
    """The key of the resource: the entry's object, or its account where something else tells of the account."""
    if known.resource == "account" and entry.object_type != "account":
        return str(entry.account_id)
    return entry.object_id


def _shapes(told: Iterable[tuple[EventType, AuditEntry]]) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    keys: dict[str, set[str]] = defaultdict(set)
    for known, entry in told:
        keys[known.resource].add(_key(known, entry))
    read: Shapes = import_string(settings.WEBHOOK_SHAPES)
    return {resource: read(resource, wanted) for resource, wanted in keys.items()}


def _changed(entry: AuditEntry, shape: Mapping[str, Any] | None) -> list[str]:
    """The fields shown that changed; an own field of an account is a part of ``custom``."""
    names = set(entry.before or {}) & set(entry.after or {})
    return sorted({"custom" if name.startswith(PREFIX) else name for name in names} & set(shape or {}))


def _body(known: EventType, entry: AuditEntry, shape: Mapping[str, Any] | None) -> str:
    """The payload: the resource as it is now, and which of the fields that it shows had changed.

    SECURITY: of the audit entry only the names of fields go out, and only of fields that the API shows: an entry
    may hold what was written for colleagues.
    """
    data: dict[str, Any] = {
        "id": _key(known, entry),
        "account_id": str(entry.account_id) if entry.account_id else None,
        "changed": _changed(entry, shape),
        "via": entry.via,
        known.resource: shape,
    }
    if known.tells_facts:
        data |= {"changed": [], "before": entry.before or {}, "after": entry.after or {}}
    payload = {"type": known.name, "timestamp": entry.at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
