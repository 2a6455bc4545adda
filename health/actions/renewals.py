"""Calls on renewals and decisions between two signals; the checkpoints of a workspace and of its packs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.choices import LEADER_ROLES, Role
from accounts.errors import RuleViolated
from accounts.models import User
from accounts.queries.workspace import workspace_day
from engagement.actions import notify
from engagement.choices import Kind
from health.choices import RenewalCall, RenewalSide, RenewalSignal, RenewalState
from health.models import RenewalPlan, RenewalReview
from health.queries.renewals import checkpoints_in_use
from health.renewals import DECIDE_DAYS, LONGEST, MOST_CHECKPOINTS, may_monitor
from playbooks.actions import NotOpen, close_cta, open_cta
from playbooks.choices import CtaKind, Outcome, Priority
from playbooks.queries import unclosed_cta

LONGEST_REASON = 500
_FIRST_ASKED = (Role.VP_CS, Role.OWNER, Role.ADMIN)
MONITOR_ENDED = f"From {DECIDE_DAYS} days before the renewal on, say how it will end: Monitor is refused."


def install_renewal(parts: Mapping[str, Any], *, pack: str) -> None:
    """Keep at which days before a renewal a pack's timeline begins a phase (its section renewal); none: no plan."""
    begun = {int(phase["from_days"]) for phase in parts.get("phases") or () if (phase.get("from_days") or 0) > 0}
    if not begun:
        RenewalPlan.objects.filter(pack=pack).delete()
        return
    values = {"checkpoints": sorted(begun, reverse=True)}
    RenewalPlan.objects.update_or_create(pack=pack, defaults=values)


@transaction.atomic
def set_checkpoints(days: Collection[int], *, actor: User, at: datetime) -> tuple[int, ...]:
    """Take the signals at these days before a renewal; none: at those of the packs. Returns what holds now.

    What was recorded stays. Raises RuleViolated for more than six and for a day under 1 or over 730.
    """
    wanted = sorted(set(days), reverse=True)
    if len(wanted) > MOST_CHECKPOINTS:
        raise RuleViolated("too_many", f"At most {MOST_CHECKPOINTS} checkpoints.", "days")
    if any(not 1 <= day <= LONGEST for day in wanted):
        raise RuleViolated("range", f"Days are from 1 to {LONGEST}.", "days")
    before = checkpoints_in_use()
    plan, _made = RenewalPlan.objects.update_or_create(pack="", defaults={"checkpoints": wanted})
    after = checkpoints_in_use()
    record("renewal.checkpoints", plan, actor=actor, at=at, before={"days": before}, after={"days": after})
    return after


@transaction.atomic
def give_call(review: RenewalReview, *, call: str, reason: str, actor: User, at: datetime) -> RenewalReview:
    """Note what ``actor`` says of the renewal, instead of what was said before. Returns the review.

    A call that disagrees with the system's signal opens a CTA for a leader and tells them; one that agrees after all
    closes it. Raises RuleViolated naming the field: an unknown call, no reason, Monitor from 90 days before the
    renewal on; and for a term that is over, an earlier checkpoint, and what a leader has decided.
    """
    review = _locked(review, at)
    today = workspace_day(at)
    days_left = (review.ends_on - today).days
    if call not in RenewalCall.values:
        raise RuleViolated("choice", f"One of {', '.join(RenewalCall.values)}.", "call")
    if call == RenewalCall.MONITOR and not may_monitor(days_left):
        raise RuleViolated("renewal.monitor_ended", MONITOR_ENDED, "call")
    reason = _sentence(reason)
    before = review.told()
    if not review.is_open_to_all(today):
        review.first_call = call
    review.call, review.call_reason, review.days_left = call, reason, days_left
    review.called_at, review.called_by = at, actor
    review.save(update_fields=["first_call", "call", "call_reason", "days_left", "called_at", "called_by"])
    review.refresh_from_db(fields=["state"])
    if review.state == RenewalState.DISAGREED:
        _bring_to_leader(review, at)
    elif review.cta_id is not None:
        withdraw_cta(review, note="Both signals agree now.", actor=actor, at=at)
    record("renewal.called", review, actor=actor, at=at, before=before, after=review.told(), account=review.account_id)
    return review


