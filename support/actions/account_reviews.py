"""Reviews of an account's service: as often as a methodology asks, on the day that was agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.audit import plain, record
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import LifecycleStage, Tier
from accounts.queries.workspace import workspace_day
from support.actions.log import one_line
from support.actions.policies import key_of
from support.models import AccountReview, ReviewCadence
from support.models.reviews import UNITS

if TYPE_CHECKING:
    from accounts.models import Account, User

# A day further ahead is a slip of the pen.
MOST_DAYS = 731


@transaction.atomic
def install_review_cadences(definitions: Sequence[Mapping[str, Any]], *, pack: str) -> None:
    """Bring the pack's reviews of customers up to its cadences: those that are held as a meeting.

    One whose condition is no stage (a band of health, a phase) is left to those who read such things.
    """
    kept = [each for each in definitions if each.get("meeting") and each["every"] and each["unit"] in UNITS]
    kept = [each for each in kept if set(each.get("when") or {}) <= {"stage"}]
    for each in kept:
        tier, stage = each["tier"], (each.get("when") or {}).get("stage")
        fields = {
            "name": each["name"],
            "every": each["every"],
            "unit": each["unit"],
            "tier_keys": [] if tier == "*" else [key_of(Tier, tier, pack)],
            "except_tier_keys": [key_of(Tier, key, pack) for key in each.get("except_tiers", ())],
            "stage_key": key_of(LifecycleStage, stage, pack) if stage else "",
        }
        ReviewCadence.objects.update_or_create(pack=pack, key=each["key"], defaults=fields)
    ReviewCadence.objects.filter(pack=pack).exclude(key__in=[each["key"] for each in kept]).delete()


@transaction.atomic
def keep_review(
    account: Account, *, next_on: date | None = None, held_on: date | None = None, outcome: str = "", actor: User,
    at: datetime, expected_version: int | None = None,
) -> AccountReview:  # fmt: skip
    """Note the day agreed for the next review (None: as its cadence has it), and one that was held on ``held_on``.

    What was held stands on the account's timeline. Raises RuleViolated, StaleVersion.
    """
    AccountReview.objects.get_or_create(account=account, defaults={"version": 0})
    row = AccountReview.objects.select_for_update().get(account=account)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    today = workspace_day(at)
    _check_next(next_on, today)
    words = one_line(outcome, "outcome", 500, required=False)
    before = {"next_on": plain(row.next_on), "held_on": plain(row.held_on)}
    if held_on is not None:
        _check_held(held_on, row.held_on, today)
        row.held_on = held_on
        log_activity(
            account, kind=ActivityKind.MEETING, title="Service review held", body=words, actor=actor,
            at=_moment(held_on, today, at), recorded_at=at,
        )  # fmt: skip
        mark_changed([account.pk], at=at)
    row.next_on, row.version = next_on, row.version + 1
    row.save()
    after = {"next_on": plain(row.next_on), "held_on": plain(row.held_on)}
    record("service_review.update", row, actor=actor, at=at, before=before, after=after, account=account)
    return row


def _moment(day: date, today: date, at: datetime) -> datetime:
    """Where it stands on the timeline: now, or noon of a day before."""
    return at if day == today else datetime.combine(day, time(12), tzinfo=at.tzinfo)


def _check_next(next_on: date | None, today: date) -> None:
    if next_on is not None and next_on < today:
        raise RuleViolated("past", "The next review lies ahead: choose today or later.", "next_on")
    if next_on is not None and (next_on - today).days > MOST_DAYS:
        raise RuleViolated("far", "That is more than two years ahead.", "next_on")


def _check_held(held_on: date, last: date | None, today: date) -> None:
    if held_on > today:
        raise RuleViolated("future", "It was held today or before; this lies ahead.", "held_on")
    if last is not None and held_on <= last:
        raise RuleViolated("order", f"One was held on {last:%-d %B %Y} already.", "held_on")
