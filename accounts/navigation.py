"""The pages of the side bar: an entry shows when its address exists and the policy table lets the user read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, get_urlconf, resolve, reverse
from django.utils.module_loading import import_string

from accounts.choices import Role
from accounts.policy import CAPABILITIES

KEPT_SECONDS = 20
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
    Entry("playbooks:cta-list", "CTAs", "list-checks", phone=True),
    Entry("engagement:inbox", "Inbox", "inbox", phone=True),
    Entry("myday:day", "My day", "sun", phone=True, first_for=DAY_FIRST),
    Entry("accounts:account-list", "At risk", "bookmark", "Views", query="?band=risk"),
    Entry("accounts:account-list", "Renewing in 90 days", "bookmark", "Views", query="?renewal=90&sort=renewal"),
    Entry("accounts:account-list", "My book", "bookmark", "Views", query="?owner=me"),
    Entry("health:metric-report", "Success metrics", "chart-line", "Views"),
    Entry("knowledge:article-list", "Knowledge base", "book-open"),
    Entry("health:scorecard-list", "Scorecards", "heart-pulse", "Method"),
    Entry("health:backtest-list", "Backtest lab", "history", "Method"),
    Entry("health:trigger-list", "Triggers", "zap", "Method"),
    Entry("playbooks:playbook-list", "Playbooks", "route", "Method"),
    Entry("support:policy-list", "Service levels", "calendar-clock", "Method"),
    Entry("packs:methodology", "Methodology", "book-open", "Method"),
    Entry("imports:job-list", "Imports", "upload", "Data"),
    Entry("usage:receipt-list", "Usage received", "database", "Data"),
    Entry("people:user-list", "People", "users", "Administration"),
    Entry("people:token-list", "API tokens", "key-round", "Administration"),
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
    """Entries with their addresses that exist and that ``user`` may read; worked out once a role."""
    if not user.is_authenticated or not user.is_active:
        return ()
    return _entries(user.role, get_urlconf())


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
def _counters() -> dict[str, Callable[[Any], int]]:
    return {name: import_string(path) for name, path in settings.NAVIGATION_COUNTS.items()}


def counts_for(user: Any) -> dict[str, int]:
    """How many things wait behind each entry, by the functions the domains registered.

    Kept for some seconds, since every page asks; the user's own next change forgets them (``ForgetCounts``).
    """
    return cache.get_or_set(
        _counts_key(user), lambda: {name: of(user) for name, of in _counters().items()}, KEPT_SECONDS
    )


def _counts_key(user: Any) -> str:
    return f"navigation.counts.{user.pk}"


class ForgetCounts:
    """Middleware: after a request that may have changed something, the user's counts are read again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if request.method not in SAFE_METHODS and user is not None and user.is_authenticated:
            cache.delete(_counts_key(user))
        return response
