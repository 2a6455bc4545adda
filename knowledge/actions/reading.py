"""What readers say of an article."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Q

from knowledge.models import Article, Vote

if TYPE_CHECKING:
    from accounts.models import User

MOST_CHARACTERS = 2000


@transaction.atomic
def vote(article: Article, *, is_helpful: bool, comment: str = "", actor: User, at: datetime) -> Vote:
    """Note whether it helped ``actor``; a second word replaces the first. Returns the vote.

    The article's counts are counted anew under its lock, so voters at once do not lose each other. No audit entry:
    it is an answer, not a change of the record.
    """
    article = Article.objects.select_for_update().get(pk=article.pk)
    word, _new = Vote.objects.update_or_create(
        article=article,
        user=actor,
        defaults={"is_helpful": is_helpful, "comment": comment.strip()[:MOST_CHARACTERS], "at": at},
    )
    counted = article.votes.aggregate(yes=Count("pk", filter=Q(is_helpful=True)), all=Count("pk"))
    Article.objects.filter(pk=article.pk).update(helpful=counted["yes"], unhelpful=counted["all"] - counted["yes"])
    return word
