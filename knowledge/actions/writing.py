"""Verbs on an article's words and on who they are for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.text import slugify

from accounts.actions.locking import differences, lock_source, locked
from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import Account
from knowledge.choices import Audience, State
from knowledge.models import Article, Category, Text
from knowledge.text import to_words

if TYPE_CHECKING:
    from accounts.models import User

MOST_CHARACTERS = 100_000
MOST_TAGS = 12
SETTINGS = frozenset({"category", "audience", "tags", "owner", "check_every_days"})


@transaction.atomic
def write_article(
    *,
    actor: User,
    at: datetime,
    category: Category,
    title: str,
    body: str,
    summary: str = "",
    accounts: Iterable[Account] = (),
    **settings: Any,
) -> Article:
    """Begin an article as a draft of ``actor``. Returns it.

    ``body`` is Markdown; ``accounts`` limits a public one to these customers. ``settings`` are ``audience``,
    ``tags``, ``check_every_days``, ``owner``. Raises RuleViolated naming the field.
    """
    _check(title, body, settings)
    article = Article(
        slug=_free_slug(title),
        category=category,
        title=title.strip(),
        created_at=at,
        updated_at=at,
        **{"owner": actor, **settings},
    )
    article.save()
    _limit(article, accounts)
    _write(article, 1, title, summary, body, actor, at)
    record("article.created", article, actor=actor, at=at, after={"title": article.title, "audience": article.audience})
    return article


@transaction.atomic
def revise_article(
    article: Article,
    *,
    actor: User,
    at: datetime,
    expected_version: int | None = None,
    title: str | None = None,
    summary: str | None = None,
    body: str | None = None,
    accounts: Iterable[Account] | None = None,
    **settings: Any,
) -> Article:
    """Change words or settings. Returns the article, unchanged when nothing differs.

    Words that somebody reviewed or that are published stay as a version; the change begins the next one, which is a
    draft and needs both reviews (FMEA-6.10). Readers see the published text until then. Settings hold at once.
    Raises StaleVersion, RuleViolated.
    """
    article = locked(article, expected_version=expected_version)
    latest = article.texts.select_for_update()[0]
    given = {"title": title, "summary": summary, "body": body}
    words = {name: getattr(latest, name) if value is None else value.strip() for name, value in given.items()}
    _check(words["title"], words["body"], settings)
    before, after = differences(article, settings)
    for name in after:
        setattr(article, name, settings[name])
    if accounts is not None and _limit(article, accounts):
        after["accounts"] = article.is_limited
    if any(words[name] != getattr(latest, name) for name in words):
        _next_text(article, latest, words, actor, at)
        before["text"], after["text"] = latest.number, article.texts.values_list("number", flat=True)[0]
    if not after:
        return article
    article.updated_at = at
    article.version += 1
    article.save()
    record("article.updated", article, actor=actor, at=at, before=before, after=after)
    return article


def _next_text(article: Article, latest: Text, words: dict[str, str], actor: User, at: datetime) -> None:
    """Write over words that nobody has seen, or begin the next version; either is a draft."""
    seen = latest.pk == article.published_id or latest.reviews.exists()
    if not seen:
        latest.delete()
    _write(article, latest.number + seen, words["title"], words["summary"], words["body"], actor, at)
    article.title = words["title"]
    article.state = State.DRAFT


def _write(article: Article, number: int, title: str, summary: str, body: str, actor: User, at: datetime) -> Text:
    return Text.objects.create(
        article=article,
        number=number,
        title=title.strip(),
        summary=summary.strip(),
        body=body.strip(),
        words=to_words(body),
        author=actor,
        written_at=at,
    )


def _limit(article: Article, accounts: Iterable[Account]) -> bool:
    """Set who may read a public article; whether that changed anything."""
    wanted = set(accounts)
    if wanted == set(article.accounts.all()):
        return False
    article.accounts.set(wanted)
    article.is_limited = bool(wanted)
    article.save(update_fields=["is_limited"])
    return True


def _check(title: str, body: str, settings: dict[str, Any]) -> None:
    unknown = settings.keys() - SETTINGS
    if unknown:
        raise LookupError(f"an article has no {', '.join(sorted(unknown))}")
    if not title.strip() or len(title.strip()) > 200:
        raise RuleViolated("article.title", "A title of 1 to 200 characters is needed.", "title")
    if not body.strip():
        raise RuleViolated("article.body_empty", "An article needs some text.", "body")
    if len(body) > MOST_CHARACTERS:
        raise RuleViolated("article.body_long", f"At most {MOST_CHARACTERS:,} characters.", "body")
    if settings.get("audience", Audience.INTERNAL) not in Audience.values:
        raise RuleViolated("article.audience", f"One of {', '.join(Audience.values)}.", "audience")
    tags = settings.get("tags", [])
    if len(tags) > MOST_TAGS or any(not tag or len(tag) > 40 for tag in tags):
        raise RuleViolated("article.tags", f"At most {MOST_TAGS} tags of 1 to 40 characters.", "tags")
    if not 1 <= settings.get("check_every_days", 180) <= 1095:
        raise RuleViolated("article.check_every_days", "From 1 to 1095 days.", "check_every_days")


def _free_slug(title: str) -> str:
    """An address for ``title`` that no article has yet. Writers wait for each other."""
    lock_source("article", "slugs")
    base = slugify(title)[:100].strip("-") or "article"
    taken = set(Article.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)
