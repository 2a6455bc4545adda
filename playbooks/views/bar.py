"""What list, board and calendar share: one filter bar in the address, the ways to look, the last bulk change."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.policy import may
from playbooks import queries
from playbooks.choices import CtaKind, Priority
from ui import formats

VIEWS = {
    "list": ("playbooks:cta-list", "List", "list-checks"),
    "board": ("playbooks:cta-board", "Board", "columns-3"),
    "calendar": ("playbooks:cta-calendar", "Calendar", "calendar"),
}


def answer(
    request: HttpRequest,
    filters: queries.CtaFilters,
    view: str,
    context: dict[str, Any],
    *,
    parameters: dict[str, str],
    export: dict[str, str] | None = None,
    partial: bool = False,
) -> HttpResponse:
    """The page of a view, or its results alone for htmx. ``parameters`` is the whole address, ``export`` its CSV's."""
    user: Any = request.user
    today = timezone.localdate()
    owners = queries.assignees()
    context |= {
        "filters": filters,
        "parameters": parameters,
        "tabs": _tabs(user, filters, parameters, today),
        "views": [_view(name, filters, view) for name in VIEWS],
        "view": view,
        "whose": _whose(filters, parameters),
        "results": f"playbooks/_cta_{view}.html",
        "action": reverse(VIEWS[view][0]),
        "export": f"{reverse('playbooks:cta-export')}?{urlencode(parameters if export is None else export)}",
        "owners": owners,
        "may_work": may(user, "ctas.work"),
        "undo": request.session.get("cta_undo"),
    }
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    partial = partial or (htmx and not htmx.history_restore_request)
    if not partial:
        context["selects"] = _selects(filters, owners, calendar=view == "calendar")
    response = render(request, "playbooks/_cta_results.html" if partial else "playbooks/cta_list.html", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _view(name: str, filters: queries.CtaFilters, current: str) -> dict[str, Any]:
    url_name, label, icon = VIEWS[name]
    url = f"{reverse(url_name)}?{urlencode(filters.parameters())}"
    return {"label": label, "icon": icon, "url": url.rstrip("?"), "current": name == current}


def _tabs(user: Any, filters: queries.CtaFilters, parameters: dict[str, str], today: Any) -> list[dict[str, Any]]:
    """Links to each status with its number, the rest of the address kept."""
    counts = queries.status_counts(user, filters, today)
    kept = {name: value for name, value in parameters.items() if name not in {"status", "sort"}}
    return [
        {
            "label": queries.STATUSES[status],
            "count": counts[status],
            "url": f"?{urlencode({**kept, 'status': status})}",
            "current": filters.status == status,
        }
        for status in ("open", "snoozed", "closed")
    ]


def _whose(filters: queries.CtaFilters, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Everybody's or the reader's own, the rest of the address kept."""
    kept = {name: value for name, value in parameters.items() if name != "owner"}
    return [
        {"label": "Everybody's", "url": f"?{urlencode(kept)}", "current": not filters.owner},
        {"label": "Mine", "url": f"?{urlencode({**kept, 'owner': 'me'})}", "current": filters.owner == "me"},
    ]


def _selects(
    filters: queries.CtaFilters, owners: list[tuple[str, str]], *, calendar: bool
) -> list[tuple[str, str, list[Any], str]]:
    choices = [
        ("kind", "Kind", list(CtaKind.choices)),
        ("priority", "Priority", list(Priority.choices)),
        ("owner", "Owner", [("me", "Me"), ("none", "Nobody"), *owners]),
    ]
    if not calendar:
        choices.append(("due", "Due", _dues(filters.due)))
    return [(name, label, options, getattr(filters, name)) for name, label, options in choices]


def _dues(chosen: str) -> list[tuple[str, str]]:
    """The choices of the due day; a day or a span that the address names is one of them."""
    span = queries.due_range(chosen)
    named = []
    if span:
        first, last = (formats.day(day) for day in span)
        named = [(chosen, first if span[0] == span[1] else f"{first} – {last}")]
    return [*queries.DUES.items(), *named]
