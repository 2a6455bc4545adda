"""Scores, accounts and addresses for the tests of the accounts list."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import QueryDict

from accounts.models import Account
from health.book.accounts.asked import Asked
from health.choices import VersionState
from health.models import AccountHealth, HealthScore, Scorecard, ScorecardVersion
from tests.health.definitions import CARDS

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
TODAY = NOW.date()
CARD = CARDS["fleet-health"]
MEASURES = sum(len(part["measures"]) for part in CARD["dimensions"])


def asked(text: str = "") -> Asked:
    return Asked.read(QueryDict(text))


def version() -> ScorecardVersion:
    found = ScorecardVersion.objects.filter(scorecard__key=CARD["key"]).select_related("scorecard").first()
    if found is not None:
        return found
    card = Scorecard.objects.create(key=CARD["key"], name=CARD["name"], is_default=True, created_at=NOW)
    return ScorecardVersion.objects.create(
        scorecard=card, number=1, state=VersionState.ACTIVE, definition=CARD, created_at=NOW, activated_at=NOW
    )


def evidence(score, rag) -> dict:
    return {
        "version": version(),
        "scorecard_key": CARD["key"],
        "score": score,
        "shown": score,
        "band": rag,
        "rag": rag,
        "coverage_pct": 100,
        "values": [None] * 20,
        "observed_at": [None] * 20,
        "sources": [None] * 20,
        "states": "-" * 20,
        "levels": [0] * MEASURES,
        "points": [5_000_000] * MEASURES,
        "dimensions": [5_000_000 * len(part["measures"]) for part in CARD["dimensions"]],
        "computed_at": NOW,
    }


def scored(account: Account, score, rag, *, change=None, on=TODAY, **fields) -> AccountHealth:
    """Give the account a current score: the row that the recompute would write, with plain evidence."""
    return AccountHealth.objects.create(
        account=account,
        current_band=rag,
        current_rag=rag,
        change_30d=change,
        band_since_on=on,
        computed_on=on,
        **(evidence(score, rag) | fields),
    )


def past(account: Account, score, rag, on) -> HealthScore:
    """The score that the account had on an earlier day."""
    return HealthScore.objects.create(account=account, computed_on=on, **evidence(score, rag))
