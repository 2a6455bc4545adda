"""The views a person can open."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from accounts.models import DefaultView, SavedView, User


def views_of(page: str, user: User) -> list[SavedView]:
    """Views of ``page`` that ``user`` may open, shared ones first; ``is_default`` marks their default. One query."""
    chosen = DefaultView.objects.filter(user=user, page=page).values("view")
    rows = SavedView.objects.visible_to(user).of(page)
    return list(rows.annotate(is_default=Exists(chosen.filter(view=OuterRef("pk")))))


def default_view(page: str, user: User) -> SavedView | None:
    """The view that ``page`` opens with for ``user``, if they chose one that they still see. One query."""
    chosen = DefaultView.objects.filter(user=user, page=page).values("view")
    return SavedView.objects.visible_to(user).filter(pk__in=chosen).first()
