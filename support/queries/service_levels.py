"""Service levels as their pages show them: in force or not, what they hold for, their versions, who gets which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.models import Severity, Tier
from support.models import DeadlineRun, SlaPolicy, SlaPolicyVersion
from support.models.tickets import ACTIVE_STATUSES
from support.queries.promises import Desk, fitting, rule_for


def policies_shown() -> QuerySet[SlaPolicy]:
    """Every service level that is not retired, its newest version first, with ``open_tickets``. Two queries."""
    newest = Prefetch("versions", SlaPolicyVersion.objects.select_related("calendar").order_by("-number"))
    active = Count("tickets", filter=Q(tickets__status__in=ACTIVE_STATUSES))
    return SlaPolicy.objects.filter(retired_at=None).annotate(open_tickets=active).prefetch_related(newest)


def policy_called(key: str) -> SlaPolicy | None:
    """One of them, with who wrote each version. Two queries."""
    versions = SlaPolicyVersion.objects.select_related("calendar", "created_by").order_by("-number")
    active = Count("tickets", filter=Q(tickets__status__in=ACTIVE_STATUSES))
    rows = SlaPolicy.objects.filter(key=key).annotate(open_tickets=active)
    return rows.prefetch_related(Prefetch("versions", versions)).first()


def grouped(policies: Iterable[SlaPolicy]) -> list[tuple[str, list[SlaPolicy]]]:
    """(pack, its service levels), the workspace's own first under an empty name."""
    found: dict[str, list[SlaPolicy]] = {"": []}
    for policy in policies:
        found.setdefault(policy.pack, []).append(policy)
    return list(found.items())


@dataclass(frozen=True, slots=True)
class Promised:
    """What a new ticket of a tier and a severity is promised, and by which service levels."""

    severity: str
    policies: list[SlaPolicy]
    rules: list[dict[str, Any]]


def matrix(channel: str) -> list[tuple[Tier | None, list[Promised]]]:
    """For every tier (None: accounts without one) what each severity is promised by ``channel``. Eight queries."""
    versions: dict[UUID, SlaPolicyVersion] = Desk().versions
    policies = list(SlaPolicy.objects.in_force())
    severities = [row.key for row in Severity.objects.all()] or [""]
    found: list[tuple[Tier | None, list[Promised]]] = []
    for tier in [*Tier.objects.all(), None]:
        holding = fitting(policies, tier, channel)
        found.append((tier, [_promised(severity, holding, versions) for severity in severities]))
    return found


def _promised(severity: str, holding: list[SlaPolicy], versions: dict[UUID, SlaPolicyVersion]) -> Promised:
    rules = [(policy, rule_for(versions[policy.pk].rules, severity)) for policy in holding if policy.pk in versions]
    given = [(policy, dict(rule)) for policy, rule in rules if rule is not None and not rule.get("statistic")]
    return Promised(severity, [policy for policy, _rule in given], [rule for _policy, rule in given])


def recounts(most: int = 20) -> list[DeadlineRun]:
    """The last times that open deadlines were counted again, newest first. One query."""
    return list(DeadlineRun.objects.all()[:most])
