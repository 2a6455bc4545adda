"""Views of the queue that people keep: filters, tab and sort under a name, one's own and shared ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from accounts.actions import change_view, delete_view, save_view
from accounts.choices import ListPage
from accounts.errors import RuleViolated
from accounts.models import SavedView
from accounts.navigation import forget
from accounts.policy import requires
from support.queries.listing import canonical


@requires(POST="views.save")
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep what the queue shows as a new view, and open it."""
    user: Any = request.user
    query = canonical(QueryDict(request.POST.get("query", "")[:2000]))
    shared = bool(request.POST.get("is_shared"))
    name = request.POST.get("name", "")
    try:
        view = save_view(page=ListPage.TICKETS, name=name, query=query, is_shared=shared, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return redirect(f"{reverse('support:ticket-list')}?{query}")
    messages.success(request, f"“{view}” is saved.")
    return _opened(request, view)


@requires(POST="views.save")
def view_change(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Let a view show what the queue shows now, or give it another name."""
    user: Any = request.user
    view = _view(request, view_id)
    changes: dict[str, Any] = {}
    if "name" in request.POST:
        changes["name"] = request.POST["name"]
    if "query" in request.POST:
        changes["query"] = canonical(QueryDict(request.POST["query"][:2000]))
    try:
        view = change_view(view, actor=user, at=timezone.now(), **changes)
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, "Saved.")
    return _opened(request, view)


@requires(POST="views.save")
def view_delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete a view; the tickets stay."""
    user: Any = request.user
    view = _view(request, view_id)
    try:
        delete_view(view, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return _opened(request, view)
    forget(user)
    messages.success(request, f"The view “{view}” is deleted.")
    return redirect("support:ticket-list")


def _view(request: HttpRequest, view_id: UUID) -> SavedView:
    user: Any = request.user
    return get_object_or_404(SavedView.objects.visible_to(user).of(ListPage.TICKETS), pk=view_id)


def _opened(request: HttpRequest, view: SavedView) -> HttpResponse:
    forget(request.user)
    return redirect(f"{reverse('support:ticket-list')}?saved={view.pk}{'&' + view.query if view.query else ''}")
