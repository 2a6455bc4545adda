"""The saved views above the accounts list, each a plain link with how many accounts it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.db.models import Count

from accounts.models import Account, SavedView, User
from health.book.accounts.asked import Asked
from health.book.accounts.filters import ListFilters

KEPT_SECONDS = 20
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. ``view`` is empty for the one that shows everything."""

    name: str
    url: str
    count: int
    current: bool
    view: SavedView | None = None


def tabs_for(user: User, views: Sequence[SavedView], current: SavedView | None, path: str, today: date) -> list[Tab]:
    """One tab a view, after one with every live account. One query at most every 20 seconds a reader."""
    counts = _counts(user, views, today)
    found = [Tab("All", f"{path}?view={EVERYTHING}", counts.get(EVERYTHING, 0), current is None)]
    for view in views:
        url = Asked.parse(view.query).url(path, {"view": str(view.pk)})
        found.append(Tab(view.name, url, counts.get(str(view.pk), 0), current == view, view))
    return found


def forget_counts(user: User) -> None:
    """Count anew on the next page: the reader has just changed something."""
    cache.delete(_key(user))


def _key(user: User) -> str:
    return f"health.book.tabs.{user.pk}"


def _counts(user: User, views: Sequence[SavedView], today: date) -> dict[str, int]:
    """How many accounts each view holds, all counted in one pass."""
    queries = {EVERYTHING: "", **{str(view.pk): view.query for view in views}}
    kept: tuple[dict[str, str], dict[str, int]] | None = cache.get(_key(user))
    if kept is not None and kept[0] == queries:
        return kept[1]
    filters = {key: Asked.parse(query).filters if query else ListFilters() for key, query in queries.items()}
    # Names of results cannot hold every character of a key.
    names = {f"n{place}": key for place, key in enumerate(filters)}
    wanted = {name: Count("pk", filter=filters[key].condition(user, today)) for name, key in names.items()}
    found = Account.objects.visible_to(user).aggregate(**wanted)
    counts = {key: found[name] for name, key in names.items()}
    cache.set(_key(user), (queries, counts), KEPT_SECONDS)
    return counts
