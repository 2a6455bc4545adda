"""Keeping views of the accounts list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from accounts.actions import change_view, choose_default, delete_view, save_view
from accounts.choices import ListPage
from accounts.errors import RuleViolated
from accounts.models import SavedView
from accounts.navigation import forget
from accounts.policy import requires
from health.book.accounts.asked import Asked


@requires(POST="views.save")
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the view as a new one, and open it."""
    asked = Asked.parse(request.POST.get("query", ""))
    try:
        view = save_view(
            page=ListPage.ACCOUNTS,
            name=request.POST.get("name", ""),
            query=asked.canonical(),
            is_shared=bool(request.POST.get("is_shared")),
            actor=request.user,
            at=timezone.now(),
        )
    except RuleViolated as problem:
        messages.error(request, str(problem))
        return redirect(asked.url(reverse("accounts:account-list")))
    if request.POST.get("is_default"):
        choose_default(view, page=ListPage.ACCOUNTS, actor=request.user, at=timezone.now())
    messages.success(request, f"“{view}” was saved.")
    return _opened(request, view)


@requires(POST="views.save")
def view_change(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Give a view another name or query, share it or take it back."""
    view = _view(request, view_id)
    changes: dict[str, Any] = {}
    if "name" in request.POST:
        changes["name"] = request.POST["name"]
    if "query" in request.POST:
        changes["query"] = Asked.parse(request.POST["query"]).canonical()
    if "sharing" in request.POST and view.owner_id is not None:
        changes["is_shared"] = bool(request.POST.get("is_shared"))
    version = request.POST.get("version", "")
    try:
        view = change_view(
            view,
            actor=request.user,
            at=timezone.now(),
            expected_version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None,
            **changes,
        )
    except RuleViolated as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "Saved.")
    return _opened(request, view)


@requires(POST="views.save")
def view_delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete a view; the accounts stay."""
    view = _view(request, view_id)
    try:
        delete_view(view, actor=request.user, at=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
        return _opened(request, view)
    forget(request.user)
    messages.success(request, f"The view “{view}” was deleted.")
    return redirect("accounts:account-list")


@requires(POST="views.save")
def view_default(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Let the list open with the view, or no longer."""
    view = _view(request, view_id)
    wanted = view if request.POST.get("default") == "1" else None
    choose_default(wanted, page=ListPage.ACCOUNTS, actor=request.user, at=timezone.now())
    messages.success(request, f"Accounts opens with “{view}”." if wanted else "Accounts opens with everything.")
    return _opened(request, view)


def _view(request: HttpRequest, view_id: UUID) -> SavedView:
    return get_object_or_404(SavedView.objects.visible_to(request.user).of(ListPage.ACCOUNTS), pk=view_id)


def _opened(request: HttpRequest, view: SavedView) -> HttpResponse:
    forget(request.user)
    return redirect(Asked.parse(view.query).url(reverse("accounts:account-list"), {"view": str(view.pk)}))
