"""Installing and changing scorecards and KPIs: always a new version, never a changed one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from accounts.actions.changes import mark_changed
from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import Account
from health.choices import VersionState
from health.errors import DefinitionRefused
from health.kpis import metric_names
from health.models import Kpi, Scorecard, ScorecardVersion
from health.validation import scorecard_problems
from usage.actions import define_metric
from usage.models import MetricDefinition

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def install_scorecard(
    definition: Mapping[str, Any], *, pack: str, version: str, at: datetime, actor: User | None = None
) -> ScorecardVersion:
    """Install a pack's scorecard and make it live; the active version afterwards.

    Repeating it changes nothing. A newer pack version becomes a new version of the card, live at once unless
    the tenant has activated one of its own: then it stays a draft for a person to compare. The pack's default
    card becomes the tenant's if there is none yet. Raises DefinitionRefused.
    """
    check(scorecard_problems(definition))
    origin = f"{pack} {version}"
    card, _ = Scorecard.objects.get_or_create(
        key=definition["key"],
        defaults={
            "name": definition["name"],
            "pack": pack,
            "is_default": bool(definition.get("default")) and not Scorecard.objects.filter(is_default=True).exists(),
            "created_at": at,
        },
    )
    active = card.versions.filter(state=VersionState.ACTIVE).first()
    same = card.versions.filter(definition=dict(definition)).order_by("number").last()
    if same is not None:
        return active or same
    made = _new_version(card, definition, origin=origin, note="As the methodology brings it", actor=actor, at=at)
    if active is None or active.origin:
        return activate_version(made, actor=actor, at=at)
    return active


@transaction.atomic
def create_scorecard(definition: Mapping[str, Any], *, actor: User | None, at: datetime) -> ScorecardVersion:
    """A scorecard of the tenant's own, as a draft. Raises DefinitionRefused, or RuleViolated if the key is taken."""
    check(scorecard_problems(definition))
    if Scorecard.objects.filter(key=definition["key"]).exists():
        raise RuleViolated("unique", f"there is a scorecard {definition['key']} already", "key")
    card = Scorecard.objects.create(key=definition["key"], name=definition["name"], created_at=at)
    return _new_version(card, definition, actor=actor, at=at)


@transaction.atomic
def draft_version(
    scorecard: Scorecard, *, definition: Mapping[str, Any], note: str = "", actor: User | None, at: datetime
) -> ScorecardVersion:
    """A new draft of ``scorecard``; the running version is untouched. Raises DefinitionRefused (AMB-139)."""
    Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    check(scorecard_problems(definition))
    if definition["key"] != scorecard.key:
        raise RuleViolated("key", f"the key of scorecard {scorecard.key} cannot change", "key")
    return _new_version(scorecard, definition, note=note, actor=actor, at=at)


@transaction.atomic
def activate_version(version: ScorecardVersion, *, actor: User | None, at: datetime) -> ScorecardVersion:
    """Make a draft the version that scores from now on; the one before is retired and kept.

    Scores already stored keep their version; every account is scored again by the next sweep. Raises
    RuleViolated unless ``version`` is a draft.
    """
    scorecard = Scorecard.objects.select_for_update().get(pk=version.scorecard_id)
    version = ScorecardVersion.objects.select_for_update().get(pk=version.pk)
    if version.state != VersionState.DRAFT:
        raise RuleViolated("state", f"version {version.number} is {version.state}; only a draft can go live", "state")
    before = scorecard.versions.filter(state=VersionState.ACTIVE).first()
    if before is not None:
        before.state, before.retired_at = VersionState.RETIRED, at
        before.save(update_fields=["state", "retired_at"])
    version.state, version.activated_at, version.scheduled_on = VersionState.ACTIVE, at, None
    version.save(update_fields=["state", "activated_at", "scheduled_on"])
    if scorecard.name != version.definition["name"]:
        scorecard.name = version.definition["name"]
        scorecard.save(update_fields=["name"])
    record(
        "scorecard.activate",
        scorecard,
        actor=actor,
        at=at,
        before={"version": before.number} if before else None,
        after={"version": version.number, "note": version.note},
    )
    _score_everybody_again(at)
    return version


