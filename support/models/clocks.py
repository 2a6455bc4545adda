"""The promises about one ticket, escalation or incident while they are kept or missed, and the alerts about them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, Value

from support.choices import Clock, Verdict
from tenants.guard import TenantModel, TenantQuerySet


class CalendarSnapshot(TenantModel):
    """A calendar as it was when deadlines were counted in it: an edit makes another, judged promises keep theirs."""

    digest = models.CharField(max_length=64, unique=True)
    definition = models.JSONField()


class SlaClockQuerySet(TenantQuerySet):
    def running(self) -> SlaClockQuerySet:
        """Neither ended nor cancelled; paused and missed ones included."""
        return self.filter(stopped_at=None).exclude(verdict=Verdict.CANCELLED)

    def with_moment_after(self, at: datetime) -> SlaClockQuerySet:
        """Not ended, with a threshold that is reached after ``at``."""
        ahead = Func(
            Value(at), F("moments"), template="(%(expressions)s))", arg_joiner=" < any (", output_field=BooleanField()
        )
        return self.filter(ahead, stopped_at=None)

    def alerting(self, at: datetime) -> SlaClockQuerySet:
        """With an alert due at ``at``: the rows a sweep takes, by index."""
        return self.filter(next_alert_at__lte=at).order_by("next_alert_at")


class SlaClock(TenantModel):
    """One promise in one cycle. A cache of what the events say: ``support.actions.recompute`` makes it again.

    ``due_at`` is the earliest moment at which the time is used up, empty while paused; judged is by time used:
    missed when ``consumed_seconds`` exceeds the target, or reaches it where the promise says "less than"
    (AMB-10). A promise in business hours has a calendar; others elapse.

    A sweep writes every row whose moment has come, and each index is written with it. So there are only those that
    somebody reads by: what a clock is about is found by the constraints that allow one of a kind and cycle; policy
    versions and calendars are never deleted, and nobody asks for their clocks.
    """

    ticket = models.ForeignKey(
        "support.Ticket", null=True, blank=True, on_delete=models.CASCADE, related_name="clocks", db_index=False
    )
    escalation = models.ForeignKey(
        "support.Escalation", null=True, blank=True, on_delete=models.CASCADE, related_name="clocks", db_index=False
    )
    incident = models.ForeignKey(
        "support.Incident", null=True, blank=True, on_delete=models.CASCADE, related_name="clocks", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Clock.choices)
    cycle = models.PositiveSmallIntegerField(default=1)
    policy_version = models.ForeignKey(
        "support.SlaPolicyVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="clocks",
        db_index=False,
    )  # fmt: skip
    calendar = models.ForeignKey(
        CalendarSnapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="Empty: time elapses round the clock",
    )  # fmt: skip
    target_seconds = models.PositiveIntegerField()
    strict = models.BooleanField(default=False, help_text='"Less than": exactly the target is too late')
    started_at = models.DateTimeField()
    armed_at = models.DateTimeField(help_text="Since when this target holds")
    due_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    consumed_seconds = models.PositiveIntegerField(default=0, help_text="Counted until the end or the last pause")
    paused_seconds = models.PositiveIntegerField(default=0, help_text="Time of the calendar that waiting left out")
    remaining_seconds = models.IntegerField(help_text="Target less consumed; negative when late")
    missed_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, default=Verdict.RUNNING)
    # When each threshold is reached, so far as it can be known now; the sweep reads these and works nothing out.
    thresholds = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    moments = ArrayField(models.DateTimeField(), default=list, blank=True)
    next_alert_at = models.DateTimeField(null=True, blank=True, help_text="The first of them nobody was told of")
    computed_at = models.DateTimeField()

    objects = SlaClockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "kind", "cycle"], condition=Q(ticket__isnull=False), name="sla_clock_of_ticket_once"
            ),
            models.UniqueConstraint(
                fields=["escalation", "kind", "cycle"],
                condition=Q(escalation__isnull=False),
                name="sla_clock_of_escalation_once",
            ),
            models.UniqueConstraint(
                fields=["incident", "kind", "cycle"],
                condition=Q(incident__isnull=False),
                name="sla_clock_of_incident_once",
            ),
            models.CheckConstraint(
                condition=Q(ticket__isnull=False, escalation=None, incident=None)
                | Q(ticket=None, escalation__isnull=False, incident=None)
                | Q(ticket=None, escalation=None, incident__isnull=False),
                name="sla_clock_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(kind__in=Clock.values), name="sla_clock_kind_known"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="sla_clock_verdict_known"),
            models.CheckConstraint(condition=Q(target_seconds__gt=0), name="sla_clock_has_time"),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.MET, stopped_at__isnull=False) | ~Q(verdict=Verdict.MET),
                name="sla_clock_met_is_stopped",
            ),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.MISSED) | Q(missed_at__isnull=False), name="sla_clock_missed_says_when"
            ),
        ]
        indexes = [
            # What the sweep reads, and nothing else.
            models.Index(fields=["next_alert_at"], condition=Q(next_alert_at__isnull=False), name="sla_clock_alerting"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.cycle}"


def past_due(at: datetime, of: str = "ticket", by: str = "next_due_at") -> Q:
    """Tickets, escalations or incidents whose next deadline (the column ``by``) is past, by its own hours.

    What is due at closing is in time until the next opening: so long the moment of its breach lies ahead. One
    look into an index for each row with a deadline before ``at``.
    """
    in_time = SlaClock.objects.with_moment_after(at).filter(due_at=OuterRef(by), **{of: OuterRef("pk")})
    return Q(**{f"{by}__lt": at}) & ~Q(Exists(in_time))


def many_past_due(at: datetime, of: str = "ticket", by: str = "next_due_at") -> Q:
    """The same rows, to count among thousands: what is in time yet is read once, not looked up for each.

    A breach that lies ahead is still to be told, so the clock stands in the index of the sweep.
    """
    in_time = SlaClock.objects.with_moment_after(at).filter(
        next_alert_at__isnull=False, due_at__lt=at, due_at=F(f"{of}__{by}"), **{f"{of}__isnull": False}
    )
    return Q(**{f"{by}__lt": at}) & ~Q(pk__in=in_time.values(of))


class SlaAlert(TenantModel):
    """A warning or a breach that was told: once for each clock, cycle and threshold.

    ``threshold`` is "80%", "60m" (business minutes left) or "100%", the breach. Only a deadline moved to a
    later moment lets it be told again (``rearmed_at``).
    """

    clock = models.ForeignKey(SlaClock, on_delete=models.CASCADE, related_name="alerts", db_index=False)
    threshold = models.CharField(max_length=8)
    fell_due_at = models.DateTimeField(help_text="When the threshold was reached")
    sent_at = models.DateTimeField()
    is_late = models.BooleanField(default=False, help_text="Told long after it fell due")
    rearmed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When people were told; empty: still to do")

    class Meta:
        constraints = [
            # One that was not rearmed; it finds the alerts of a clock as well.
            models.UniqueConstraint(
                fields=["clock", "threshold", "rearmed_at"], nulls_distinct=False, name="sla_alert_once"
            ),
        ]
        indexes = [
            models.Index(fields=["sent_at"], condition=Q(told_at=None), name="sla_alert_untold"),
        ]


class DeadlineRun(TenantModel):
    """One recomputation of all open deadlines, and how far it is."""

    reason = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
