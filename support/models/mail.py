"""Mail as it arrived, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from support.choices import MailState
from support.models.tickets import Ticket
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


class IncomingMailQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> IncomingMailQuerySet:
        """Mail ``user`` may look at: what joined a ticket as that ticket is, the rest like every colleague."""
        if not user.is_authenticated or not user.is_active or user.is_portal:
            return self.none()
        return self.filter(Q(ticket=None) | Q(ticket__in=Ticket.objects.visible_to(user)))

    def due(self, at: datetime) -> IncomingMailQuerySet:
        """Stored, and not worked or waiting for another try."""
        return self.filter(state=MailState.WAITING, not_before__lte=at)


class IncomingMail(TenantModel):
    """One mail, kept as it came before anybody reads it. ``raw`` is never changed or dropped.

    ``reason`` says in a sentence why it stands where it does, ``rule`` by a name. The columns after ``state`` repeat
    what was read in it, for lists.
    """

    raw = models.BinaryField()
    size = models.PositiveIntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64, unique=True, help_text="The same bytes are taken once")
    source = models.CharField(max_length=20, help_text="mailbox, smtp or file")
    recipient = models.CharField(max_length=254, blank=True, help_text="The address on its envelope, if known")
    received_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=MailState.choices, default=MailState.WAITING)
    rule = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    refused_files = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    mail_id = models.CharField(max_length=255, blank=True, help_text="Its Message-ID")
    from_address = models.CharField(max_length=254, blank=True)
    from_name = models.CharField(max_length=160, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    ticket = models.ForeignKey("support.Ticket", null=True, blank=True, on_delete=models.CASCADE, related_name="mails")
    message = models.OneToOneField(
        "support.Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="mail"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    worked_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: by rule"
    )

    objects = IncomingMailQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MailState.values), name="incoming_mail_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[MailState.WAITING, MailState.OPENED, MailState.JOINED]) | ~Q(reason=""),
                name="incoming_mail_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[MailState.OPENED, MailState.JOINED]) | Q(ticket__isnull=False),
                name="incoming_mail_joined_a_ticket",
            ),
        ]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(state=MailState.WAITING), name="incoming_mail_due"),
            models.Index(fields=["state", "-received_at", "-id"], name="incoming_mail_sorted"),
            models.Index(fields=["-received_at", "-id"], name="incoming_mail_newest"),
            models.Index(fields=["from_address", "received_at"], name="incoming_mail_by_sender"),
        ]

    def __str__(self) -> str:
        return self.subject or "(no subject)"
