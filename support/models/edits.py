"""The same verb on many tickets, with what each had before, so that it can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

from support.models.tickets import Ticket
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class TicketEditQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> TicketEditQuerySet:
        """Edits of a ticket that ``user`` may see, newest first. A customer's people see none: they are internal."""
        if not user.is_authenticated or not user.is_active or user.is_portal:
            return self.none()
        rows = TicketEditRow.objects.filter(ticket__in=Ticket.objects.visible_to(user), edit=OuterRef("pk"))
        return self.filter(Exists(rows)).order_by("-at", "-pk")


class TicketEdit(TenantModel):
    """One verb (assign, status, tag) on several tickets; ``label`` says it in words."""

    actor = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    verb = models.CharField(max_length=10, choices=[("assign", "Assigned"), ("status", "Status"), ("tag", "Tagged")])
    label = models.CharField(max_length=200)
    tickets = models.PositiveIntegerField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = TicketEditQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(tickets__gt=0), name="ticket_edit_touched_something")]
        indexes = [models.Index(fields=["-at", "-id"], name="ticket_edit_newest")]

    def __str__(self) -> str:
        return f"{self.tickets} {self.label}"


class TicketEditRow(models.Model):
    """What one ticket had before, by column, its version then (``base``) and right after; ``restored_at``: by an undo.

    ``event`` is the entry of its log that the edit added. ``version`` moves on when an edit on top of this one is
    undone: the ticket is as this one left it again.
    """

    edit = models.ForeignKey(TicketEdit, on_delete=models.CASCADE, related_name="rows")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    before = models.JSONField()
    event = models.ForeignKey("support.TicketEvent", null=True, on_delete=models.CASCADE, related_name="+")
    base = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    restored_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edit", "ticket"], name="ticket_edit_row_once")]
        indexes = [models.Index(fields=["ticket", "version"], name="ticket_edit_row_of_version")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.before}"
