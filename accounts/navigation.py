"""The pages of the side bar: an entry shows when its address exists and the policy table lets the user read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache as once
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, QuerySet, TextField, Value, Window
from django.db.models.functions import Cast, RowNumber
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, get_urlconf, resolve, reverse
from django.utils.module_loading import import_string

from accounts.choices import STAFF_ROLES, ListPage, Role
from accounts.models import SavedView
from accounts.policy import CAPABILITIES

KEPT_SECONDS = 20
MOST_VIEWS = 12
MOST_OPENED = 3
VIEWS, OPENED = "Views", "Accounts I opened"
# The mark of an entry that stands for an account: a logo made of its name.
LOGO = "logo"
PAGES_WITH_VIEWS = {
    "accounts:account-list": ListPage.ACCOUNTS.value,
    "support:ticket-list": ListPage.TICKETS.value,
    "accounts:portfolio": ListPage.PORTFOLIO.value,
}
# How each list's address names the view that is open; the queue's "view" is a tab.
VIEW_PARAMETERS = {"support:ticket-list": "saved"}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the side bar; ``section`` heads its group, ``phone`` puts it in the phone's tab bar.

    It stands first for the roles of ``first_for``, else where it is listed.
    """

    url_name: str
    label: str
    icon: str
    section: str = ""
    phone: bool = False
    query: str = ""
    first_for: frozenset[str] = frozenset()


# Those whose day is a list of accounts to work.
DAY_FIRST: frozenset[str] = frozenset({Role.CSM, Role.RENEWALS, Role.ONBOARDING})

ENTRIES = (
    Entry("portal:home", "Home", "layout-dashboard", phone=True),
    Entry("accounts:portfolio", "Portfolio", "layout-dashboard", phone=True),
    Entry("accounts:account-list", "Accounts", "building-2", phone=True),
    Entry("health:renewal-list", "Renewals", "refresh-cw"),
    Entry("playbooks:cta-list", "CTAs", "list-checks", phone=True),
    Entry("support:ticket-list", "Tickets", "ticket", first_for=frozenset({Role.SUPPORT_AGENT})),
    Entry("support:escalation-list", "Escalations", "triangle-alert"),
    Entry("support:incident-list", "Incidents", "activity"),
    Entry("engagement:inbox", "Inbox", "inbox", phone=True),
    Entry("myday:day", "My day", "sun", phone=True, first_for=DAY_FIRST),
    Entry("health:review-list", "Reviews", "clipboard-list", "Views"),
    Entry("health:metric-report", "Success metrics", "chart-line", "Views"),
    Entry("support:mail-list", "Mail room", "mail"),
    Entry("knowledge:article-list", "Knowledge base", "book-open"),
    Entry("support:report-promises", "Support reports", "chart-column", "Views"),
    Entry("health:scorecard-list", "Scorecards", "heart-pulse", "Method"),
    Entry("health:backtest-list", "Backtest lab", "history", "Method"),
    Entry("health:trigger-list", "Triggers", "zap", "Method"),
    Entry("playbooks:playbook-list", "Playbooks", "route", "Method"),
    Entry("support:policy-list", "Service levels", "calendar-clock", "Method"),
    Entry("support:team-list", "Teams", "users", "Method"),
    Entry("packs:methodology", "Methodology", "book-open", "Method"),
    Entry("imports:job-list", "Imports", "upload", "Data"),
    Entry("usage:receipt-list", "Usage received", "database", "Data"),
    Entry("people:user-list", "People", "users", "Administration"),
    Entry("people:token-list", "API tokens", "key-round", "Administration"),
    Entry("webhooks:list", "Webhooks", "webhook", "Administration"),
    Entry("accounts:workspace-settings", "Settings", "settings", "Administration"),
    Entry("accounts:audit-log", "Audit log", "scale", "Administration"),
    Entry("console:tenant-list", "Tenants", "server", "Administration"),
)


def address(url_name: str) -> str:
    """The path of a page without parameters, or an empty string while this host serves no such name."""
    return _address(url_name, get_urlconf())


@once
def _address(url_name: str, urlconf: str | None) -> str:
    try:
        return reverse(url_name, urlconf)
    except NoReverseMatch:
        return ""


@once
def _capability(url_name: str, urlconf: str | None) -> str:
    """What reading the page needs, from the view's own declaration; empty when it declares none of the table's."""
    path = _address(url_name, urlconf)
    declared = getattr(resolve(path, urlconf).func, "policy", {}) if path else {}
    name = declared.get("GET", "")
    return name if name in CAPABILITIES else ""


def entries_for(user: Any) -> tuple[tuple[Entry, str], ...]:
    """Entries with their addresses that exist and that ``user`` may read, views of lists, and accounts opened last."""
    if not user.is_authenticated or not user.is_active:
        return ()
    entries = _entries(user.role, get_urlconf())
    views = tuple(_view_entries(user)) if any(entry.url_name in PAGES_WITH_VIEWS for entry, _url in entries) else ()
    opened = tuple(_opened_entries(user)) if user.role in STAFF_ROLES else ()
    # The pages without a heading are those of every day.
    plain, listed = (tuple(item for item in entries if item[0].section == section) for section in ("", VIEWS))
    return plain + views + listed + opened + tuple(item for item in entries if item[0].section not in {"", VIEWS})


