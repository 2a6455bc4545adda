"""Compiled scorecard versions, kept for the life of the process. A version never changes once it is active."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from health.choices import VersionState
from health.conditions import metrics_of
from health.models import ScorecardVersion
from health.scoring import Scorecard, compile_scorecard, inputs_of

_KEPT = 400
# What a definition is compiled under that is no version.
NO_VERSION = UUID(int=0)
_compiled: dict[tuple[str, UUID], CompiledCard] = {}


@dataclass(frozen=True, slots=True, eq=False)
class CompiledCard:
    """A scorecard version ready to score with.

    ``evidence_inputs`` are the metrics a stored score keeps: the card's inputs, then what only red flags read.
    ``kpis`` maps the input of a measure that may be taken from KPIs to their keys (AMB-60).
    """

    version_id: UUID
    number: int
    card: Scorecard
    definition: Mapping[str, Any]
    evidence_inputs: tuple[str, ...]
    max_age_days: tuple[int, ...]
    kpis: Mapping[str, tuple[str, ...]]


def compiled(version: ScorecardVersion) -> CompiledCard:
    """``version`` compiled; from memory unless it is a draft, which may still change."""
    if version.state == VersionState.DRAFT:
        return compile_version(version)
    key = (connection.schema_name, version.pk)
    known = _compiled.get(key)
    if known is None:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        known = _compiled[key] = compile_version(version)
    return known


def compiled_by_id(version_ids: Iterable[UUID]) -> dict[UUID, CompiledCard]:
    """The compiled versions of these keys: from memory, and one query for those that are not there yet."""
    wanted = set(version_ids)
    schema = connection.schema_name
    found = {key: _compiled[schema, key] for key in wanted if (schema, key) in _compiled}
    if missing := wanted - found.keys():
        versions = ScorecardVersion.objects.filter(pk__in=missing).select_related("scorecard")
        found |= {version.pk: compiled(version) for version in versions}
    return found


def compile_version(version: ScorecardVersion) -> CompiledCard:
    """Compile without keeping; the definition has been checked when the version was made."""
    return compile_definition(version.definition, version_id=version.pk, number=version.number)


def compile_definition(
    definition: Mapping[str, Any], *, version_id: UUID = NO_VERSION, number: int = 0
) -> CompiledCard:
    """Compile a checked definition that need not be a version: a shipped one, or a backtest's copy."""
    card = compile_scorecard(definition)
    flag_metrics = sorted(set().union(*(metrics_of(flag["condition"]) for flag in card.red_flags)) - set(card.inputs))
    inputs = (*card.inputs, *flag_metrics)
    ages = _ages(definition, card.max_age_days)
    return CompiledCard(
        version_id=version_id,
        number=number,
        card=card,
        definition=definition,
        evidence_inputs=inputs,
        max_age_days=tuple(ages.get(name, card.max_age_days) for name in inputs),
        kpis=_kpis(definition),
    )


def _ages(definition: Mapping[str, Any], default: int) -> dict[str, int]:
    """How old each input may be: the shortest age any of its measures allows."""
    ages: dict[str, int] = {}
    for part in definition["dimensions"]:
        for measure in part["measures"]:
            limit = measure.get("max_age_days") or default
            for name in inputs_of(measure["scoring"]):
                ages[name] = min(ages.get(name, limit), limit)
    return ages


def _kpis(definition: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        measure["scoring"]["input"]: tuple(part["kpis"])
        for part in definition["dimensions"]
        if part.get("kpis")
        for measure in part["measures"]
        if measure["scoring"]["kind"] == "direct"
    }
