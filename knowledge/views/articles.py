"""The list of articles, one article, its editor and its history."""

from __future__ import annotations

from datetime import timedelta
from difflib import ndiff
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode as encoded

from accounts.policy import requires
from knowledge import actions, queries
from knowledge.choices import Audience, ReviewKind, State
from knowledge.forms import ArticleForm, PictureForm, ReviewForm, words_of
from knowledge.models import Article, Text
from knowledge.text import to_html
from ui.atoms import html

INSIGHT_DAYS = 90


@requires(GET="kb.view")
def index(request: HttpRequest) -> HttpResponse:
    """Articles by state and shelf; with ``q`` the published answers first, with the passage that answers."""
    filters = queries.Filters.read(request.GET)
    today = timezone.localdate()
    page = queries.articles(request.user, filters, request.GET.get("after", ""), on=today)
    found = queries.search(request.user, filters.q, category=filters.category) if filters.q else []
    parameters = filters.parameters()
    context = {
        "filters": filters,
        "page": page,
        "found": found,
        "tabs": _tabs(filters, queries.state_counts(request.user, today)),
        "categories": queries.categories(request.user),
        "audiences": Audience.choices,
        "states": dict(State.choices),
        "today": today,
        "next": _url(parameters, page.next),
        "previous": _url(parameters, page.previous),
    }
    return render(request, "knowledge/index.html", context)


@requires(GET="kb.view")
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """What readers see, or ``?text=N``; for what is being written also the reviews it has and needs."""
    found = _article(request, slug)
    latest = found.texts.prefetch_related("reviews__reviewer").select_related("author").first()
    shown = _text(found, request.GET.get("text")) or found.published or latest
    reviews = {review.kind: review for review in latest.reviews.all()}
    context = {
        "article": found,
        "text": shown,
        "latest": latest,
        "body": html(to_html(shown.body)),
        "steps": [(label, reviews.get(kind)) for kind, label in ReviewKind.choices],
        "review_form": ReviewForm(),
        "picture_form": PictureForm(),
        "limited_to": list(found.accounts.order_by("name")) if found.is_limited else [],
        "overdue": found.check_on is not None and found.check_on < timezone.localdate(),
        "asked": request.GET.get("q", "")[:200],
    }
    return render(request, "knowledge/article.html", context)


@requires(GET="kb.write", POST="kb.write")
def create(request: HttpRequest) -> HttpResponse:
    """Write a new article; ``?title=`` begins it, such as from a search that found nothing."""
    form = ArticleForm(request.POST or None, user=request.user, initial={"title": request.GET.get("title", "")[:200]})
    if form.is_bound and form.is_valid():
        made = []

        def write() -> None:
            made.append(actions.write_article(actor=request.user, at=timezone.now(), **form.values()))

        if form.run(write):
            return redirect("knowledge:article-detail", made[0].slug)
    return render(request, "knowledge/form.html", {"form": form}, status=422 if form.is_bound else 200)


@requires(GET="kb.write", POST="kb.write")
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the latest text, or begin the next one."""
    found = _article(request, slug)
    form = ArticleForm(request.POST or None, user=request.user, initial=words_of(found))

    def revise() -> None:
        version = form.cleaned_data["version"]
        actions.revise_article(found, actor=request.user, at=timezone.now(), expected_version=version, **form.values())

    if form.is_bound and form.is_valid() and form.run(revise):
        messages.success(request, "Saved.")
        return redirect("knowledge:article-detail", slug)
    context = {"form": form, "article": found, "picture_form": PictureForm()}
    return render(request, "knowledge/form.html", context, status=422 if form.is_bound else 200)


@requires(POST="kb.write")
def preview(request: HttpRequest) -> HttpResponse:
    """How Markdown will look: a fragment for the editor, a page without JavaScript."""
    body = html(to_html(request.POST.get("body", "")[:100_000]))
    template = "knowledge/_preview.html" if request.htmx else "knowledge/preview.html"
    return render(request, template, {"body": body})


@requires(GET="kb.view")
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version, and what changed between two of them: by default the last step."""
    found = _article(request, slug)
    texts = list(found.texts.select_related("author").prefetch_related("reviews__reviewer"))
    new = _text(found, request.GET.get("new")) or texts[0]
    before = _text(found, request.GET.get("old")) or next((text for text in texts if text.number < new.number), None)
    lines = ndiff(before.body.splitlines(), new.body.splitlines()) if before else []
    context = {
        "article": found,
        "texts": texts,
        "old": before,
        "new": new,
        "lines": [(line[0], line[2:]) for line in lines if line[0] != "?"],
    }
    return render(request, "knowledge/history.html", context)


@requires(GET="kb.view")
def insights(request: HttpRequest) -> HttpResponse:
    """What people looked for in vain, how often an article was the answer, and which did not help."""
    since = timezone.now() - timedelta(days=INSIGHT_DAYS)
    context = {
        "days": INSIGHT_DAYS,
        "gaps": [{**gap, "write": encoded({"title": gap["query"].capitalize()})} for gap in queries.gaps(since)],
        "places": queries.deflection(since),
        "unhelpful": queries.least_helpful(),
    }
    return render(request, "knowledge/insights.html", context)


def _article(request: HttpRequest, slug: str) -> Article:
    rows = Article.objects.visible_to(request.user).select_related("category", "owner", "published__author")
    return get_object_or_404(rows, slug=slug)


def _text(found: Article, number: str | None) -> Text | None:
    """The version of that number; None without one. 404 for one that is not there."""
    if not number:
        return None
    if not number.isdecimal() or len(number) > 5:
        raise Http404
    return get_object_or_404(found.texts.select_related("author"), number=int(number))


def _tabs(filters: queries.Filters, counts: dict[str, int]) -> list[tuple[str, str, int, bool]]:
    """(address, label, count, chosen) of each state."""
    rest = {name: value for name, value in filters.parameters().items() if name != "state"}
    names = [("", "All", "all"), *((state, label, state) for state, label in State.choices)]
    names.append(("overdue", "To check", "overdue"))
    return [
        (f"?{urlencode({**rest, **({'state': key} if key else {})})}", label, counts[count], filters.state == key)
        for key, label, count in names
    ]


def _url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""