def _score_everybody_again(at: datetime) -> None:
    """Mark every account, so that the next sweep scores by the rules of now. Two statements."""
    mark_changed(Account.objects.filter(archived_at=None).values_list("pk", flat=True), at=at)


@transaction.atomic
def use_scorecard(
    scorecard: Scorecard,
    *,
    segments: list[str] | None = None,
    is_default: bool | None = None,
    actor: User | None,
    at: datetime,
) -> Scorecard:
    """Say for whom a scorecard is: everybody (default) or accounts of these segments. None leaves as it is."""
    # Two cards claimed at once would both want to be the default: one lock for the set.
    cards = {card.pk: card for card in Scorecard.objects.select_for_update().order_by("pk")}
    scorecard = cards[scorecard.pk]
    before = {"segments": scorecard.segments, "is_default": scorecard.is_default}
    if is_default is False and scorecard.is_default:
        raise RuleViolated("default", "another scorecard must be made the default instead", "is_default")
    if is_default and not scorecard.is_default:
        Scorecard.objects.filter(is_default=True).update(is_default=False)
        scorecard.is_default = True
    if segments is not None:
        for other in cards.values():
            taken = set(other.segments) & set(segments)
            if other.pk != scorecard.pk and taken:
                raise RuleViolated("unique", f"{other.name} scores segment {min(taken)} already", "segments")
        scorecard.segments = sorted(set(segments))
    scorecard.save(update_fields=["segments", "is_default"])
    after = {"segments": scorecard.segments, "is_default": scorecard.is_default}
    record("scorecard.use", scorecard, actor=actor, at=at, before=before, after=after)
    if before != after:
        _score_everybody_again(at)
    return scorecard


@transaction.atomic
def install_kpi(
    definition: Mapping[str, Any], *, pack: str, version: str, at: datetime, actor: User | None = None
) -> Kpi:
    """Install or bring up to date a pack's KPI. Repeating it changes nothing."""
    target = definition.get("target")
    known = {"key", "name", "category", "op", "target", "unit", "frequency", "owner_role"}
    values = {
        "name": definition["name"],
        "category": definition.get("category", ""),
        "op": definition.get("op") if target is not None else None,
        "target": None if target is None else Decimal(str(target)),
        "unit": definition["unit"],
        "frequency": definition.get("frequency") or "",
        "owner_role": definition.get("owner_role") or "",
        "data": {name: value for name, value in definition.items() if name not in known},
    }
    kpi, created = Kpi.objects.get_or_create(pack=pack, key=definition["key"], defaults=values)
    changes = [name for name, value in values.items() if getattr(kpi, name) != value]
    if not created and changes:
        for name in changes:
            setattr(kpi, name, values[name])
        kpi.save(update_fields=changes)
    if created:
        define(metric_names(kpi.key)[-1], kpi.name, unit=kpi.unit, pack=pack, at=at)
    if created or changes:
        record("kpi.install", kpi, actor=actor, at=at, after={"pack": pack, "version": version})
    return kpi


def check(problems: list[Any]) -> None:
    if problems:
        raise DefinitionRefused(problems)


def _new_version(
    scorecard: Scorecard,
    definition: Mapping[str, Any],
    *,
    origin: str = "",
    note: str = "",
    actor: User | None,
    at: datetime,
) -> ScorecardVersion:
    number = (scorecard.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = ScorecardVersion.objects.create(
        scorecard=scorecard,
        number=number,
        definition=dict(definition),
        origin=origin,
        note=note[:200],
        created_by=actor,
        created_at=at,
    )
    record("scorecard.draft", scorecard, actor=actor, at=at, after={"version": number, "note": version.note})
    return version


def define(
    key: str,
    name: str,
    *,
    unit: str,
    pack: str,
    at: datetime,
    lowest: int | None = None,
    highest: int | None = None,
) -> None:
    """Let readings of ``key`` in, unless it is defined already: a KPI's figures, an event as a flag of 1."""
    if not MetricDefinition.objects.filter(key=key).exists():
        define_metric(key, name=name[:120], unit=unit[:30], pack=pack, at=at, lowest=lowest, highest=highest)
