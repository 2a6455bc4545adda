"""Keeping views of the portfolio: its filters, period and split under a name."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.choices import ListPage
from accounts.policy import requires
from health.book.scope import Scope
from health.pages import list_views

PORTFOLIO = list_views.KeptList(
    page=ListPage.PORTFOLIO,
    url_name="accounts:portfolio",
    label="The portfolio",
    noun="the portfolio",
    canonical=lambda text: Scope.parse(text, timezone.localdate()).canonical(),
    save="accounts:portfolio-view-save",
    change="accounts:portfolio-view-change",
    default="accounts:portfolio-view-default",
    delete="accounts:portfolio-view-delete",
)


@requires(POST="portfolio.views")
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the view as a new one, and open it."""
    return list_views.keep(request, PORTFOLIO)


@requires(POST="portfolio.views")
def view_change(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Give a view another name or query, share it or take it back."""
    return list_views.change(request, PORTFOLIO, view_id)


@requires(POST="portfolio.views")
def view_delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete a view; board packs that were scheduled of it stop."""
    return list_views.delete(request, PORTFOLIO, view_id)


@requires(POST="portfolio.views")
def view_default(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Let the portfolio open with the view, or no longer."""
    return list_views.choose(request, PORTFOLIO, view_id)
