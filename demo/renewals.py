"""Calls on the demonstration companies' renewals: most made, some against the system, a few overdue."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from accounts.models import User
from accounts.queries.workspace import workspace_day
from health.actions.renewal_sweep import record_signals, settle_outcomes
from health.actions.renewals import decide_renewal, give_call
from health.choices import RenewalState
from health.models import RenewalReview
from health.renewals import DECIDE_DAYS

WEEK = timedelta(days=7)
CALLED, DECIDED = 0.7, 0.6
# (call, how often, why) by what the system says.
SAID = {
    "renew": (
        ("will_renew", 0.78, "The sponsor confirmed the budget for another year."),
        ("monitor", 0.12, "A new sponsor started this month; we meet in two weeks."),
        ("at_risk", 0.10, "Procurement asked for three other offers."),
    ),
    "at_risk": (
        ("at_risk", 0.5, "Two teams have stopped using it and the sponsor does not answer."),
        ("will_renew", 0.32, "Usage is down for the season only; the order is being drawn up."),
        ("will_churn", 0.18, "They told us that the group standardises on another product."),
    ),
    "unknown": (("will_renew", 1.0, "Signed for two years last autumn; nothing points elsewhere."),),
}
REASONS = {
    "system": "The facts weigh more than the mood of one talk. We plan as if it were at risk.",
    "call": "The order is on the table; the figures will follow.",
}


def call_renewals(rng: np.random.Generator, *, at: datetime) -> None:
    """What a week brings: signals at their checkpoints, calls by the owners, decisions by the VP."""
    record_signals(at=at)
    settle_outcomes(at=at)
    today = workspace_day(at)
    leader = User.objects.active().filter(role="vp_cs").order_by("pk").first()
    rows = RenewalReview.objects.ahead(today).order_by("ends_on", "pk").select_related("account__owner")
    for review in rows.filter(state=RenewalState.NO_CALL, recorded_at__gt=at - WEEK):
        owner = review.account.owner
        if owner is not None and rng.random() < CALLED:
            call, why = _said(rng, review, (review.ends_on - today).days)
            give_call(review, call=call, reason=why, actor=owner, at=at)
    for review in rows.filter(state=RenewalState.DISAGREED).exclude(called_by=leader):
        if leader is not None and rng.random() < DECIDED:
            side = "system" if rng.random() < 0.5 else "call"
            decide_renewal(review, side=side, reason=REASONS[side], actor=leader, at=at)


def _said(rng: np.random.Generator, review: RenewalReview, days_left: int) -> tuple[str, str]:
    offered = [said for said in SAID[review.signal] if said[0] != "monitor" or days_left > DECIDE_DAYS]
    shares = np.array([share for _call, share, _why in offered])
    call, _share, why = offered[int(rng.choice(len(offered), p=shares / shares.sum()))]
    return call, why
