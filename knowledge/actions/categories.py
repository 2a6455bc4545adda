"""Verbs on the shelves of the knowledge base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.text import slugify

from accounts.audit import record
from accounts.errors import RuleViolated
from knowledge.models import Category

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def create_category(
    *, actor: User, at: datetime, title: str, detail: str = "", position: int | None = None
) -> Category:
    """Add a shelf of the workspace's own, last unless ``position`` says otherwise. Returns it. Raises RuleViolated."""
    key = slugify(title)[:60]
    if not key:
        raise RuleViolated("category.title", "A title with letters or digits is needed.", "title")
    if Category.objects.filter(key=key).exists():
        raise RuleViolated("category.taken", "There is such a category already.", "title")
    if position is None:
        position = Category.objects.count()
    category = Category.objects.create(key=key, title=title.strip(), detail=detail.strip(), position=position)
    record("category.created", category, actor=actor, at=at, after={"title": category.title})
    return category


@transaction.atomic
def update_category(
    category: Category, *, actor: User, at: datetime, title: str, detail: str, position: int
) -> Category:
    """Rename, explain or move a shelf; its address stays. Returns it. Raises RuleViolated."""
    if not title.strip():
        raise RuleViolated("category.title", "A title is needed.", "title")
    category = Category.objects.select_for_update().get(pk=category.pk)
    wanted = {"title": title.strip(), "detail": detail.strip(), "position": position}
    before = {name: getattr(category, name) for name in wanted if getattr(category, name) != wanted[name]}
    if before:
        for name in before:
            setattr(category, name, wanted[name])
        category.save()
        after = {name: wanted[name] for name in before}
        record("category.updated", category, actor=actor, at=at, before=before, after=after)
    return category


@transaction.atomic
def install_categories(definitions: Iterable[Mapping[str, Any]], *, pack: str) -> int:
    """Bring the shelves of ``pack`` to its definitions (``key``, ``title``, ``detail``); how many it names.

    A shelf that the workspace or another pack has under the same key stays theirs. Those no longer named stay while
    they hold articles. Safe to repeat.
    """
    definitions = list(definitions)
    known = {category.key: category for category in Category.objects.select_for_update()}
    for position, given in enumerate(definitions):
        category = known.get(given["key"]) or Category(key=given["key"], pack=pack)
        if category.pack == pack:
            category.title, category.detail = given["title"], given.get("detail") or ""
            category.position = position
            category.save()
    keys = [given["key"] for given in definitions]
    Category.objects.filter(pack=pack, articles=None).exclude(key__in=keys).delete()
    return len(definitions)
