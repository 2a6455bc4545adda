"""Tickets and everything that happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, F, Q

from accounts.choices import PORTAL_ROLES, Role
from accounts.models import Account
from support.choices import ACTIVE, DONE, Channel, Clock, EventKind, Impact, Level, LinkKind, Status, TicketType
from support.models.clocks import past_due
from tenants.guard import TenantModel, TenantQuerySet, TenantRow

if TYPE_CHECKING:
    from accounts.models import User

ACTIVE_STATUSES = sorted(ACTIVE)
DONE_STATUSES = sorted(DONE)


def in_queue(at: datetime) -> Q:
    """Not set aside, or until a moment that has come at ``at``."""
    return Q(snoozed_at=None) | Q(snoozed_until__isnull=False, snoozed_until__lte=at)


class TicketQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> TicketQuerySet:
        """Tickets of accounts ``user`` may see; a portal user's own, a portal administrator's whole account's."""
        found = self.within("account", Account.objects.visible_to(user))
        if getattr(user, "role", None) in PORTAL_ROLES and user.role != Role.PORTAL_ADMIN:
            return found.filter(requester__email__iexact=user.email)
        return found

    def workable_by(self, user: User) -> TicketQuerySet:
        """Tickets ``user`` may work: an agent every one they see, others those of accounts they may edit."""
        if not user.is_authenticated or user.role in PORTAL_ROLES | {Role.READ_ONLY}:
            return self.none()
        if user.role == Role.SUPPORT_AGENT:
            return self.visible_to(user)
        mine = Q(account__in=Account.objects.editable_by(user)) | Q(assignee=user)
        return self.visible_to(user).filter(mine)

    def active(self) -> TicketQuerySet:
        """Those somebody still owes something."""
        return self.filter(status__in=ACTIVE_STATUSES)

    def done(self) -> TicketQuerySet:
        return self.filter(status__in=DONE_STATUSES)

    def overdue(self, at: datetime) -> TicketQuerySet:
        """Active ones with a promise that is out of time at ``at``."""
        return self.active().filter(past_due(at))

    def with_lateness(self, at: datetime) -> TicketQuerySet:
        """With ``is_late``: whether the next promise of one that is active is out of time."""
        late = ExpressionWrapper(Q(status__in=ACTIVE_STATUSES) & past_due(at), BooleanField())
        return self.annotate(is_late=late)

    def aside(self, at: datetime) -> TicketQuerySet:
        """Active ones that somebody set aside, until the customer writes or a moment after ``at``."""
        return self.active().filter(~in_queue(at))

    def at_hand(self, at: datetime) -> TicketQuerySet:
        """Active ones that nobody set aside, or whose moment has come."""
        return self.active().filter(in_queue(at))

    def unassigned(self) -> TicketQuerySet:
        return self.filter(assignee=None)

    def most_urgent_first(self) -> TicketQuerySet:
        """By the next deadline; without one by priority, plan, age (AMB-35, FMEA-5.6)."""
        return self.order_by(F("next_due_at").asc(nulls_last=True), "priority", "-tier_rank", "created_at", "pk")


