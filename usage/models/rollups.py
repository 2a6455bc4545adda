"""The daily rows that every usage figure is read from, and what their bits mean."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from tenants.guard import TenantModel, TenantQuerySet
from usage.choices import FeatureOrigin

SLOTS = range(1, 9)


class AccountDay(models.Model):
    """One day of one account in the workspace's time zone, for 64 of its users.

    ``word`` is the users' ordinal divided by 64; bit ``ordinal % 64`` of ``act`` says that the user did
    anything, of ``login`` that they logged in, of ``mobile`` that they used a phone, of ``k1``..``k8`` that
    they used that key feature. Sums of the day (``quantity`` and so on) are spread over its words. Bitmaps
    answer "how many different users in 30 days", which sums per day cannot. Kept 25 months.
    """

    pk = models.CompositePrimaryKey("account_id", "day", "word")
    account_id = models.UUIDField()
    day = models.DateField()
    word = models.IntegerField()
    features = models.SmallIntegerField(default=0, help_text="Bit n-1: key feature n was used, by a user or not")
    quantity = models.BigIntegerField(default=0, help_text="Volume: sum of the events' quantities")
    logins = models.BigIntegerField(default=0)
    sessions = models.BigIntegerField(default=0)
    session_seconds = models.BigIntegerField(default=0)
    workflows_started = models.BigIntegerField(default=0)
    workflows_completed = models.BigIntegerField(default=0)
    act = models.BigIntegerField(default=0)
    login = models.BigIntegerField(default=0)
    mobile = models.BigIntegerField(default=0)
    k1 = models.BigIntegerField(default=0)
    k2 = models.BigIntegerField(default=0)
    k3 = models.BigIntegerField(default=0)
    k4 = models.BigIntegerField(default=0)
    k5 = models.BigIntegerField(default=0)
    k6 = models.BigIntegerField(default=0)
    k7 = models.BigIntegerField(default=0)
    k8 = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(help_text="Latest event of the day")

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "usage_accountday"
        # A window over all accounts; one account's window uses the key.
        indexes = [models.Index(fields=["day"], name="account_day_by_day")]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}"


class AppUser(models.Model):
    """A user of the customer's, as events name them. ``ordinal`` counts from 0 per account, never re-used."""

    pk = models.CompositePrimaryKey("account_id", "external_id")
    account_id = models.UUIDField()
    external_id = models.CharField(max_length=200)
    ordinal = models.IntegerField()
    first_seen_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "usage_appuser"
        constraints = [models.UniqueConstraint(fields=["account_id", "ordinal"], name="app_user_ordinal_once")]

    def __str__(self) -> str:
        return self.external_id


class FeatureSlot(TenantModel):
    """A key feature and the column of ``AccountDay`` that holds its users.

    An event belongs to the feature whose ``events`` name it, or the part of its name before the first dot,
    written in lower case with underscores. Changing the list refills the columns from the stored events.
    """

    slot = models.PositiveSmallIntegerField(unique=True)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    events: Any = models.JSONField(default=list, help_text="Event names that count as use of the feature")
    counted = models.BooleanField(default=True, help_text="Off: recorded, but not part of the figures")
    origin = models.CharField(max_length=10, choices=FeatureOrigin.choices, default=FeatureOrigin.TENANT)
    valid_from_on = models.DateField(help_text="First day from which the column means this feature")

    class Meta:
        ordering = ["slot"]
        constraints = [models.CheckConstraint(condition=Q(slot__gte=1, slot__lte=8), name="feature_slot_1_to_8")]

    def __str__(self) -> str:
        return self.name


class Signal(models.Model):
    """Something the tenant's events tell, a login or the use of a phone, and since when.

    Without it nobody could tell "no user has a phone" from "nobody says which device".
    """

    kind = models.CharField(max_length=10, primary_key=True)
    first_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.kind
