"""What people were looking for, as they say themselves: that an article answered it, or that none did.

Searching and reading note nothing: a page that is only read changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.errors import RuleViolated
from knowledge.actions.reading import vote
from knowledge.choices import Place
from knowledge.models import Article, Lookup

if TYPE_CHECKING:
    from accounts.models import User

# Saying the same again within a day is the same question.
SAME_QUESTION = timedelta(days=1)


@transaction.atomic
def note_answer(article: Article, query: str, *, place: str, actor: User, at: datetime) -> bool:
    """``article`` answered what ``actor`` looked for: also their vote for it. Whether it was new."""
    vote(article, is_helpful=True, actor=actor, at=at)
    return _note(query, article, place=place, actor=actor, at=at)


@transaction.atomic
def note_gap(query: str, *, place: str, actor: User, at: datetime) -> bool:
    """No article answered what ``actor`` looked for. Whether it was new. Raises RuleViolated for no words."""
    if not query.strip():
        raise RuleViolated("lookup.empty", "Say what you looked for.", "q")
    return _note(query, None, place=place, actor=actor, at=at)


def _note(query: str, article: Article | None, *, place: str, actor: User, at: datetime) -> bool:
    if place not in Place.values:
        raise RuleViolated("lookup.place", f"One of {', '.join(Place.values)}.", "place")
    words = " ".join(query.replace("\x00", "").split()).lower()[:200]
    same = Lookup.objects.filter(user=actor, query=words, article=article, at__gt=at - SAME_QUESTION)
    if same.exists():
        return False
    Lookup.objects.create(user=actor, place=place, query=words, article=article, at=at)
    return True
