"""The search over everything: each domain says what of its own can be found, one query asks them all.

A domain registers a ``Source`` in ``settings.SEARCH_SOURCES``. Its rows come through ``visible_to``, so that nobody
finds what they may not see, and only while its page exists and the reader's role may open it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache as once
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Case, F, Lookup, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from accounts.models import Account, Contact, User
from accounts.policy import may

SHORTEST = 2
LONGEST = 80
MOST_WORDS = 6
COLUMNS = ("found_source", "found_key", "found_target", "found_title", "found_detail", "found_rank")

ORDER = ("found_rank", "found_title", "found_key")


class ContainsAnyCase(Lookup):  # type: ignore[type-arg]
    """``ILIKE``, which a trigram index answers; Django's ``icontains`` compares upper-cased text and cannot use it."""

    lookup_name = "contains_any_case"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} ILIKE {right}", [*left_values, *right_values]


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing to be found.

    ``rows(user, words)`` are its rows as ``found`` shapes them. ``mark`` is an icon's name, or ``logo`` or ``avatar``
    for one made of the title. ``page`` names the address of a thing, whose argument is the row's ``target``, or, with
    ``is_listed``, a list narrowed to it; ``whole`` names the list of all that match. Lists take ``?q=``.
    """

    heading: str
    capability: str
    mark: str
    page: str
    rows: Callable[[User, str], QuerySet[Any]]
    whole: str = ""
    is_listed: bool = False

    def address(self, target: str) -> str:
        """Where the thing is, or an empty string while nobody serves its page."""
        if self.is_listed:
            return f"{_path(self.page)}?{urlencode({'q': target})}"
        return _path(self.page, target)


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: a key for the page, where it is, what it is called, and a word about it."""

    key: str
    url: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one kind, best first; ``more`` is the address of the list of all that match, or empty."""

    heading: str
    mark: str
    hits: list[Hit]
    more: str


def cleaned(text: str) -> str:
    """What a person typed, without zero characters and spaces around it, at most 80 characters."""
    return text.replace("\x00", "").strip()[:LONGEST]


def find(user: User, words: str, *, most: int) -> list[Group]:
    """What ``user`` may see and open that holds every word of ``words``; at most ``most`` of a kind. One query.

    Fewer than two characters find nothing and ask nothing. Names that begin with the words come first.
    """
    sources = [source for source in _sources() if may(user, source.capability)] if len(words) >= SHORTEST else []
    parts = [
        source.rows(user, words).annotate(found_source=Value(place)).values_list(*COLUMNS).order_by(*ORDER)[:most]
        for place, source in enumerate(sources)
    ]
    if not parts:
        return []
    rows = sorted(parts[0].union(*parts[1:], all=True), key=lambda row: (row[0], row[5], row[3].casefold(), row[1]))
    by_source = {place: list(found) for place, found in groupby(rows, key=itemgetter(0))}
    return [_group(sources[place], words, found) for place, found in by_source.items()]


def having(fields: str | Iterable[str], words: str) -> Q:
    """Rows of which one of ``fields`` holds every word of ``words``, upper and lower case alike."""
    patterns = [f"%{_literal(word)}%" for word in words.split()[:MOST_WORDS]]
    asked = Q()
    for field in [fields] if isinstance(fields, str) else fields:
        every = Q()
        for pattern in patterns:
            every &= Q(ContainsAnyCase(F(field), Value(pattern)))
        asked |= every
    return asked


def found(
    rows: QuerySet[Any], words: str, *, key: str, target: str, title: str, detail: str, later: Q | None = None
) -> QuerySet[Any]:
    """``rows`` in the columns every source has; ``later`` are those shown after the others."""
    begins = When(**{f"{title}__istartswith": words}, then=Value(0))
    put_off = [When(later, then=Value(2))] if later is not None else []
    return rows.order_by().annotate(
        found_key=Cast(F(key), TextField()),
        found_target=Cast(F(target), TextField()),
        found_title=Cast(F(title), TextField()),
        found_detail=Cast(F(detail), TextField()),
        found_rank=Case(*put_off, begins, default=Value(1)),
    )


def _group(source: Source, words: str, rows: list[tuple[Any, ...]]) -> Group:
    hits = [Hit(key, source.address(target), title, detail or "") for _place, key, target, title, detail, _rank in rows]
    more = f"{_path(source.whole)}?{urlencode({'q': words})}" if source.whole else ""
    return Group(source.heading, source.mark, hits, more)


@once
def _sources() -> tuple[Source, ...]:
    """Those registered whose pages are served."""
    known = (import_string(path) for path in settings.SEARCH_SOURCES)
    nobody = "00000000-0000-0000-0000-000000000000"
    return tuple(source for source in known if source.address(nobody))


def _path(url_name: str, *arguments: str) -> str:
    try:
        return reverse(url_name, args=arguments)
    except NoReverseMatch:
        return ""


def _literal(word: str) -> str:
    """``word`` as a pattern that means itself."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# -- what the records themselves offer ------------------------------------------------------------------


def _accounts(user: User, words: str) -> QuerySet[Account]:
    rows = Account.objects.visible_to(user).unarchived().filter(having("name", words))
    return found(rows, words, key="pk", target="pk", title="name", detail="owner__name")


def _contacts(user: User, words: str) -> QuerySet[Contact]:
    rows = Contact.objects.visible_to(user).present().filter(having(("name", "email"), words))
    return found(rows, words, key="pk", target="account_id", title="name", detail="account__name")


def _colleagues(user: User, words: str) -> QuerySet[User]:
    rows = User.objects.visible_to(user).active().staff().filter(having(("name", "email"), words))
    rows = rows.annotate(shown_name=Coalesce(NullIf("name", Value("")), "email", output_field=TextField()))
    return found(rows, words, key="pk", target="email", title="shown_name", detail="email")


ACCOUNTS = Source("Accounts", "accounts.view", "logo", "accounts:account-detail", _accounts, "accounts:account-list")
CONTACTS = Source("People at customers", "accounts.view", "avatar", "accounts:account-people", _contacts)
COLLEAGUES = Source("Colleagues", "users.view", "avatar", "people:user-list", _colleagues, is_listed=True)