@transaction.atomic
def decide_renewal(review: RenewalReview, *, side: str, reason: str, actor: User, at: datetime) -> RenewalReview:
    """Settle a disagreement: go by the system's signal or by the call, never by something between. Returns the review.

    Its CTA is closed. Raises RuleViolated where the two do not disagree, for an unknown side, without a reason, and
    for whoever made the call while another leader is there.
    """
    review = _locked(review, at)
    if review.state != RenewalState.DISAGREED:
        raise RuleViolated("renewal.no_disagreement", "The two signals do not disagree; there is nothing to decide.")
    if actor.pk == review.called_by_id and _judges(review):
        raise RuleViolated("renewal.own_call", "The call is yours: another leader decides.")
    if side not in RenewalSide.values:
        raise RuleViolated("choice", f"One of {', '.join(RenewalSide.values)}.", "side")
    reason = _sentence(reason)
    before = review.told()
    review.side, review.side_reason, review.decided_at, review.decided_by = side, reason, at, actor
    review.save(update_fields=["side", "side_reason", "decided_at", "decided_by"])
    review.refresh_from_db(fields=["state"])
    note = f"{RenewalSide(side).label} counts: {reason}"
    withdraw_cta(review, outcome=Outcome.RESOLVED, note=note, actor=actor, at=at)
    record("renewal.decided", review, actor=actor, at=at, before=before, after=review.told(), account=review.account_id)
    return review


def withdraw_cta(
    review: RenewalReview, *, note: str, actor: User | None, at: datetime, outcome: str = Outcome.NO_ACTION
) -> None:
    """Close the CTA of a disagreement, if nobody did so before."""
    cta = unclosed_cta(review.cta_id)
    if cta is not None:
        with suppress(NotOpen):
            close_cta(cta, outcome=outcome, note=note, actor=actor, at=at)
    review.cta_id = None
    review.save(update_fields=["cta_id"])


def _locked(review: RenewalReview, at: datetime) -> RenewalReview:
    rows = RenewalReview.objects.select_for_update(of=("self",)).select_related("account", "called_by")
    review = rows.get(pk=review.pk)
    if not review.is_latest or review.ends_on < workspace_day(at):
        raise RuleViolated("renewal.over", "This renewal is at a later checkpoint already, or over.")
    if review.state == RenewalState.DECIDED:
        raise RuleViolated("renewal.decided", "A leader has decided; the next checkpoint asks anew.")
    return review


def _sentence(text: str) -> str:
    """A reason as it is kept. Raises RuleViolated for none and for one of more than 500 characters."""
    text = text.strip()
    if not text:
        raise RuleViolated("required", "Say why in a sentence.", "reason")
    if len(text) > LONGEST_REASON:
        raise RuleViolated("too_long", f"At most {LONGEST_REASON} characters.", "reason")
    return text


def _judges(review: RenewalReview) -> list[User]:
    """Active leaders but the one who made the call, a VP first."""
    others = User.objects.active().filter(role__in=LEADER_ROLES).exclude(pk=review.called_by_id)
    return sorted(others, key=lambda user: (_FIRST_ASKED.index(Role(user.role)), str(user.pk)))


def _bring_to_leader(review: RenewalReview, at: datetime) -> None:
    """Open a CTA for the first who may decide and tell them. Nothing while it is open already."""
    if unclosed_cta(review.cta_id) is not None:
        return
    leader = next(iter(_judges(review)), review.called_by)
    account = review.account
    signal, call = RenewalSignal(review.signal).label.lower(), RenewalCall(review.call).label.lower()
    reason = f"The system says {signal}, the call says {call}: {review.call_reason}"
    cta = open_cta(
        account,
        title=f"Two signals disagree on the renewal of {review.ends_on.day} {review.ends_on:%b %Y}",
        reason=reason,
        kind=CtaKind.RENEWAL,
        priority=Priority.HIGH,
        duplicate_key=f"renewal-signals-{review.pk}",
        evidence={"signal": review.signal, "reasons": review.reasons, "call": review.call},
        actions=["Decide which of the two signals counts"],
        owner=leader,
        at=at,
    )
    if cta is None:
        return
    review.cta_id = cta.pk
    review.save(update_fields=["cta_id"])
    notify(
        [leader] if leader else [],
        kind=Kind.CTA_OPENED,
        title=f"{account.name}: two signals disagree on the renewal",
        body=reason,
        url=f"/health/renewals/{review.pk}/decision/",
        account=account,
        at=at,
        dedupe_key=f"renewal-signals-{cta.pk}",
    )
