"""Reads of the knowledge base: lists, search, suggestions and what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils.safestring import SafeString

from knowledge.choices import Audience, Place, State
from knowledge.models import DICTIONARY, Article, Category, Lookup
from ui import keyset
from ui.atoms import html

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
MOST_FOUND = 30
SUGGESTED = 5
WORDS_ASKED = 12
# No letter of any text: they mark a hit inside a passage until it is escaped.
OPEN, CLOSE = "\ue000", "\ue001"
COLUMNS = (
    "pk", "slug", "title", "state", "audience", "is_limited", "category__key", "category__title", "owner__name",
    "updated_at", "published_at", "check_on", "helpful", "unhelpful", "version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty means everything and unknown words count as empty."""

    q: str = ""
    category: str = ""
    state: str = ""
    audience: str = ""
    whose: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        """The filters of an address."""
        state, audience = query.get("state", ""), query.get("audience", "")
        return cls(
            q=query.get("q", "").replace("\x00", "").strip()[:200],
            category=query.get("category", "").replace("\x00", "")[:60],
            state=state if state in {*State.values, "overdue"} else "",
            audience=audience if audience in Audience.values else "",
            whose="me" if query.get("whose") == "me" else "",
        )

    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """An article that answers a search, with the passage that does, its hits in ``<mark>``."""

    slug: str
    title: str
    category: str
    passage: SafeString


def articles(user: User, filters: Filters, cursor: str, *, on: date) -> keyset.Page:
    """A page of articles as rows, newest change first. One query.

    ``q`` looks in the titles and in the text that readers see.
    """
    rows = _narrowed(user, filters, on)
    if filters.q:
        rows = rows.filter(Q(title__icontains=filters.q) | Q(published__search=every_word(filters.q)))
    field = Article._meta.get_field("updated_at")
    order = keyset.Order("updated_at", descending=True)
    return keyset.page(rows.values(*COLUMNS), order, field, cursor, PAGE_SIZE)


def state_counts(user: User, on: date) -> dict[str, int]:
    """How many articles stand where, and how many wait for a check of accuracy (``overdue``). One query."""
    by_state = {state: Count("pk", filter=Q(state=state)) for state in State.values}
    overdue = Count("pk", filter=Q(published__isnull=False, check_on__lt=on))
    counted: dict[str, int] = Article.objects.visible_to(user).aggregate(all=Count("pk"), overdue=overdue, **by_state)
    return counted


def categories(user: User) -> list[Category]:
    """Every shelf with ``article_count``, the published articles ``user`` may read. One query."""
    readable = Article.objects.visible_to(user).published().values("pk")
    counted = Count("articles", filter=Q(articles__in=readable))
    return list(Category.objects.annotate(article_count=counted).order_by("position", "title"))


def on_shelf(user: User, shelf: Category) -> list[dict[str, Any]]:
    """The published articles of ``shelf`` that ``user`` may read, by title: slug, title, summary. One query."""
    rows = Article.objects.visible_to(user).published().filter(category=shelf)
    columns = {"heading": F("published__title"), "summary": F("published__summary")}
    return list(rows.order_by("published__title").values("slug", **columns))


def published_article(user: User, slug: str) -> Article | None:
    """The article at ``slug`` with its published text and its shelf, if ``user`` may read it. One query."""
    rows = Article.objects.visible_to(user).published().select_related("published", "category")
    return rows.filter(slug=slug).first()


def search(user: User, query: str, *, category: str = "") -> list[Found]:
    """The published articles ``user`` may read that hold every word of ``query``, best first, at most 30. One query.

    Understands quotes, ``or`` and ``-`` before a word. Titles weigh most, then summaries, then the text.
    """
    rows = Article.objects.visible_to(user).published()
    if category:
        rows = rows.filter(category__key=category)
    return _found(rows, every_word(query), MOST_FOUND)


def suggestions(user: User, words: str) -> list[Found]:
    """The published articles that share most with ``words``, such as a ticket's subject; at most 5. One query.

    One word in common is enough to be found and rare ones count no more than others; common ones of the language do
    not count.
    """
    asked = list(dict.fromkeys(re.findall(r"\w{3,}", words.lower())))[:WORDS_ASKED]
    if not asked:
        return []
    query = SearchQuery(asked[0], config=DICTIONARY)
    for word in asked[1:]:
        query |= SearchQuery(word, config=DICTIONARY)
    return _found(Article.objects.visible_to(user).published(), query, SUGGESTED)


def gaps(since: datetime, *, most: int = 50) -> list[dict[str, Any]]:
    """What people looked for and found no answer to, most wanted first. One query.

    Each row has ``query``, ``times``, ``people`` and ``last_at``.
    """
    rows = Lookup.objects.filter(at__gte=since, article=None).values("query")
    counted = rows.annotate(times=Count("pk"), people=Count("user", distinct=True), last_at=Max("at"))
    return [dict(row) for row in counted.order_by("-times", "-last_at")[:most]]


def deflection(since: datetime) -> list[dict[str, Any]]:
    """For each place where somebody looked: questions an article answered, and those none did. One query.

    ``answered_pct`` is the share of those that said so either way. In the portal and on the ticket form each
    answered one is a ticket that was not written.
    """
    rows = Lookup.objects.filter(at__gte=since).values("place").order_by("place")
    counted = rows.annotate(answered=Count("article"), open=Count("pk") - Count("article"))
    return [
        {
            **row,
            "label": Place(row["place"]).label,
            "answered_pct": 100 * row["answered"] / (row["answered"] + row["open"]),
        }
        for row in counted
    ]


def least_helpful(*, most: int = 20) -> list[dict[str, Any]]:
    """Published articles by how many readers they did not help. One query."""
    rows = Article.objects.published().filter(unhelpful__gt=0).order_by("-unhelpful", "helpful", "pk")
    return list(rows.values(*COLUMNS)[:most])


def every_word(query: str) -> SearchQuery:
    """What ``query`` asks of a text: every word; quotes, ``or`` and ``-`` before a word are understood."""
    return SearchQuery(query, config=DICTIONARY, search_type="websearch")


def _narrowed(user: User, filters: Filters, on: date) -> QuerySet[Article]:
    rows = Article.objects.visible_to(user)
    if filters.category:
        rows = rows.filter(category__key=filters.category)
    if filters.state == "overdue":
        rows = rows.to_maintain(on)
    elif filters.state:
        rows = rows.filter(state=filters.state)
    if filters.audience:
        rows = rows.filter(audience=filters.audience)
    return rows.filter(owner=user) if filters.whose else rows


def _found(rows: QuerySet[Article], query: Any, most: int) -> list[Found]:
    ranked = (
        rows.filter(published__search=query)
        .annotate(rank=SearchRank(F("published__search"), query, normalization=1))
        .order_by("-rank", "-helpful", "title")
    )
    passage = SearchHeadline(
        "published__words", query, config=DICTIONARY, start_sel=OPEN, stop_sel=CLOSE, max_words=28, min_words=12
    )
    cells = ranked.annotate(passage=passage).values_list("slug", "published__title", "category__title", "passage")
    return [Found(slug, title, category, _marked(text)) for slug, title, category, text in cells[:most]]


def _marked(passage: str) -> SafeString:
    """``passage`` escaped, its hits in ``<mark>``."""
    # SECURITY: escaped first; the two marks are ours and hold no text.
    return html(escape(passage).replace(OPEN, "<mark>").replace(CLOSE, "</mark>"))
