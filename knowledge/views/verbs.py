"""What is done to an article, each a form of one button."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import requires
from knowledge import actions
from knowledge.models import Article


@requires(POST="kb.write")
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for reviews."""
    return _do(request, slug, actions.submit_article, "Sent to review.")


@requires(POST="kb.write")
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """Approve the text, or send it back with a note."""
    approve = request.POST.get("verdict") == "approve"
    kind, note = request.POST.get("kind", ""), request.POST.get("note", "")

    def give(article: Article, **by: object) -> object:
        return actions.review_text(article, kind, approve=approve, note=note, **by)

    return _do(request, slug, give, "Approved." if approve else "Sent back to its author.")


@requires(POST="kb.publish")
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Show it to its audience."""
    return _do(request, slug, actions.publish_article, "Published.")


@requires(POST="kb.write")
def confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """It still holds."""
    return _do(request, slug, actions.confirm_article, "Noted: it still holds.")


@requires(POST="kb.publish")
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    """Take it from its readers."""
    return _do(request, slug, actions.retire_article, "Retired. A change begins a draft again.")


@requires(POST="kb.write")
def add_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a picture, and say how it is put into the text."""
    file = request.FILES.get("picture")

    def add(article: Article, **by: object) -> object:
        if file is None:
            raise RuleViolated("picture.missing", "Choose a picture first.", "picture")
        return actions.add_picture(article, file.read(), name=file.name, **by)

    return _do(request, slug, add, "Added; copy its line from below the text.", to="knowledge:article-edit")


def _do(
    request: HttpRequest, slug: str, act: Callable[..., object], done: str, to: str = "knowledge:article-detail"
) -> HttpResponse:
    """Carry ``act`` out on the article and say so, or say why not."""
    article = get_object_or_404(Article.objects.visible_to(request.user), slug=slug)
    try:
        act(article, actor=request.user, at=timezone.now())
    except RuleViolated as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return redirect(to, slug)
