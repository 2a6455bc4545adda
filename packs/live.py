"""Sections at work: a pack's items, with the tenant's values in them, handed to the apps that live by them.

Each app writes its own rows; a section that no app runs yet is stored and readable only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.actions import methodology
from health.actions import install_kpi, install_scorecard, install_trigger
from health.actions.renewals import install_renewal
from health.actions.reviews import install_review
from knowledge.actions import install_categories
from packs.features import FIRST
from packs.fields import with_edits
from packs.metrics import input_metrics
from packs.models import PackInstall, PackItem, TenantEdit
from playbooks.actions import install_playbooks
from support.actions import (
    install_channels,
    install_cycles,
    install_guides,
    install_incident_letters,
    install_incident_stages,
    install_ladder,
    install_policies,
    install_review_cadences,
    install_reviews,
    install_support_levels,
)
from usage.actions import define_key_features, define_metric

if TYPE_CHECKING:
    from accounts.models import User

Definitions = list[dict[str, Any]]
# What a section's rows need to know: which pack, its version, who, when.
Installer = Callable[..., object]


def apply(install: PackInstall, sections: Sequence[str], *, actor: User | None, at: datetime) -> None:
    """Bring the live rows of ``sections`` to the stored items. Two queries, then each section's own few."""
    wanted = set(sections)
    if wanted & {"scorecards", "triggers"}:
        wanted |= {"scorecards", "triggers"}  # both name metrics
    items = list(PackItem.objects.current().filter(install=install, section__in=wanted & set(INSTALLERS)))
    edits = edits_of(items)
    by_section: dict[str, Definitions] = {}
    for item in sorted(items, key=lambda item: item.position):
        data = with_edits(item.data, edits[item.pk])
        by_section.setdefault(item.section, []).append(
            {"key": item.key, "data": data} if item.section in WHOLE else data
        )
    if "scorecards" in by_section:
        _metrics(by_section, install, at)
        define_key_features(FIRST.get(install.key, []), actor=actor, at=at, origin="pack")
    for section in sections:
        if section in by_section:
            INSTALLERS[section](by_section[section], install, at)


def edits_of(items: Iterable[PackItem]) -> dict[UUID, dict[str, Any]]:
    """The tenant's values of each item as {path: value}; an entry for every item. One query."""
    found: dict[UUID, dict[str, Any]] = {item.pk: {} for item in items}
    for edit in TenantEdit.objects.filter(item__in=found):
        found[edit.item_id][edit.path] = edit.value
    return found


def _metrics(by_section: dict[str, Definitions], install: PackInstall, at: datetime) -> None:
    definition = {"scorecards": by_section["scorecards"], "triggers": by_section.get("triggers", [])}
    for metric in input_metrics(definition):
        define_metric(
            metric.key,
            name=metric.name,
            unit=metric.unit,
            kind="choice" if metric.options else "number",
            options=[{"key": option, "name": option.replace("_", " ").capitalize()} for option in metric.options],
            lowest=metric.lowest,
            highest=metric.highest,
            pack=install.key,
            at=at,
        )


def _each(verb: Callable[..., object]) -> Installer:
    """A section whose app takes one definition at a time."""

    def install_all(definitions: Definitions, install: PackInstall, at: datetime) -> None:
        for definition in definitions:
            verb(definition, pack=install.key, version=install.version, at=at)

    return install_all


def _rows(verb: Callable[..., object]) -> Installer:
    """A section of the account record, taken as a set."""

    def install_all(definitions: Definitions, install: PackInstall, at: datetime) -> None:
        verb(definitions, pack=install.key)

    return install_all


def _playbooks(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    install_playbooks(definitions, pack=install.key, version=install.version, at=at)


def _policies(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    install_policies(definitions, pack=install.key, at=at)


def _channels(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    install_channels(definitions, pack=install.key, at=at)


def _ladder(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    parts = {part["key"]: part["data"] for part in definitions}
    install_ladder(parts, pack=install.key)
    install_reviews(parts, pack=install.key, at=at)


def _cycles(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    install_cycles(definitions, pack=install.key, at=at)


def _review(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    install_review({part["key"]: part["data"] for part in definitions}, pack=install.key)


def _renewal(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    install_renewal({part["key"]: part["data"] for part in definitions}, pack=install.key)


def _shelves(definitions: Definitions, install: PackInstall, at: datetime) -> None:
    """The knowledge base's categories; a pack that names none leaves one, since an article stands in one."""
    parts = {part["key"]: part["data"] for part in definitions}
    install_categories(parts.get("categories") or [{"key": "general", "title": "General"}], pack=install.key)


# Sections that are one object: its app takes it whole, part by part under its key.
WHOLE = frozenset({"escalation", "health_review", "knowledge", "renewal"})
INSTALLERS: dict[str, Installer] = {
    "calendars": _rows(methodology.upsert_calendars),
    "severities": _rows(methodology.upsert_severities),
    "support_levels": _rows(install_support_levels),
    "sla_policies": _policies,
    "issue_guides": _rows(install_guides),
    "escalation": _ladder,
    "incident_lifecycle": _rows(install_incident_stages),
    "communications": _rows(install_incident_letters),
    "tiers": _rows(methodology.upsert_tiers),
    "roles": _rows(methodology.upsert_team_roles),
    "lifecycle_stages": _rows(methodology.upsert_stages),
    "channels": _channels,
    "cadences": _rows(install_review_cadences),
    "improvement_cycles": _cycles,
    "scorecards": _each(install_scorecard),
    "triggers": _each(install_trigger),
    "kpis": _each(install_kpi),
    "health_review": _review,
    "renewal": _renewal,
    "playbooks": _playbooks,
    "knowledge": _shelves,
}
