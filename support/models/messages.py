"""What was said in a ticket, with its attachments, and answers kept ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from support.choices import Channel, Delivery
from support.models.tickets import Ticket
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class MessageQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> MessageQuerySet:
        """Messages of tickets ``user`` may see; customers never see an internal one."""
        found = self.within("ticket", Ticket.objects.visible_to(user))
        return found.filter(is_internal=False) if getattr(user, "is_portal", False) else found

    def public(self) -> MessageQuerySet:
        return self.filter(is_internal=False)


class Message(TenantModel):
    """One message of a conversation: from the customer, an answer, or an internal note.

    ``author`` is one of the house, ``contact`` one of the customer's; a machine's message has neither.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    is_internal = models.BooleanField(default=False)
    from_customer = models.BooleanField(default=False)
    # Out-of-office notes, acknowledgements, answers of a machine: they never count as a response.
    is_automatic = models.BooleanField(default=False)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey("accounts.Contact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    body = models.TextField(help_text="Plain text or Markdown")
    html = models.TextField(blank=True, help_text="Made safe already; empty: the body is all there is")
    quoted = models.TextField(blank=True, help_text="What the mail repeated of those before it; shown folded")
    delivery = models.CharField(max_length=8, choices=Delivery.choices, default=Delivery.NONE)
    delivery_error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    mail_id = models.CharField(max_length=255, blank=True, help_text="Message-ID of the mail it came or went in")
    created_at = models.DateTimeField()

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(is_internal=True, from_customer=True), name="message_of_a_customer_is_public"
            ),
            models.CheckConstraint(
                condition=Q(is_internal=False) | Q(delivery=Delivery.NONE), name="message_internal_never_leaves"
            ),
            models.CheckConstraint(
                condition=Q(delivery=Delivery.SENT, sent_at__isnull=False)
                | ~Q(delivery=Delivery.SENT) & Q(sent_at=None),
                name="message_sent_at_iff_sent",
            ),
            models.UniqueConstraint(fields=["mail_id"], condition=~Q(mail_id=""), name="message_mail_once"),
        ]
        indexes = [
            models.Index(fields=["ticket", "created_at", "id"], name="message_conversation"),
            models.Index(fields=["created_at"], condition=Q(delivery=Delivery.PENDING), name="message_outgoing"),
        ]

    def __str__(self) -> str:
        return self.body[:80]


class AttachmentQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> AttachmentQuerySet:
        return self.within("message", Message.objects.visible_to(user))


class Attachment(TenantModel):
    """A file of a message. Type and size were checked before it was stored (``accounts.uploads``)."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    file = models.FileField(upload_to="tickets/%Y/%m/")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name


class Macro(TenantModel):
    """An answer kept ready, with what is to be done besides; ``{ticket.number}`` and its like are filled in.

    ``actions``: {"status": "waiting_customer", "tags": ["billing"], "assign_to_me": true, "level": 2, …}.
    """

    name = models.CharField(max_length=120)
    body = models.TextField(blank=True)
    is_internal = models.BooleanField(default=False, help_text="Adds a note instead of an answer")
    actions = models.JSONField(default=dict, blank=True)
    team = models.ForeignKey("support.Team", null=True, blank=True, on_delete=models.CASCADE, related_name="macros")
    position = models.PositiveSmallIntegerField(default=0)
    used_count = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(retired_at=None), name="macro_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
