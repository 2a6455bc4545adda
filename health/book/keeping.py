"""What is drawn from the portfolio is kept until any of its data changes, for everybody who sees the same accounts."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

from django.core.cache import cache

from health.book.filters import MINE
from health.book.portfolio import state_of_data
from health.book.scope import Scope, sees_own_book_only

KEPT_SECONDS = 600
Drawn = TypeVar("Drawn")


def kept(what: str, user: Any, scope: Scope, draw: Callable[[], Drawn]) -> Drawn:
    """``draw()`` of this scope, or what it said last while nothing has changed. One query tells whether."""
    seen_as = user.pk if scope.owner == MINE or sees_own_book_only(user) else "all"
    asked = tuple(sorted(scope.parameters().items()))
    name = sha256(repr((what, seen_as, asked, scope.today, *state_of_data())).encode()).hexdigest()
    known: Drawn | None = cache.get(name)
    if known is None:
        known = draw()
        cache.set(name, known, KEPT_SECONDS)
    return known
