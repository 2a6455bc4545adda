"""What the search finds of the knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from accounts.search import Source, found, having
from knowledge.choices import State
from knowledge.models import Article

if TYPE_CHECKING:
    from accounts.models import User


def _articles(user: User, words: str) -> QuerySet[Any]:
    """Articles by their title, retired ones last."""
    rows = Article.objects.visible_to(user).filter(having("title", words))
    later = Q(state=State.RETIRED)
    return found(rows, words, key="pk", target="slug", title="title", detail="category__title", later=later)


ARTICLES = Source("Articles", "kb.view", "book-open", "knowledge:article-detail", _articles, "knowledge:article-list")