def _view_entries(user: Any) -> Iterator[tuple[Entry, str]]:
    for url_name, name, key, query in _kept(user).views:
        text = f"?{VIEW_PARAMETERS.get(url_name, 'view')}={key}" + (f"&{query}" if query else "")
        yield Entry(url_name, name, "bookmark", VIEWS, query=text), address(url_name) + text


def _opened_entries(user: Any) -> Iterator[tuple[Entry, str]]:
    for name, key in _kept(user).opened:
        path = reverse("accounts:account-detail", args=[key])
        yield Entry("accounts:account-detail", name, LOGO, OPENED), path


@once
def _entries(role: str, urlconf: str | None) -> tuple[tuple[Entry, str], ...]:
    found = []
    for entry in ENTRIES:
        path = address(entry.url_name)
        capability = _capability(entry.url_name, urlconf) if path else ""
        if capability and role in CAPABILITIES[capability].roles:
            found.append((entry, path + entry.query))
    return tuple(sorted(found, key=lambda item: role not in item[0].first_for))


@once
def _counted() -> dict[str, Callable[[Any], QuerySet[Any]]]:
    return {name: import_string(path) for name, path in settings.NAVIGATION_COUNTS.items()}


def _counts(user: Any) -> dict[str, int]:
    """How many rows wait behind each entry; one query for all of them."""
    (first, *others) = [
        rows(user).order_by().values(entry=Value(name)).annotate(waiting=Count("pk", distinct=True))
        for name, rows in _counted().items()
    ]
    return dict(first.union(*others, all=True).values_list("entry", "waiting"))


class Kept(NamedTuple):
    """What the side bar of one person shows besides the pages of their role."""

    counts: dict[str, int]
    views: list[tuple[str, str, str, str]]
    opened: list[tuple[str, str]]


def counts_for(user: Any) -> dict[str, int]:
    """How many things wait behind each entry, by the functions the domains registered."""
    return _kept(user).counts


def _kept(user: Any) -> Kept:
    """Kept for some seconds, since every page asks; the user's own next change forgets it (``ForgetCounts``)."""
    # One look-up for a page: the side bar, the palette and the phone's menu all ask.
    known: Kept | None = user.__dict__.get("_navigation")
    if known is None:
        known = user.__dict__["_navigation"] = cache.get_or_set(_key(user), lambda: _read(user), KEPT_SECONDS)
    return known


def _read(user: Any) -> Kept:
    """Two queries: the counts, and the views together with the accounts opened last."""
    names = {page: url_name for url_name, page in PAGES_WITH_VIEWS.items()}
    views, opened = _views(user), _opened(user)
    # Customers have no views, and a union with nothing is the other part itself, which has its order.
    rows = list(opened if views.query.is_empty() else views.union(opened, all=True).order_by("page", "place"))
    return Kept(
        _counts(user),
        [(names[page], name, key, query) for page, name, key, query, _place in rows if page in names],
        [(name, key) for page, name, key, _query, _place in rows if page not in names],
    )


def _views(user: Any) -> QuerySet[Any]:
    # A view of a page that the person's role does not open would lead to a refusal.
    read = {entry.url_name for entry, _url in _entries(user.role, get_urlconf())}
    pages = [page for url_name, page in PAGES_WITH_VIEWS.items() if url_name in read]
    views = SavedView.objects.visible_to(user)
    rows = views.filter(page__in=pages) if pages else views.none()
    place = Window(RowNumber(), order_by=[F("is_shared").desc(), "name", "pk"])
    shown = rows.annotate(key=Cast("pk", TextField()), place=place).order_by("place")
    return shown.values_list("page", "name", "key", "query", "place")[:MOST_VIEWS]


def _opened(user: Any) -> QuerySet[Any]:
    """The accounts opened last, in the shape of ``_views``."""
    place = Window(RowNumber(), order_by=[F("opened_at").desc(), "account"])
    nothing = Value("", TextField())
    shown = _opened_by()(user).annotate(
        page=nothing, name=F("account__name"), key=Cast("account", TextField()), query=nothing, place=place
    )
    return shown.order_by("place").values_list("page", "name", "key", "query", "place")[:MOST_OPENED]


@once
def _opened_by() -> Callable[[Any], QuerySet[Any]]:
    return import_string(settings.NAVIGATION_OPENED)  # type: ignore[no-any-return]


def forget(user: Any) -> None:
    """Read the counts and views of ``user`` again on the next page."""
    user.__dict__.pop("_navigation", None)
    cache.delete(_key(user))


def _key(user: Any) -> str:
    return f"navigation.kept.{user.pk}"


class ForgetCounts:
    """Middleware: after a request that may have changed something, the user's counts are read again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if request.method not in SAFE_METHODS and user is not None and user.is_authenticated:
            forget(user)
        return response
