"""Which service levels hold for a ticket, and what they promise about each clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Account, Tier, WorkCalendar
from support.choices import TICKET_SCOPES, Clock, PolicyScope
from support.models import SlaPolicy, SlaPolicyVersion
from support.queries.calendars import Calendars
from support.sla import Promise
from support.sla.clocks import add

ANY = "*"
# A rule's name for each clock: a ticket's response is what an escalation's acknowledgement is.
TICKET_RULES = {Clock.FIRST_RESPONSE: "response", Clock.UPDATE: "update_every", Clock.RESOLUTION: "resolution"}
ESCALATION_RULES = {
    Clock.ACKNOWLEDGE: "response",
    Clock.FIRST_ACTION: "first_action",
    Clock.UPDATE: "update_every",
    Clock.RESOLUTION: "resolution",
}
Promises = dict[str, list[Promise]]


def policies_for(account: Account, channel: str) -> list[SlaPolicy]:
    """The service levels that hold for a new ticket of ``account``: ``fitting`` ones. One query."""
    return fitting(SlaPolicy.objects.in_force(), account.tier, channel)


def fitting(policies: Iterable[SlaPolicy], tier: Tier | None, channel: str) -> list[SlaPolicy]:
    """Of ``policies`` those that hold for a new ticket of ``tier`` by ``channel``.

    The workspace's own come before those of packs, the first that fits alone. Of packs, those of the account's
    tier's pack count, else of the pack that came first; where several fit they hold together (BIS-2.4).
    """
    about_tickets = [policy for policy in policies if policy.scope in TICKET_SCOPES]
    about_tickets.sort(key=lambda policy: (policy.position, policy.created_at, policy.name))
    found = [policy for policy in about_tickets if _fits(policy, tier.key if tier else "", channel)]
    own = [policy for policy in found if not policy.pack]
    if own:
        return own[:1]
    pack = (tier.pack if tier else "") or min(
        about_tickets, key=lambda policy: (policy.created_at, policy.pack), default=SlaPolicy()
    ).pack
    return [policy for policy in found if policy.pack == pack]


def _fits(policy: SlaPolicy, tier: str, channel: str) -> bool:
    if policy.tier_keys and tier not in policy.tier_keys:
        return False
    return policy.scope != PolicyScope.CHANNEL or channel in policy.channels


class Desk:
    """What a piece of work on deadlines needs to know, read once: calendars and newest versions. Five queries."""

    def __init__(self, *, year: int | None = None) -> None:
        self.calendars = Calendars(year=year)
        self.versions: dict[UUID, SlaPolicyVersion] = {}
        # Thousands of tickets are promised the same: worked out once for each policy, severity, zone and tier.
        self._promises: dict[tuple[Any, ...], dict[str, Promise]] = {}
        rows = SlaPolicyVersion.objects.select_related("policy", "calendar").order_by("policy_id", "number")
        for version in rows:
            self.versions[version.policy_id] = version

    def pause_on(self, policies: Iterable[UUID]) -> list[str] | None:
        """The statuses in which a ticket of ``policies`` waits; None where they leave that to the workspace."""
        versions = filter(None, map(self.versions.get, policies))
        return next((version.pause_on for version in versions if version.pause_on is not None), None)

    def put_version(self, version: SlaPolicyVersion) -> None:
        """Judge by ``version``, stored or not, from now on."""
        self.versions[version.policy_id] = version
        self._promises.clear()

    def put_calendar(self, row: WorkCalendar) -> None:
        """Count in ``row``, stored or not, wherever its calendar is meant."""
        self.calendars.put(row)
        for version in self.versions.values():
            if version.calendar_id == row.pk:
                version.calendar = row
        self._promises.clear()

    def promises(
        self,
        policies: Iterable[UUID],
        severity: str,
        *,
        zone: str,
        tier: str = "",
        rules: Mapping[Any, str] = TICKET_RULES,
    ) -> Promises:
        """What ``policies`` promise about each clock for a ``severity``; a clock nobody promised is left out."""
        found: Promises = {}
        for policy in policies:
            version = self.versions.get(policy)
            if version is None:
                continue
            for clock, promise in self.of_version(version, severity, zone=zone, tier=tier, rules=rules).items():
                found.setdefault(clock, []).append(promise)
        return found

    def of_version(
        self, version: SlaPolicyVersion, severity: str, *, zone: str, tier: str = "", rules: Mapping[Any, str]
    ) -> dict[str, Promise]:
        """What one version promises about each clock."""
        asked = (version.pk, severity, zone, tier, rules is TICKET_RULES)
        if asked not in self._promises:
            self._promises[asked] = self._read(version, severity, zone, tier, rules)
        return self._promises[asked]

    def _read(
        self, version: SlaPolicyVersion, severity: str, zone: str, tier: str, rules: Mapping[Any, str]
    ) -> dict[str, Promise]:
        rule = rule_for(version.rules, severity)
        if rule is None or rule.get("statistic"):
            return {}  # an average over many is reported, not promised to anybody
        other = self.calendars.by_key.get(version.tier_calendars.get(tier, ""))
        row = other or version.calendar
        calendar = self.calendars.calendar(row, zone)
        found = {}
        for clock, name in rules.items():
            promise = Promise.read(rule.get(name), calendar, minutes_per_day=row.minutes_per_day, ref=version)
            if promise is not None:
                found[str(clock)] = promise
        return found


def rule_for(rules: Sequence[Mapping[str, Any]], severity: str) -> Mapping[str, Any] | None:
    """The rule of ``severity``, else the one for any."""
    exact = next((rule for rule in rules if rule["severity"] == severity), None)
    return exact or next((rule for rule in rules if rule["severity"] == ANY), None)


@dataclass(frozen=True, slots=True)
class Due:
    """A promise and when it would be due, started at one moment and never paused."""

    promise: Promise
    at: datetime


def shortest(promises: Sequence[Promise], start: datetime) -> Due | None:
    """The promise that is due first (BIS-2.4); of two due at once the stricter, then the one that escalates."""
    dues = [Due(promise, add(promise.calendar, start, promise.target)) for promise in promises]
    return min(dues, key=_urgency, default=None)


def _urgency(due: Due) -> tuple[datetime, bool, bool, str]:
    version = due.promise.ref
    escalates = bool(version and version.escalate_at_pct)
    return due.at, not due.promise.strict, not escalates, version.policy.key if version else ""
