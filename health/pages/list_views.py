"""Keeping views of a list: saved, changed, shared and deleted alike on the accounts list and the portfolio.

Each page names what is its own in a ``KeptList`` and puts its addresses in front of the four verbs here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from accounts.actions import change_view, choose_default, delete_view, may_keep, save_view
from accounts.choices import ListPage
from accounts.errors import RuleViolated
from accounts.fields import identifier
from accounts.models import SavedView, User
from accounts.navigation import forget
from accounts.policy import may


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list whose views are kept. ``canonical`` writes an address's query as the list itself would.

    ``label`` and ``noun`` name it at the beginning and inside of a sentence; the last
    four are the names of its addresses.
    """

    page: ListPage
    url_name: str
    label: str
    noun: str
    canonical: Callable[[str], str]
    save: str
    change: str
    default: str
    delete: str

    def url(self, query: str, view: SavedView | None = None) -> str:
        """The address that shows ``query``, with ``view`` open."""
        parts = [urlencode({"view": str(view.pk)})] if view else []
        text = "&".join([*parts, query] if query else parts)
        return reverse(self.url_name) + (f"?{text}" if text else "")


def view_state(kept: KeptList, views: Sequence[SavedView], key: str, query: str, user: User) -> dict[str, Any]:
    """Which of ``views`` is open (by ``key``), whether ``query`` differs from it, and what ``user`` may do then."""
    wanted = identifier(key)
    view = next((view for view in views if view.pk == wanted), None)
    before = kept.canonical(view.query) if view else ""
    return {
        "kept_list": kept,
        "view": view,
        "views": views,
        "query": query,
        "changed": query != before,
        "reset": kept.url(before, view),
        "may_keep": view is not None and may_keep(view, user),
        "may_share": may(user, "views.share"),
    }


def keep(request: HttpRequest, kept: KeptList) -> HttpResponse:
    """Keep the view as a new one, and open it."""
    user: User = request.user  # type: ignore[assignment]
    query = kept.canonical(request.POST.get("query", ""))
    try:
        view = save_view(
            page=kept.page,
            name=request.POST.get("name", ""),
            query=query,
            is_shared=bool(request.POST.get("is_shared")),
            actor=user,
            at=timezone.now(),
        )
    except RuleViolated as problem:
        messages.error(request, str(problem))
        return redirect(kept.url(query))
    if request.POST.get("is_default"):
        choose_default(view, page=kept.page, actor=user, at=timezone.now())
    messages.success(request, f"“{view}” was saved.")
    return _opened(user, kept, view)


def change(request: HttpRequest, kept: KeptList, view_id: UUID) -> HttpResponse:
    """Give a view another name or query, share it or take it back."""
    user: User = request.user  # type: ignore[assignment]
    view = _view(user, kept, view_id)
    changes: dict[str, Any] = {}
    if "name" in request.POST:
        changes["name"] = request.POST["name"]
    if "query" in request.POST:
        changes["query"] = kept.canonical(request.POST["query"])
    if "sharing" in request.POST and view.owner_id is not None:
        changes["is_shared"] = bool(request.POST.get("is_shared"))
    version = request.POST.get("version", "")
    try:
        view = change_view(
            view,
            actor=user,
            at=timezone.now(),
            expected_version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None,
            **changes,
        )
    except RuleViolated as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "Saved.")
    return _opened(user, kept, view)


def delete(request: HttpRequest, kept: KeptList, view_id: UUID) -> HttpResponse:
    """Delete a view; what it showed stays."""
    user: User = request.user  # type: ignore[assignment]
    view = _view(user, kept, view_id)
    try:
        delete_view(view, actor=user, at=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
        return _opened(user, kept, view)
    forget(user)
    messages.success(request, f"The view “{view}” was deleted.")
    return redirect(kept.url_name)


def choose(request: HttpRequest, kept: KeptList, view_id: UUID) -> HttpResponse:
    """Let the list open with the view, or no longer."""
    user: User = request.user  # type: ignore[assignment]
    view = _view(user, kept, view_id)
    wanted = view if request.POST.get("default") == "1" else None
    choose_default(wanted, page=kept.page, actor=user, at=timezone.now())
    messages.success(request, f"{kept.label} opens with {f'“{view}”' if wanted else 'everything'}.")
    return _opened(user, kept, view)


def _view(user: User, kept: KeptList, view_id: UUID) -> SavedView:
    return get_object_or_404(SavedView.objects.visible_to(user).of(kept.page), pk=view_id)


def _opened(user: User, kept: KeptList, view: SavedView) -> HttpResponse:
    forget(user)
    return redirect(kept.url(kept.canonical(view.query), view))
