"""Who answers: levels of support, teams, their people, and the desk's own settings."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from support.choices import Level, Routing
from tenants.guard import TenantModel


def incident_update_minutes() -> list[int]:
    """An hour for the worst, then four, a day, two days: what a workspace begins with."""
    return [60, 240, 1440, 2880]


class SupportSettings(TenantModel):
    """How this workspace runs its desk: exactly one row, made when it is first asked for."""

    last_number = models.PositiveBigIntegerField(default=0, help_text="The newest ticket's")
    # AMB-14: the resolution clock stops while the customer is asked; a tenant can turn this off.
    pause_on_customer = models.BooleanField(default=True, help_text="Resolution waits while the customer is asked")
    pause_on_vendor = models.BooleanField(default=False, help_text="Resolution waits for third parties too")
    reopen_days = models.PositiveSmallIntegerField(
        default=7, help_text="Reopened within this many days the same clock goes on; later a new one starts"
    )
    close_after_days = models.PositiveSmallIntegerField(
        default=5, help_text="A resolved ticket nobody objects to is closed; 0: only by hand"
    )
    remind_after_days = models.PositiveSmallIntegerField(
        default=0, help_text="A customer who is asked and says nothing is reminded; 0: never"
    )
    solve_after_days = models.PositiveSmallIntegerField(
        default=0, help_text="So long after the reminder it counts as solved; 0: never"
    )
    ask_for_rating = models.BooleanField(default=True, help_text="Ask the customer when a ticket is closed")
    # "80%" is a share of the promised time used up, "60m" that many business minutes left.
    warn_at = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    calendars_seen = models.CharField(max_length=64, blank=True, help_text="Digest of what open deadlines count in")
    customers_see_deadlines = models.BooleanField(default=True)
    support_address = models.EmailField(
        blank=True, help_text="What customers see and write to; empty: support@ the workspace's host"
    )
    trusted_relay = models.CharField(
        max_length=200, blank=True, help_text="Whose word on senders counts; empty: the installation's"
    )
    acknowledge_mail = models.BooleanField(default=True, help_text="Tell the sender that a ticket was opened")
    mails_per_hour = models.PositiveSmallIntegerField(
        default=20, help_text="More from one address within an hour are kept and not worked"
    )
    routing = models.CharField(
        max_length=8, choices=Routing.choices, default=Routing.PERSON, help_text="How far new tickets are given on"
    )
    last_incident = models.PositiveIntegerField(default=0, help_text="The newest incident's number")
    # By the severity's rank, the worst first; a service level that promises updates goes before it.
    incident_update_minutes = ArrayField(
        models.PositiveIntegerField(), default=incident_update_minutes, size=4,
        help_text="How often customers are told of an incident, by the rank of its severity",
    )  # fmt: skip
    review_within_days = models.PositiveSmallIntegerField(
        default=5, help_text="Business days from the resolution of an incident to its review"
    )
    only = models.BooleanField(default=True, editable=False, unique=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(only=True), name="support_settings_only_one"),
            models.CheckConstraint(condition=Q(routing__in=Routing.values), name="support_settings_routing_known"),
        ]


class SupportLevel(TenantModel):
    """What a line of support is called, does and must know, as a pack says it. ``rank`` is the ticket's level."""

    key = models.SlugField(max_length=60)
    pack = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=120)
    rank = models.PositiveSmallIntegerField(null=True, blank=True, choices=Level.choices, help_text="Empty: no queue")
    coverage = models.CharField(max_length=40, blank=True, help_text="24x7, business-hours, on-call")
    responsibilities = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    skills = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    escalates_to = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["pack", "rank", "name"]
        constraints = [models.UniqueConstraint(fields=["pack", "key"], name="support_level_once_per_pack")]

    def __str__(self) -> str:
        return self.name


class Team(TenantModel):
    """People who share a queue, with what they know and when they work."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    level = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.FIRST)
    skills = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    calendar = models.ForeignKey(
        "accounts.WorkCalendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="Empty: always at work",
    )  # fmt: skip
    # Serves accounts of these tiers first (FMEA-5.6: a dedicated team).
    tiers = models.ManyToManyField("accounts.Tier", blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["level", "name"]

    def __str__(self) -> str:
        return self.name


class TeamSeat(TenantModel):
    """One person's place on a team: what they know, how much they take, whether they are there."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="seats")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="team_seats")
    skills = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    capacity = models.PositiveSmallIntegerField(default=20, help_text="Active tickets before routing passes by")
    away_until = models.DateTimeField(null=True, blank=True)
    last_routed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="team_seat_once"),
            models.CheckConstraint(condition=Q(capacity__gt=0), name="team_seat_takes_some"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.team})"


class TicketField(TenantModel):
    """A field of the workspace's own on every ticket."""

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    kind = models.CharField(
        max_length=8,
        choices=[("text", "Text"), ("number", "Number"), ("choice", "Choice"), ("day", "Day"), ("yes_no", "Yes or no")],
    )
    options = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    is_required = models.BooleanField(default=False)
    shown_to_customer = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label
