"""Renewals at their checkpoints: the system's signal, the call of who works the account, and what was decided."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When

from health.choices import (
    Rag,
    RenewalCall,
    RenewalOutcome,
    RenewalSide,
    RenewalSignal,
    RenewalState,
)
from health.models.scores import OfAccountQuerySet
from health.renewals import DECIDE_DAYS
from tenants.guard import TenantModel

# What became of a term may still change for so long: a contract is entered late, or corrected.
FOLLOWED_DAYS = 400
_AGREED = Q(signal=RenewalSignal.RENEW, call=RenewalCall.WILL_RENEW) | Q(
    signal=RenewalSignal.AT_RISK, call__in=(RenewalCall.AT_RISK, RenewalCall.WILL_CHURN)
)
_STATE = Case(
    When(~Q(side=""), then=Value(RenewalState.DECIDED.value)),
    When(call="", then=Value(RenewalState.NO_CALL.value)),
    When(Q(call=RenewalCall.MONITOR) | Q(signal=RenewalSignal.UNKNOWN), then=Value(RenewalState.ONE_SIDED.value)),
    When(_AGREED, then=Value(RenewalState.AGREED.value)),
    default=Value(RenewalState.DISAGREED.value),
)


class RenewalPlan(TenantModel):
    """Days before a renewal at which its signals are taken: a pack's, or with an empty ``pack`` the workspace's own."""

    pack = models.CharField(max_length=20, unique=True, blank=True)
    checkpoints = ArrayField(models.PositiveSmallIntegerField())

    def __str__(self) -> str:
        return ", ".join(map(str, self.checkpoints))


class RenewalReviewQuerySet(OfAccountQuerySet):
    def ahead(self, today: date) -> RenewalReviewQuerySet:
        """The latest checkpoint of each term that ends on ``today`` or later, as its contract stands now."""
        live = Q(account__archived_at=None, contract__status="active", contract__end_on=F("ends_on"))
        return self.filter(live, is_latest=True, ends_on__gte=today)

    def over(self, today: date) -> RenewalReviewQuerySet:
        """Checkpoints of terms that ended before ``today``, early ones too, and not longer than FOLLOWED_DAYS ago."""
        early = Q(contract__status="churned", contract__end_on__lt=today)
        return self.filter(Q(ends_on__lt=today) | early, ends_on__gte=today - timedelta(days=FOLLOWED_DAYS))

    def told_on(self, today: date) -> RenewalReviewQuerySet:
        """With the system's signal where it may be shown (``told_signal``, ``told_reasons``), null where not."""
        shown = ~Q(call="") | Q(call_due_on__lt=today) | Q(is_latest=False)
        told = {f"told_{name}": Case(When(shown, then=F(name))) for name in ("signal", "reasons")}
        return self.annotate(**told)

    def touched(self) -> RenewalReviewQuerySet:
        """Those to which somebody gave a call."""
        return self.exclude(called_at=None)


class RenewalReview(TenantModel):
    """One term at one checkpoint, ``days_before`` its last day. The system's signal never changes once recorded.

    ``reasons`` are sentences; ``scored_on`` is the day of the score it was made of. ``first_call`` is what was called
    before the system's signal was shown: until ``call_due_on``; a later call says nothing independent and leaves it
    empty. ``days_left`` are those of the call that stands. ``state`` follows from the rest.
    """

    contract = models.ForeignKey("accounts.Contract", on_delete=models.CASCADE, related_name="renewal_reviews")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="renewal_reviews")
    ends_on = models.DateField()
    days_before = models.PositiveSmallIntegerField()
    is_latest = models.BooleanField(default=True)
    recorded_at = models.DateTimeField()
    signal = models.CharField(max_length=10, choices=RenewalSignal.choices)
    reasons = ArrayField(models.TextField(), default=list)
    scored_on = models.DateField(null=True)
    shown = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    band_name = models.CharField(max_length=120, blank=True)
    rag = models.CharField(max_length=10, choices=Rag.choices, default=Rag.NONE)
    call_due_on = models.DateField()
    call = models.CharField(max_length=10, choices=RenewalCall.choices, blank=True)
    first_call = models.CharField(max_length=10, choices=RenewalCall.choices, blank=True)
    call_reason = models.CharField(max_length=500, blank=True)
    days_left = models.PositiveSmallIntegerField(null=True)
    called_at = models.DateTimeField(null=True)
    called_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    cta_id = models.UUIDField(null=True, help_text="The CTA that brings a disagreement to a leader, while it is open")
    side = models.CharField(max_length=10, choices=RenewalSide.choices, blank=True)
    side_reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    outcome = models.CharField(max_length=10, choices=RenewalOutcome.choices, blank=True)
    state = models.GeneratedField(expression=_STATE, output_field=models.CharField(max_length=10), db_persist=True)

    objects = RenewalReviewQuerySet.as_manager()

    class Meta:
        ordering = ["ends_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "ends_on", "days_before"], name="renewal_review_once"),
            models.UniqueConstraint(fields=["contract"], condition=Q(is_latest=True), name="renewal_review_one_latest"),
            models.CheckConstraint(condition=Q(signal__in=RenewalSignal.values), name="renewal_signal_known"),
            models.CheckConstraint(
                condition=Q(call="")
                | (
                    Q(call__in=RenewalCall.values, days_left__isnull=False, called_at__isnull=False)
                    & ~Q(call_reason="")
                ),
                name="renewal_call_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(call=RenewalCall.MONITOR) | Q(days_left__gt=DECIDE_DAYS), name="renewal_monitor_ends"
            ),
            models.CheckConstraint(
                condition=Q(side="")
                | (Q(side__in=RenewalSide.values, decided_at__isnull=False) & ~Q(side_reason="") & ~Q(call="")),
                name="renewal_decision_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["ends_on", "id"], condition=Q(is_latest=True), name="renewal_review_ahead"),
            models.Index(fields=["account", "ends_on"], name="renewal_review_by_account"),
        ]

    def __str__(self) -> str:
        return f"Renewal of {self.ends_on}, {self.days_before} days before"

    def is_open_to_all(self, today: date) -> bool:
        """Whether the system's signal may be shown: once a call is made, overdue, or not asked for any more."""
        return bool(self.call) or today > self.call_due_on or not self.is_latest

    def told(self) -> dict[str, Any]:
        """Both signals and the decision, as the audit log keeps them."""
        return {"signal": self.signal, "call": self.call, "reason": self.call_reason, "side": self.side}
