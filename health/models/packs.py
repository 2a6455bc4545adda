"""Board packs that are sent regularly: who gets which view when, and each time it was sent."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q

from health.choices import PackEvery, PackStop, SendingState
from tenants.guard import TenantModel, TenantQuerySet
from ui import formats

# Before the moment in the slot of a pack that somebody did not wait for.
ASKED = "now:"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class PackScheduleQuerySet(TenantQuerySet):
    def running(self) -> PackScheduleQuerySet:
        """Neither paused nor stopped."""
        return self.filter(paused_at=None, stopped_at=None)


class PackSchedule(TenantModel):
    """A view of the portfolio sent as a board pack, as ``owner`` sees it and at an hour of the owner's clock.

    ``name`` is the view's when it was last seen, for when it is gone. Times before ``counts_from_at`` are not made up
    for.
    """

    view = models.ForeignKey("accounts.SavedView", null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=60)
    owner = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="pack_schedules")
    recipients = models.ManyToManyField("accounts.User", related_name="+")
    every = models.CharField(max_length=10, choices=PackEvery.choices)
    weekday = models.PositiveSmallIntegerField(null=True, help_text="0 is Monday; only every week")
    day = models.PositiveSmallIntegerField(null=True, help_text="1 to 28; only every month")
    hour = models.PositiveSmallIntegerField(help_text="On the owner's clock")
    counts_from_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_why = models.CharField(max_length=12, choices=PackStop.choices, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = PackScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(every=PackEvery.WEEK, weekday__range=(0, 6), day=None)
                | Q(every=PackEvery.MONTH, weekday=None, day__range=(1, 28))
                | Q(every=PackEvery.MONTH_END, weekday=None, day=None),
                name="pack_schedule_day_fits",
            ),
            models.CheckConstraint(condition=Q(hour__range=(0, 23)), name="pack_schedule_hour_known"),
            models.CheckConstraint(
                condition=Q(stopped_at=None, stopped_why="")
                | Q(stopped_at__isnull=False, stopped_why__in=PackStop.values),
                name="pack_schedule_stopped_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """``stopped``, ``paused`` or ``running``."""
        return "stopped" if self.stopped_at else "paused" if self.paused_at else "running"

    @property
    def words(self) -> str:
        """When it is sent: ``Every month on day 1 at 08:00``."""
        if self.every == PackEvery.WEEK:
            day = f"Every week on {WEEKDAYS[self.weekday or 0]}"
        else:
            day = f"Every month on day {self.day}" if self.every == PackEvery.MONTH else PackEvery.MONTH_END.label
        return f"{day} at {self.hour:02}:00"


class PackSending(TenantModel):
    """One time a board pack was made to be sent. ``slot`` is the day it was due for, or when somebody asked for it.

    A slot of a schedule has one sending, whoever finds it due. ``left_out`` holds [name, why] of recipients who were
    not to get it any more.
    """

    schedule = models.ForeignKey(PackSchedule, null=True, on_delete=models.SET_NULL, related_name="sendings")
    slot = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    maker = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=SendingState.choices, default=SendingState.MAKING)
    message = models.CharField(max_length=300, blank=True)
    document = models.ForeignKey("documents.Document", null=True, on_delete=models.SET_NULL, related_name="+")
    data_digest = models.CharField(max_length=64)
    file_digest = models.CharField(max_length=64, blank=True)
    readers = models.ManyToManyField("accounts.User", related_name="+")
    left_out = models.JSONField(default=list)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "slot"], name="pack_sending_once"),
            models.CheckConstraint(condition=Q(state__in=SendingState.values), name="pack_sending_state_known"),
            models.CheckConstraint(
                condition=Q(ended_at=None, state=SendingState.MAKING)
                | Q(ended_at__isnull=False, state__in=(SendingState.SENT, SendingState.FAILED)),
                name="pack_sending_ends_once",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state=SendingState.MAKING), name="pack_sending_making")
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.slot}"

    @property
    def due(self) -> str:
        """``Due on 1 Dec 2026``, or that somebody asked for it."""
        return "Asked for" if self.slot.startswith(ASKED) else f"Due on {formats.day(date.fromisoformat(self.slot))}"

    @property
    def mail_key(self) -> str:
        """What tells each reader of it once."""
        return f"pack:{self.pk}"
