"""The life of a scorecard version: draft, changed, scheduled, live, rolled back to, or discarded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.queries.workspace import workspace_day
from health.actions.definitions import activate_version, draft_version
from health.choices import VersionState
from health.errors import DefinitionRefused
from health.models import Scorecard, ScorecardVersion
from health.scoring import LEAST_COVERAGE_PCT
from health.validation import scorecard_problems

if TYPE_CHECKING:
    from accounts.models import User

FARTHEST_DAYS = 366


@transaction.atomic
def change_draft(
    version: ScorecardVersion,
    *,
    definition: Mapping[str, Any],
    note: str = "",
    seen: Mapping[str, Any] | None = None,
    actor: User | None,
    at: datetime,
) -> ScorecardVersion:
    """Give a draft another definition. Raises DefinitionRefused, or RuleViolated if it is no draft any more.

    ``seen`` is the definition the change began with; somebody else's change in between is not overwritten.
    """
    version = _draft(version)
    problems = scorecard_problems(definition)
    if problems:
        raise DefinitionRefused(problems)
    if definition["key"] != version.scorecard.key:
        raise RuleViolated("key", f"the key of scorecard {version.scorecard.key} cannot change", "key")
    if seen is not None and seen != version.definition:
        raise RuleViolated("stale", "Somebody changed this draft in the meantime. Load it again to see their change.")
    version.definition, version.note = dict(definition), note[:200]
    version.save(update_fields=["definition", "note"])
    after = {"version": version.number, "note": version.note}
    record("scorecard.change_draft", version.scorecard, actor=actor, at=at, after=after)
    return version


def draft_with_least_coverage(
    version: ScorecardVersion, least_pct: int, *, actor: User | None, at: datetime
) -> ScorecardVersion:
    """Draft ``version``'s rules with another least coverage, in per cent (AMB-03 has 50). Returns the draft.

    Raises RuleViolated for a version that does so already, DefinitionRefused outside 1 to 100.
    """
    definition = {**version.definition, "min_coverage_pct": least_pct}
    if least_pct == (version.definition.get("min_coverage_pct") or LEAST_COVERAGE_PCT):
        raise RuleViolated("same", f"This version scores from {least_pct} % measured already.", "least_pct")
    note = f"Scores from {least_pct} % measured"
    return draft_version(version.scorecard, definition=definition, note=note, actor=actor, at=at)


@transaction.atomic
def discard_draft(version: ScorecardVersion, *, actor: User | None, at: datetime) -> None:
    """Delete a draft with its backtests. Raises RuleViolated if it was ever live, or is the card's only version."""
    version = _draft(version)
    if version.scorecard.versions.count() == 1:
        raise RuleViolated("only", "This is the only version of the scorecard; change it instead.")
    number, scorecard = version.number, version.scorecard
    version.delete()
    record("scorecard.discard_draft", scorecard, actor=actor, at=at, before={"version": number})


@transaction.atomic
def schedule_version(version: ScorecardVersion, *, on: date, actor: User | None, at: datetime) -> ScorecardVersion:
    """Let a draft go live on a day to come, before that day's full run. Raises RuleViolated naming the rule.

    Another draft of the card that was scheduled no longer is.
    """
    version = _draft(version)
    today = workspace_day(at)
    if on <= today:
        raise RuleViolated("future", "Choose a day after today, or activate it now.", "on")
    if (on - today).days > FARTHEST_DAYS:
        raise RuleViolated("range", "At most a year ahead.", "on")
    version.scorecard.versions.exclude(pk=version.pk).filter(scheduled_on__isnull=False).update(
        scheduled_on=None, scheduled_by=None
    )
    version.scheduled_on, version.scheduled_by = on, actor
    version.save(update_fields=["scheduled_on", "scheduled_by"])
    after = {"version": version.number, "on": on}
    record("scorecard.schedule", version.scorecard, actor=actor, at=at, after=after)
    return version


@transaction.atomic
def unschedule_version(version: ScorecardVersion, *, actor: User | None, at: datetime) -> ScorecardVersion:
    """Take a scheduled activation back; the draft stays. Nothing happens if none was planned."""
    version = _draft(version)
    if version.scheduled_on is None:
        return version
    before = {"version": version.number, "on": version.scheduled_on}
    version.scheduled_on = version.scheduled_by = None
    version.save(update_fields=["scheduled_on", "scheduled_by"])
    record("scorecard.unschedule", version.scorecard, actor=actor, at=at, before=before)
    return version


def activate_due(*, at: datetime) -> list[ScorecardVersion]:
    """Activate the drafts whose day has come, on behalf of whoever scheduled them; those that went live."""
    due = ScorecardVersion.objects.filter(state=VersionState.DRAFT, scheduled_on__lte=workspace_day(at))
    return [
        activate_version(version, actor=version.scheduled_by, at=at)
        for version in due.select_related("scheduled_by").order_by("scheduled_on", "pk")
    ]


@transaction.atomic
def roll_back(version: ScorecardVersion, *, actor: User | None, at: datetime) -> ScorecardVersion:
    """Score by an earlier version's rules again: a new version with its definition, live at once.

    History stays as it was. Raises RuleViolated unless ``version`` was live before and is not now.
    """
    scorecard = Scorecard.objects.select_for_update().get(pk=version.scorecard_id)
    version = scorecard.versions.get(pk=version.pk)
    if version.state != VersionState.RETIRED:
        raise RuleViolated("state", f"version {version.number} is {version.state}; only a retired one can come back")
    again = draft_version(
        scorecard, definition=version.definition, note=f"Back to version {version.number}", actor=actor, at=at
    )
    return activate_version(again, actor=actor, at=at)


def _draft(version: ScorecardVersion) -> ScorecardVersion:
    """The draft, locked after its card as everywhere. Raises RuleViolated unless it still is a draft."""
    Scorecard.objects.select_for_update().get(pk=version.scorecard_id)
    found = ScorecardVersion.objects.select_for_update(of=("self",)).select_related("scorecard").get(pk=version.pk)
    if found.state != VersionState.DRAFT:
        raise RuleViolated("state", f"version {found.number} is {found.state} and never changes", "state")
    return found
