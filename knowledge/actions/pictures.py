"""Pictures in articles."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.fields import Unreadable
from accounts.pictures import redraw
from knowledge.models import Article, Picture

if TYPE_CHECKING:
    from accounts.models import User

MOST_BYTES = 8 * 1024 * 1024
LARGEST_SIDE = 1600


@transaction.atomic
def add_picture(article: Article, raw: bytes, *, name: str, actor: User, at: datetime) -> Picture:
    """Keep a picture for ``article``, drawn anew and at most 1600 pixels wide or high. Returns it.

    Raises RuleViolated for what is no PNG, JPEG or WebP.
    """
    try:
        drawn = redraw(raw, most_bytes=MOST_BYTES, largest=LARGEST_SIDE)
    except Unreadable as wrong:
        raise RuleViolated(f"picture.{wrong.rule}", wrong.message, "picture") from wrong
    picture = Picture(article=article, name=name[:120], added_by=actor, added_at=at)
    picture.file.save(f"{picture.pk}.png", ContentFile(drawn), save=True)
    record("article.picture_added", article, actor=actor, at=at, after={"picture": picture.pk, "name": picture.name})
    return picture
