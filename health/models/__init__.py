"""Scorecards and their versions, scores with evidence, triggers and what they did."""

from health.models.automation import DryRun, TriggerPolicy
from health.models.definitions import Kpi, Scorecard, ScorecardVersion, Trigger, TriggerVersion
from health.models.lab import Backtest
from health.models.packs import PackSchedule, PackSending
from health.models.portfolio import DigestWeek, FigureTarget, PortfolioDay, Standing
from health.models.renewals import RenewalPlan, RenewalReview
from health.models.reviews import HealthReview, ReviewItem, ReviewPlan
from health.models.scores import AccountHealth, BandChange, HealthOverride, HealthRun, HealthScore
from health.models.segments import Segment, SegmentMember
from health.models.signals import HealthEvent, TriggerFiring, TriggerRun, TriggerState
from health.models.visits import AccountVisit

__all__ = [
    "AccountHealth",
    "AccountVisit",
    "Backtest",
    "BandChange",
    "DigestWeek",
    "DryRun",
    "FigureTarget",
    "HealthEvent",
    "HealthOverride",
    "HealthReview",
    "HealthRun",
    "HealthScore",
    "Kpi",
    "PackSchedule",
    "PackSending",
    "PortfolioDay",
    "RenewalPlan",
    "RenewalReview",
    "ReviewItem",
    "ReviewPlan",
    "Scorecard",
    "ScorecardVersion",
    "Segment",
    "SegmentMember",
    "Standing",
    "Trigger",
    "TriggerFiring",
    "TriggerPolicy",
    "TriggerRun",
    "TriggerState",
    "TriggerVersion",
]
