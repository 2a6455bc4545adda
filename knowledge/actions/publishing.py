"""Verbs on the way from a draft to readers and back (FMEA-6.10): submit, review, publish, maintain, retire."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.actions.locking import locked
from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.policy import CAPABILITIES
from knowledge.choices import ReviewKind, State
from knowledge.models import Article, Review, Text

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def submit_article(article: Article, *, actor: User, at: datetime, expected_version: int | None = None) -> Article:
    """Ask for the two reviews of the latest text. Returns the article. Raises RuleViolated unless it is a draft."""
    article = locked(article, expected_version=expected_version)
    _expect(article, State.DRAFT)
    return _move(article, State.REVIEW, "article.submitted", actor=actor, at=at)


@transaction.atomic
def review_text(
    article: Article,
    kind: str,
    *,
    approve: bool,
    note: str = "",
    actor: User,
    at: datetime,
    expected_version: int | None = None,
) -> Review:
    """Say whether the latest text is right (``technical``) or well written (``editorial``). Returns the review.

    A refusal needs a note and makes the article a draft again. Raises RuleViolated for one's own text while somebody
    else could review it, for a second word of the same kind, and while the article is not in review.
    """
    article = locked(article, expected_version=expected_version)
    _expect(article, State.REVIEW)
    text = article.texts.get(number=_latest(article).number)
    if kind not in ReviewKind.values:
        raise RuleViolated("review.kind", f"One of {', '.join(ReviewKind.values)}.", "kind")
    if not approve and not note.strip():
        raise RuleViolated("review.note", "Say what has to change.", "note")
    if text.author_id == actor.pk and _others(actor):
        raise RuleViolated("review.own_text", "Somebody else has to review what you wrote.", "kind")
    if text.reviews.filter(kind=kind).exists():
        raise RuleViolated("review.once", f"The {ReviewKind(kind).label.lower()} has been given.", "kind")
    review = Review.objects.create(text=text, kind=kind, reviewer=actor, is_approval=approve, note=note.strip(), at=at)
    if not approve:
        article.state = State.DRAFT
    article.version += 1
    article.updated_at = at
    article.save(update_fields=["state", "version", "updated_at"])
    after = {"kind": kind, "approved": approve, "note": review.note, "text": text.number}
    record("article.reviewed", article, actor=actor, at=at, after=after)
    return review


@transaction.atomic
def publish_article(article: Article, *, actor: User, at: datetime, expected_version: int | None = None) -> Article:
    """Show the latest text to its audience. Returns the article. Raises RuleViolated while a review is missing."""
    article = locked(article, expected_version=expected_version)
    _expect(article, State.REVIEW)
    text = _latest(article)
    given = set(text.reviews.filter(is_approval=True).values_list("kind", flat=True))
    missing = [ReviewKind(kind).label.lower() for kind in ReviewKind.values if kind not in given]
    if missing:
        raise RuleViolated("article.reviews_missing", f"The {' and the '.join(missing)} must come first.")
    article.published = text
    article.published_at = at
    article.check_on = _next_check(article, at)
    return _move(article, State.PUBLISHED, "article.published", actor=actor, at=at, text=text.number)


@transaction.atomic
def confirm_article(article: Article, *, actor: User, at: datetime, expected_version: int | None = None) -> Article:
    """Note that what is published still holds; the next check is due after the article's interval. Returns it."""
    article = locked(article, expected_version=expected_version)
    if article.published_id is None:
        raise RuleViolated("article.not_published", "Only what is published can be confirmed.")
    article.check_on = _next_check(article, at)
    return _move(article, article.state, "article.confirmed", actor=actor, at=at, check_on=article.check_on)


@transaction.atomic
def retire_article(article: Article, *, actor: User, at: datetime, expected_version: int | None = None) -> Article:
    """Take an article from its readers; its texts stay and a change begins a draft again. Returns it."""
    article = locked(article, expected_version=expected_version)
    if article.state == State.RETIRED:
        raise RuleViolated("article.retired_already", "It is retired already.")
    article.published = article.published_at = article.check_on = None
    return _move(article, State.RETIRED, "article.retired", actor=actor, at=at)


def _latest(article: Article) -> Text:
    return article.texts.order_by("-number")[0]


def _others(actor: User) -> bool:
    """Whether any colleague but ``actor`` may review."""
    roles = CAPABILITIES["kb.write"].roles
    return type(actor).objects.active().filter(role__in=roles).exclude(pk=actor.pk).exists()


def _expect(article: Article, state: str) -> None:
    if article.state != state:
        text = f"The article is {State(article.state).label.lower()}, not {State(state).label.lower()}."
        raise RuleViolated("article.state", text)


def _next_check(article: Article, at: datetime) -> date:
    return timezone.localdate(at) + timedelta(days=article.check_every_days)


def _move(article: Article, state: str, action: str, *, actor: User, at: datetime, **more: object) -> Article:
    before = article.state
    article.state = state
    article.updated_at = at
    article.version += 1
    article.save()
    record(action, article, actor=actor, at=at, before={"state": before}, after={"state": state, **more})
    return article
