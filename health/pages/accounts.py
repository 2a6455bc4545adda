"""The accounts list: saved views as tabs, filters, columns, and the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.choices import ListPage
from accounts.models import User
from accounts.own_values import PREFIX, FieldDefinition, own_answers
from accounts.policy import may, requires
from accounts.queries.own_fields import known_fields
from accounts.queries.saved_views import default_view, views_of
from health.book.accounts.asked import COLUMNS, Asked
from health.book.accounts.chips import chips, facets, offered, own_facets
from health.book.accounts.columns import ListCells, heading_of
from health.book.accounts.order import SORT_NAMES
from health.book.accounts.rows import Listing, page_of
from health.book.accounts.tabs import tabs_for
from health.book.listing import filter_choices
from health.pages.account_views import ACCOUNTS
from health.pages.list_views import view_state
from ui.formats import number
from ui.tables import table

WIDE = 9


@requires(GET="accounts.view")
def account_index(request: HttpRequest) -> HttpResponse:
    """The list; htmx gets the results alone. Without anything asked for it opens with the reader's default view."""
    user: User = request.user  # type: ignore[assignment]
    path = reverse("accounts:account-list")
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if not request.GET and (chosen := default_view(ListPage.ACCOUNTS, user)):
        return redirect(Asked.parse(chosen.query).url(path, {"view": str(chosen.pk)}))
    asked = Asked.read(request.GET)
    if moved := _moved(asked, request.GET.get("move", "")):
        return redirect(moved.url(path, {**_view_parameter(request), "panel": "columns"}))
    today, now = timezone.localdate(), timezone.now()
    listing = page_of(user, asked, request.GET.get("after", ""), today=today, now=now)
    context = _results(request, asked, listing, path=path, today=today)
    if not partial:
        views = context["views"]
        context["tabs"] = tabs_for(user, views, context["view"], path, today)
        context["facets"] = facets(offered(user), asked.filters)
        context["own_facets"] = own_facets(context["own_fields"].values(), asked.filters)
    response = render(request, "health/_account_results.html" if partial else "health/account_list.html", context)
    response["Vary"] = "HX-Request, Cookie"
    if partial:
        response["HX-Push-Url"] = asked.url(path, _view_parameter(request))
    return response


def _view_parameter(request: HttpRequest) -> dict[str, str]:
    view = request.GET.get("view", "")[:36]
    return {"view": view} if view else {}


def _moved(asked: Asked, move: str) -> Asked | None:
    """The view with one column moved, for ``up:arr`` or ``down:arr``; None for anything else."""
    direction, _, key = move.partition(":")
    if direction not in {"up", "down"} or key not in asked.columns:
        return None
    columns = list(asked.columns)
    at = columns.index(key)
    to = min(max(at + (1 if direction == "down" else -1), 0), len(columns) - 1)
    columns.insert(to, columns.pop(at))
    return Asked(asked.filters, asked.sort, tuple(columns))


def _results(request: HttpRequest, asked: Asked, listing: Listing, *, path: str, today: date) -> dict[str, Any]:
    """What the part below the filters shows."""
    user: User = request.user  # type: ignore[assignment]
    parameters = asked.parameters()
    more = _view_parameter(request)
    views = views_of(ListPage.ACCOUNTS, user)
    may_edit = may(user, "accounts.edit")
    known = known_fields()
    own = {key: field for key, field in known.items() if not field.is_archived}
    columns = ListCells(today, listing.extras, asked.canonical(), known).table_columns(asked.columns)
    exported = asked.url("")
    return {
        "asked": asked,
        "filters": asked.filters,
        "own_fields": own,
        "parameters": parameters,
        "hidden": {**more, **parameters},
        "total": listing.total,
        "shown": len(listing.page.rows),
        "wide": len(columns) > WIDE or any(name.startswith(PREFIX) for name in asked.columns),
        "table": table(
            columns,
            listing.page.rows,
            f"{number(listing.total)} accounts",
            parameters={**more, **{name: value for name, value in parameters.items() if name != "sort"}},
            sort=asked.sort,
            select=(lambda row: (str(row["pk"]), row["name"])) if may_edit else None,
            row_id=lambda row: f"r-{row['pk']}",
        ),
        "next": asked.url(path, {**more, "after": listing.page.next}) if listing.page.next else "",
        "previous": asked.url(path, {**more, "after": listing.page.previous}) if listing.page.previous else "",
        "chips": chips(offered(user), asked, path, more),
        "clear": Asked(sort=asked.sort, columns=asked.columns).url(path, more),
        "sorts": [(name, Asked(asked.filters, key, asked.columns).url(path, more), key == asked.sort)
                  for key, name in _sorts(asked, own).items()],
        "sort_name": SORT_NAMES.get(asked.sort, "a column"),
        "columns": _choosable(asked, known),
        "panel": request.GET.get("panel", ""),
        "exports": [(kind, f"{reverse(f'accounts:account-export-{kind}')}{exported}") for kind in ("csv", "xlsx")],
        "may_edit": may_edit,
        **view_state(ACCOUNTS, views, request.GET.get("view", ""), asked.canonical(), user),
        **(_bulk_choices(user, own.values()) if may_edit else {}),
    }  # fmt: skip


def _sorts(asked: Asked, own: Mapping[str, FieldDefinition]) -> dict[str, str]:
    """What the menu sorts by: the usual orders, and the own fields that are shown."""
    shown = [field for field in own.values() if field.name in asked.columns]
    return SORT_NAMES | {field.name: field.label for field in shown}


def _choosable(asked: Asked, known: Mapping[str, FieldDefinition]) -> list[tuple[str, str, bool]]:
    """Every column with whether it is shown: those shown in their order, then the others."""
    every = [*COLUMNS, *(field.name for field in known.values() if not field.is_archived)]
    others = [key for key in every if key not in asked.columns]
    return [(key, heading_of(key, known).label, key in asked.columns) for key in [*asked.columns, *others]]


def _bulk_choices(user: User, own: Iterable[FieldDefinition]) -> dict[str, Any]:
    """What the bar offers to set: field, label, and (value, words) pairs.

    An own field whose value is typed ends in ``=``: the value stands in the input beside it.
    """
    choices = filter_choices(user)
    fields = [(field, own_answers(field)) for field in own]
    chosen = [
        (field.label, [(f"{field.name}:{value}", words) for value, words in [("", f"{field.label}: not set"), *pairs]])
        for field, pairs in fields
        if pairs
    ]
    typed = [(f"{field.name}=", f"{field.label}…") for field, pairs in fields if not pairs]
    return {
        "settable": [
            ("Owner", [("owner:", "Nobody"), *((f"owner:{key}", name) for key, name in choices.assignable)]),
            ("Tier", [("tier:", "No tier"), *((f"tier:{key}", name) for key, name in choices.tiers)]),
            ("Stage", [("stage:", "No stage"), *((f"stage:{key}", name) for key, name in choices.stages)]),
            ("Segment", [("segment:", "No segment"), *((f"segment:{name}", name) for _key, name in choices.plain)]),
            *chosen,
        ],
        "typed": typed,
    }
