"""Who came, who left and whose part changed at the customer, and who of ours works it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from accounts.choices import Influence, Sentiment, StakeholderRole
from accounts.history import Record, moment_after
from accounts.models import Account
from health.book.between.record import Noted

WORDS = {
    "stakeholder_role": ("role", StakeholderRole),
    "influence": ("influence", Influence),
    "sentiment": ("sentiment", Sentiment),
}


def people_between(account: Account, record: Record, since: date, until: date) -> list[Noted]:
    """Contacts added or gone, roles and sentiments changed, the owner and the team; oldest first. One query."""
    begin, end = moment_after(since), moment_after(until)
    found = []
    for contact in account.contacts.order_by("name", "pk"):
        role = StakeholderRole(contact.stakeholder_role).label
        if begin <= contact.created_at < end:
            found.append(Noted(_day(contact.created_at), f"{contact.name} was added", role))
        if contact.left_on is not None and since < contact.left_on <= until:
            found.append(Noted(contact.left_on, f"{contact.name} left", role))
    return sorted([*found, *_recast(record, until), *_ours(record, until)])


def _recast(record: Record, until: date) -> list[Noted]:
    """Contacts whose role, influence or sentiment was changed."""
    found = []
    for entry in record.of("contact.updated", until=until):
        before, after = entry["before"] or {}, entry["after"] or {}
        for name, (word, choices) in WORDS.items():
            if name in before and name in after:
                detail = f"{choices(before[name]).label} → {choices(after[name]).label}"
                what = f"The {word} of {entry['object_label']} changed"
                found.append(Noted(_day(entry["at"]), what, detail, entry["actor_label"]))
    return found


def _ours(record: Record, until: date) -> list[Noted]:
    """A new owner, and colleagues who joined or left the team."""
    words = {"account.team_joined": "A colleague joined the team", "account.team_left": "A colleague left the team"}
    found = [
        Noted(_day(entry["at"]), "The owner changed", "", entry["actor_label"])
        for entry in record.of("account.updated", until=until)
        if "owner" in (entry["after"] or {})
    ]
    for entry in record.of(*words, until=until):
        facts: dict[str, Any] = entry["after"] or entry["before"] or {}
        detail = ", ".join(str(facts[name]) for name in ("user", "role") if name in facts)
        found.append(Noted(_day(entry["at"]), words[entry["action"]], detail, entry["actor_label"]))
    return found


def _day(moment: Any) -> date:
    return timezone.localtime(moment).date()
