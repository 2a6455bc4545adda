"""What the customer bought, for how much and until when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from accounts.choices import ContractStatus
from accounts.models.account import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


class ContractQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> ContractQuerySet:
        return self.within("account", Account.objects.visible_to(user))

    def in_force_on(self, day: date) -> ContractQuerySet:
        """Contracts that have begun and not ended on ``day``; an open end counts as running."""
        return self.exclude(status=ContractStatus.DRAFT).filter(Q(end_on=None) | Q(end_on__gte=day), start_on__lte=day)


class Contract(TenantModel):
    """One signed term. ``end_on`` is its last day, or null while open-ended; ``arr`` is the sum of its lines."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contracts")
    number = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=10, choices=ContractStatus.choices, default=ContractStatus.ACTIVE)
    start_on = models.DateField()
    end_on = models.DateField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(default=0)
    auto_renew = models.BooleanField(default=False)
    currency = models.CharField(max_length=3, default="USD")
    arr = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    billing = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    custom = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)

    objects = ContractQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(end_on=None) | Q(end_on__gte=F("start_on")), name="contract_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(arr__gte=0), name="contract_arr_not_negative"),
            models.CheckConstraint(condition=Q(status__in=ContractStatus.values), name="contract_status_known"),
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(external_id=""), name="contract_external_id_once"
            ),
        ]
        indexes = [models.Index(fields=["account", "start_on"], name="contract_by_account")]

    def __str__(self) -> str:
        return self.number or f"from {self.start_on}"

    @property
    def notice_on(self) -> date | None:
        """The last day on which notice can be given; None where none is agreed or the end is open."""
        return self.end_on - timedelta(days=self.notice_days) if self.end_on and self.notice_days else None


class ContractLine(TenantModel):
    """One product of a contract with its seats and yearly amount in the contract's currency."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="lines")
    product = models.CharField(max_length=120)
    seats = models.PositiveIntegerField(null=True, blank=True)
    arr = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(arr__gte=0), name="contract_line_arr_not_negative")]

    def __str__(self) -> str:
        return self.product
