"""What is drawn from the portfolio is kept until any of its data changes, for everybody who sees the same accounts."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

from django.core.cache import cache
from django.utils import timezone

from health.book.filters import MINE
from health.book.portfolio import state_of_data
from health.book.scope import Scope, sees_own_book_only

KEPT_SECONDS = 600
Drawn = TypeVar("Drawn")


def kept(what: str, user: Any, scope: Scope, draw: Callable[[], Drawn]) -> Drawn:
    """``draw()`` of this scope, or what it said last while nothing has changed. One query tells whether."""
    whose = user.pk if scope.owner == MINE else seen_as(user)
    return kept_while_unchanged((what, whose, sorted(scope.parameters().items()), scope.today), draw)


def kept_while_unchanged(
    asked: tuple[Any, ...], draw: Callable[[], Drawn], may_keep: Callable[[Drawn], bool] = lambda _drawn: True
) -> Drawn:
    """``draw()``, or what it said last for ``asked`` while no account, contract, score or judgement has changed.

    ``asked`` names what is drawn and everything the answer depends on besides; what ``may_keep`` refuses is drawn anew
    each time. One query tells whether it holds.
    """
    name = sha256(repr((*asked, *state_of_data())).encode()).hexdigest()
    known: Drawn | None = cache.get(name)
    if known is None:
        known = draw()
        if not may_keep(known):
            return known
        cache.set(name, known, KEPT_SECONDS)
    return known


def seen_as(user: Any) -> Any:
    """The same for all who see the same accounts.

    Whoever sees their own book sees another's with it while they stand in: to the end of the workspace's day.
    """
    return (user.pk, user.workspace_settings.day_of(timezone.now())) if sees_own_book_only(user) else "all"
