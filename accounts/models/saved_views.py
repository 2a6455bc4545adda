"""Views of lists that people keep: filters, sort and columns as the query string that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.choices import ListPage
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


class SavedViewQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> SavedViewQuerySet:
        """One's own views and those that were shared; a customer's people have none."""
        if not user.is_authenticated or not user.is_active or user.is_portal:
            return self.none()
        return self.filter(Q(owner=user) | Q(is_shared=True))

    def of(self, page: str) -> SavedViewQuerySet:
        """Views of one list, shared ones first, each kind by name."""
        return self.filter(page=page).order_by("-is_shared", "name", "pk")


class SavedView(TenantModel):
    """A view of the list ``page``. ``query`` is canonical: the list writes it, and reads it back to the same.

    Without an owner it came with the workspace; then it is shared and leaders keep it.
    """

    page = models.CharField(max_length=20, choices=ListPage.choices)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    owner = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.CASCADE, related_name="saved_views"
    )
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(page__in=ListPage.values), name="saved_view_page_known"),
            models.CheckConstraint(
                condition=Q(is_shared=True) | Q(owner__isnull=False), name="saved_view_is_somebodys"
            ),
            models.UniqueConstraint("page", "owner", Lower("name"), name="saved_view_name_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return self.name

    def is_open_to(self, user: User) -> bool:
        """Whether ``visible_to`` has it among the views of ``user``. No query."""
        is_colleague = user.is_authenticated and user.is_active and not user.is_portal
        return is_colleague and (self.is_shared or self.owner_id == user.pk)


class DefaultView(TenantModel):
    """The view a person's list opens with when the address names nothing."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="default_views")
    page = models.CharField(max_length=20, choices=ListPage.choices)
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "page"], name="default_view_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.view}"
