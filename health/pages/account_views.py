"""Keeping views of the accounts list."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from accounts.choices import ListPage
from accounts.policy import requires
from health.book.accounts.asked import Asked
from health.pages import list_views

ACCOUNTS = list_views.KeptList(
    page=ListPage.ACCOUNTS,
    url_name="accounts:account-list",
    label="Accounts",
    noun="the list",
    canonical=lambda text: Asked.parse(text).canonical(),
    save="accounts:view-save",
    change="accounts:view-change",
    default="accounts:view-default",
    delete="accounts:view-delete",
)


@requires(POST="views.save")
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the view as a new one, and open it."""
    return list_views.keep(request, ACCOUNTS)


@requires(POST="views.save")
def view_change(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Give a view another name or query, share it or take it back."""
    return list_views.change(request, ACCOUNTS, view_id)


@requires(POST="views.save")
def view_delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete a view; the accounts stay."""
    return list_views.delete(request, ACCOUNTS, view_id)


@requires(POST="views.save")
def view_default(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Let the list open with the view, or no longer."""
    return list_views.choose(request, ACCOUNTS, view_id)
