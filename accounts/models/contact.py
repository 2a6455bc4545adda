"""The customer's people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.choices import Influence, Sentiment, StakeholderRole
from accounts.models.account import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


class ContactQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> ContactQuerySet:
        return self.within("account", Account.objects.visible_to(user))

    def present(self) -> ContactQuerySet:
        """Contacts who have not left."""
        return self.filter(left_on=None)


class Contact(TenantModel):
    """A person at the customer. One who leaves stays, with the day they left."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=160)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=120, blank=True)
    stakeholder_role = models.CharField(max_length=20, choices=StakeholderRole.choices, default=StakeholderRole.OTHER)
    sentiment = models.CharField(max_length=10, choices=Sentiment.choices, blank=True, default=Sentiment.UNKNOWN)
    influence = models.CharField(max_length=10, choices=Influence.choices, blank=True, default=Influence.UNKNOWN)
    last_touch_at = models.DateTimeField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stakeholder_role__in=StakeholderRole.values), name="contact_role_known"),
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(external_id=""), name="contact_external_id_once"
            ),
            models.UniqueConstraint(
                fields=["account", "email"], condition=~Q(email=""), name="contact_email_once_per_account"
            ),
        ]
        indexes = [
            # Search by any part of the name or address.
            GinIndex(fields=["name"], opclasses=["extensions.gin_trgm_ops"], name="contact_name_trigrams"),
            GinIndex(fields=["email"], opclasses=["extensions.gin_trgm_ops"], name="contact_email_trigrams"),
        ]

    def __str__(self) -> str:
        return self.name
