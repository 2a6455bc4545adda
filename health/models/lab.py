"""A scorecard version replayed over history, with what it foresaw."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from health.choices import BACKTEST_WORKING, BacktestState, Basis, Step
from tenants.guard import TenantModel

MOST_MONTHS = 24


class Backtest(TenantModel):
    """One replay. ``position`` of ``days`` are scored; ``result`` is filled once, at the end, and never changes.

    ``rows`` holds the losses and the warnings that stand, account by account; lists leave it unread.
    """

    version = models.ForeignKey("health.ScorecardVersion", on_delete=models.CASCADE, related_name="backtests")
    challenger = models.ForeignKey(
        "health.ScorecardVersion", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    # As they stood when it was asked for: a draft may change afterwards.
    definition = models.JSONField()
    challenger_definition = models.JSONField(null=True, blank=True)
    months = models.PositiveSmallIntegerField(default=12)
    step = models.CharField(max_length=5, choices=Step.choices, default=Step.MONTH)
    horizon_days = models.PositiveSmallIntegerField(default=90)
    basis = models.CharField(max_length=8, choices=Basis.choices, default=Basis.RECORDED)
    segment = models.CharField(max_length=60, blank=True)
    today = models.DateField(help_text="The day it was asked for: nothing later is judged")
    state = models.CharField(max_length=9, choices=BacktestState.choices, default=BacktestState.QUEUED)
    position = models.PositiveSmallIntegerField(default=0)
    days = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    message = models.CharField(max_length=300, blank=True)
    result = models.JSONField(null=True, blank=True)
    rows = models.JSONField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(help_text="Last sign of life, by which a lost one is found")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=MOST_MONTHS), name="backtest_months"),
            models.CheckConstraint(condition=Q(horizon_days__gte=30, horizon_days__lte=365), name="backtest_horizon"),
            models.CheckConstraint(condition=Q(position__lte=F("days")), name="backtest_position_within_days"),
            models.CheckConstraint(condition=Q(state__in=BacktestState.values), name="backtest_state_known"),
            models.CheckConstraint(
                condition=~Q(state=BacktestState.DONE) | Q(result__isnull=False), name="backtest_done_has_result"
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="backtest_newest")]

    def __str__(self) -> str:
        return f"{self.version} over {self.months} months"

    @property
    def is_working(self) -> bool:
        return self.state in BACKTEST_WORKING