class Ticket(TenantModel):
    """A question or a problem of a customer, and the promises made about it.

    ``priority`` is the severity's rank plus the impact, lower first (AMB-35). The columns about deadlines repeat
    what the clocks say, for lists; ``support.actions`` writes both in one transaction.
    """

    number = models.PositiveBigIntegerField(unique=True)
    subject = models.CharField(max_length=300)
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="tickets")
    requester = models.ForeignKey(
        "accounts.Contact", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    cc = ArrayField(models.EmailField(), default=list, blank=True)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    type = models.CharField(max_length=12, choices=TicketType.choices, default=TicketType.QUESTION)
    component = models.CharField(max_length=80, blank=True)
    # A key of the packs' issue guides: performance, data-quality … (BIS-6.27).
    category = models.CharField(max_length=60, blank=True)
    severity = models.ForeignKey("accounts.Severity", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    impact = models.PositiveSmallIntegerField(choices=Impact.choices, default=Impact.ONE)
    priority = models.PositiveSmallIntegerField(help_text="Severity rank plus impact; lower is more urgent")
    tier_key = models.CharField(max_length=60, blank=True, help_text="The account's tier when it was opened (AMB-16)")
    tier_rank = models.SmallIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NEW)
    level = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.FIRST)
    team = models.ForeignKey("support.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")
    assignee = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="assigned_tickets"
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    custom = models.JSONField(default=dict, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged")
    incident = models.ForeignKey(
        "support.Incident", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets",
        help_text="The incident it tells of",
    )  # fmt: skip
    # What Level 3 records (FMEA-5.12).
    root_cause = models.TextField(blank=True)
    engineering_reference = models.CharField(max_length=120, blank=True)
    # The promises made when it was opened stand, whatever becomes of the account's tier (AMB-16).
    policies = models.ManyToManyField("support.SlaPolicy", related_name="tickets", blank=True)
    timezone = models.CharField(max_length=64, help_text="Zone of its business hours (AMB-12)")
    opened_by_staff = models.BooleanField(default=False, help_text="Then no first response is owed")
    next_due_at = models.DateTimeField(null=True, blank=True)
    next_due_clock = models.CharField(max_length=16, choices=Clock.choices, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True, help_text="When the first promise was missed")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: customer"
    )
    first_responded_at = models.DateTimeField(null=True, blank=True)
    last_customer_at = models.DateTimeField(null=True, blank=True)
    last_agent_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by_customer = models.BooleanField(default=False, help_text="The customer agreed to close it")
    reopened_count = models.PositiveSmallIntegerField(default=0)
    cycle = models.PositiveSmallIntegerField(default=1, help_text="Which resolution it is on; see SupportSettings")
    # Solved by the first line, never escalated and never reopened (BIS-1.5); null while it is not done.
    solved_at_first_contact = models.BooleanField(null=True, blank=True)
    minutes_spent = models.PositiveIntegerField(default=0)
    csat_score = models.PositiveSmallIntegerField(null=True, blank=True)
    csat_comment = models.TextField(blank=True)
    csat_asked_at = models.DateTimeField(null=True, blank=True)
    csat_at = models.DateTimeField(null=True, blank=True)
    # Set aside: out of the queue, its clocks running, until the moment (none: until the customer writes).
    snoozed_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    waiting_since = models.DateTimeField(null=True, blank=True, help_text="When the customer was asked last")
    reminded_at = models.DateTimeField(null=True, blank=True, help_text="When they were reminded of it")
    unescalated_told_at = models.DateTimeField(
        null=True, blank=True, help_text="When people were told that nobody escalated it (FLEET-9.1)"
    )
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = TicketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="ticket_status_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="ticket_channel_known"),
            models.CheckConstraint(condition=Q(type__in=TicketType.values), name="ticket_type_known"),
            models.CheckConstraint(condition=Q(impact__in=Impact.values), name="ticket_impact_known"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="ticket_level_known"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="ticket_not_its_own_parent"),
            models.CheckConstraint(
                condition=Q(csat_score=None) | Q(csat_score__range=(1, 5)), name="ticket_csat_one_to_five"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(status=Status.CANCELLED), name="ticket_merged_is_cancelled"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[Status.RESOLVED, Status.CLOSED], resolved_at__isnull=False)
                | Q(status=Status.CANCELLED)
                | Q(status__in=ACTIVE_STATUSES, resolved_at=None, closed_at=None),
                name="ticket_resolved_at_iff_done",
            ),
            models.CheckConstraint(
                condition=Q(snoozed_at__isnull=False, status__in=ACTIVE_STATUSES)
                | Q(snoozed_at=None, snoozed_until=None, snoozed_by=None),
                name="ticket_set_aside_while_active",
            ),
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(external_id=""), name="ticket_external_id_once"
            ),
        ]
        indexes = [
            # The queue, by next deadline; each person's and each team's own.
            models.Index(fields=["next_due_at", "id"], condition=Q(status__in=ACTIVE_STATUSES), name="ticket_queue"),
            models.Index(
                fields=["assignee", "next_due_at"], condition=Q(status__in=ACTIVE_STATUSES), name="ticket_by_assignee"
            ),
            models.Index(
                fields=["team", "next_due_at"], condition=Q(status__in=ACTIVE_STATUSES), name="ticket_by_team"
            ),
            models.Index(fields=["account", "-created_at"], name="ticket_by_account"),
            models.Index(fields=["-created_at", "id"], name="ticket_newest"),
            models.Index(fields=["requester", "-created_at"], name="ticket_by_requester"),
            models.Index(fields=["resolved_at"], condition=Q(status=Status.RESOLVED), name="ticket_waiting_to_close"),
            models.Index(
                fields=["resolved_at"],
                condition=Q(csat_asked_at=None, status__in=[Status.RESOLVED, Status.CLOSED]),
                name="ticket_to_be_rated",
            ),
            models.Index(fields=["snoozed_until"], condition=Q(snoozed_until__isnull=False), name="ticket_waking"),
            models.Index(
                fields=["waiting_since"], condition=Q(waiting_since__isnull=False), name="ticket_customer_silent"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(unescalated_told_at=None, status__in=ACTIVE_STATUSES),
                name="ticket_unescalated",
            ),
            GinIndex(fields=["tags"], name="ticket_tags"),
            GinIndex(fields=["subject"], opclasses=["extensions.gin_trgm_ops"], name="ticket_subject_trigrams"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def is_aside(self, at: datetime) -> bool:
        """Whether it is set aside at ``at``."""
        return self.snoozed_at is not None and (self.snoozed_until is None or self.snoozed_until > at)


class TicketEvent(TenantRow):
    """One thing that happened to a ticket: only ever added (migration ``support/0002``).

    ``at`` is when it happened, the key the order in which it was noted. Clocks are a function of these rows.
    """

    id = models.BigAutoField(primary_key=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    at = models.DateTimeField()
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="ticket_event_kind_known")]
        indexes = [models.Index(fields=["ticket", "at", "id"], name="ticket_event_log")]


class TicketLink(TenantModel):
    """Two tickets that belong together, read in this direction."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links")
    other = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="linked_from")
    kind = models.CharField(max_length=10, choices=LinkKind.choices, default=LinkKind.RELATED)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "other", "kind"], name="ticket_link_once"),
            models.CheckConstraint(condition=~Q(ticket=F("other")), name="ticket_link_to_another"),
        ]


class TicketRating(TenantModel):
    """A customer's answer after a resolution; one for each cycle, so that a reopened ticket can be rated again."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="ratings")
    cycle = models.PositiveSmallIntegerField()
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "cycle"], name="ticket_rating_once_a_cycle"),
            models.CheckConstraint(condition=Q(score__range=(1, 5)), name="ticket_rating_one_to_five"),
        ]


class TimeEntry(TenantModel):
    """Work somebody put into a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="time_entries")
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    minutes = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="time_entry_some_minutes")]
