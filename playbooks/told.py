"""The audit log's entries of a CTA and its tasks, as sentences. No query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from playbooks.choices import CtaKind, Outcome, Priority
from ui import formats, wording

if TYPE_CHECKING:
    from accounts.models import AuditEntry

_PLAIN = {
    "cta.open": "Opened",
    "cta.reopen": "Opened again",
    "cta.wake": "Back from the snooze",
    "task.complete": "Task done",
    "task.reopen": "Task not done after all",
    "task.add": "Task added",
    "task.update": "Task changed",
}
_FIELDS = {"title": "title", "kind": "kind", "priority": "priority", "due_on": "due day", "reason": "reason"}


class Told(NamedTuple):
    """One change: what, the reason or note that was given, when, and by whom (empty: nobody, a rule or the clock)."""

    what: str
    why: str
    at: datetime
    who: str


def told(entry: AuditEntry) -> Told:
    """``entry`` in words."""
    before, after = entry.before or {}, entry.after or {}
    what, why = _words(entry, before, after)
    return Told(what, why, entry.at, str(entry.actor or entry.actor_label) if entry.actor_id else "")


def _words(entry: AuditEntry, before: dict[str, Any], after: dict[str, Any]) -> tuple[str, str]:
    if entry.action == "cta.close":
        return f"Closed: {Outcome(after['outcome']).label}", after.get("close_note") or ""
    if entry.action == "cta.snooze":
        return f"Snoozed until {_day(after['snoozed_until_on'])}", after.get("snooze_reason") or ""
    if entry.action == "cta.reassign":
        hands = f"from {before.get('owner') or 'nobody'} to {after['owner']}" if "owner" in after else "over"
        return f"Handed {hands}", after.get("reason") or ""
    if entry.action == "cta.update":
        return f"Changed: {', '.join(_changes(before, after))}", ""
    if entry.object_type == "task":
        return f"{_PLAIN.get(entry.action, 'Task changed')}: {entry.object_label}", ""
    return _PLAIN.get(entry.action, wording.titled(entry.action.replace(".", "_"))), ""


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name, label in _FIELDS.items():
        new = after.get(name)
        if name not in after or before.get(name) == new:
            continue
        if name == "reason":  # long: that it changed is enough, the page shows what it says now
            yield "reason"
        else:
            yield f"{label} {_value(name, before.get(name))} → {_value(name, new)}"


def _value(name: str, value: Any) -> str:
    if name == "due_on":
        return _day(value)
    labels = {"priority": Priority, "kind": CtaKind}.get(name)
    return str(labels(value).label) if labels and value in labels.values else str(value)


def _day(text: str) -> str:
    return formats.day(date.fromisoformat(text[:10]))
