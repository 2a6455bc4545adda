"""What readers do, colleagues and customers alike: see pictures, say whether it helped, be offered an answer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import requires
from knowledge import actions, queries
from knowledge.choices import Place
from knowledge.models import Article, Picture


@requires(GET="kb.read")
def picture(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """A picture of an article that the reader may read."""
    found = get_object_or_404(Picture, pk=picture_id, article__in=Article.objects.visible_to(request.user))
    with found.file.open("rb") as file:
        headers = {"Cache-Control": "private, max-age=86400"}
        return HttpResponse(file.read(), content_type="image/png", headers=headers)


@requires(GET="kb.view")
def suggest(request: HttpRequest) -> HttpResponse:
    """Articles that may answer what is being typed into a ticket: a fragment, also a page of its own."""
    words = (request.GET.get("q") or request.GET.get("subject", "")).replace("\x00", "").strip()[:200]
    found = queries.suggestions(request.user, words)
    template = "knowledge/_suggestions.html" if request.htmx else "knowledge/suggestions.html"
    return render(request, template, {"found": found, "words": words})


@requires(POST="kb.read")
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    """It helped, or it did not and why."""
    article = _published(request, slug)
    helpful = request.POST.get("helpful") == "yes"
    comment = request.POST.get("comment", "")
    actions.vote(article, is_helpful=helpful, comment=comment, actor=request.user, at=timezone.now())
    messages.success(request, "Thank you." if helpful else "Thank you; whoever looks after this page will see it.")
    return _back(request, slug)


@requires(POST="kb.read")
def solved(request: HttpRequest, slug: str) -> HttpResponse:
    """The article answered what the reader looked for."""
    query, place = request.POST.get("q", ""), _place(request)
    article = _published(request, slug)
    actions.note_answer(article, query, place=place, actor=request.user, at=timezone.now())
    messages.success(request, "Glad it helped.")
    return _back(request, slug)


@requires(POST="kb.read")
def gap(request: HttpRequest) -> HttpResponse:
    """No article answered it."""
    try:
        actions.note_gap(request.POST.get("q", ""), place=_place(request), actor=request.user, at=timezone.now())
    except RuleViolated as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Noted. Whoever writes articles sees what is missing.")
    return redirect("portal:help" if request.user.is_portal else "knowledge:article-list")


def _place(request: HttpRequest) -> str:
    if request.user.is_portal:
        return Place.PORTAL
    return Place.TICKET if request.POST.get("place") == Place.TICKET else Place.BASE


def _published(request: HttpRequest, slug: str) -> Article:
    return get_object_or_404(Article.objects.visible_to(request.user).published(), slug=slug)


def _back(request: HttpRequest, slug: str) -> HttpResponse:
    """To the page the reader knows."""
    return redirect("portal:help-article" if request.user.is_portal else "knowledge:article-detail", slug)
