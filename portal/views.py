"""The customer's side."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.downloads import download
from accounts.policy import requires
from knowledge import queries as knowledge
from knowledge.text import to_html
from portal.queries import accounts_of, file_for, files_for, shared_with, team_of
from ui.atoms import html


@requires(GET="portal.view")
def home(request: HttpRequest, account_id: UUID | None = None) -> HttpResponse:
    """One account of the reader's: the first, or the one in the address."""
    mine = accounts_of(request.user)
    chosen = next((account for account in mine if account_id in {None, account.id}), None)
    if account_id is not None and chosen is None:
        raise Http404
    context = {
        "mine": mine,
        "account": chosen,
        "team": team_of(chosen.id) if chosen else [],
        "entries": shared_with(request.user, chosen.id) if chosen else [],
    }
    return render(request, "portal/home.html", context)


@requires(GET="portal.view")
def files(request: HttpRequest) -> HttpResponse:
    """The files shared with the reader's companies, last changed first."""
    return render(request, "portal/files.html", {"files": files_for(request.user), "in_files": True})


@requires(GET="portal.view")
def file_download(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """The current version of a shared file; earlier ones are the vendor's own."""
    found = file_for(request.user, version_id)
    if found is None:
        raise Http404
    return download(found)


@requires(GET="portal.view")
def help_index(request: HttpRequest) -> HttpResponse:
    """Articles published for the reader: by shelf, or the answers to ``q``, within a shelf if one is chosen."""
    return _help(request, knowledge.Filters.read(request.GET))


def _help(request: HttpRequest, filters: knowledge.Filters) -> HttpResponse:
    categories = knowledge.categories(request.user)
    shelf = next((category for category in categories if category.key == filters.category), None)
    context = {
        "filters": filters,
        "categories": categories,
        "shelf": shelf,
        "in_help": True,
        "found": knowledge.search(request.user, filters.q, category=filters.category) if filters.q else [],
        "articles": knowledge.on_shelf(request.user, shelf) if shelf and not filters.q else [],
    }
    return render(request, "portal/help.html", context)


@requires(GET="portal.view")
def suggest(request: HttpRequest) -> HttpResponse:
    """Articles that may answer what is being typed into a request: a fragment; without script the search."""
    words = (request.GET.get("q") or request.GET.get("subject", "")).replace("\x00", "").strip()[:200]
    if not request.htmx:  # type: ignore[attr-defined]
        return _help(request, knowledge.Filters.read({"q": words}))
    found = knowledge.suggestions(request.user, words)
    return render(request, "portal/_suggestions.html", {"found": found, "words": words})


@requires(GET="portal.view")
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    """One article as it is published."""
    article = knowledge.published_article(request.user, slug)
    if article is None:
        raise Http404
    context = {
        "article": article,
        "text": article.published,
        "body": html(to_html(article.published.body)),
        "asked": request.GET.get("q", "")[:200],
        "in_help": True,
    }
    return render(request, "portal/article.html", context)
