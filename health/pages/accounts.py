"""The accounts list, its CSV and assigning an owner to several accounts at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.actions import assign_owner
from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.fields import identifier
from accounts.models import Account, User
from accounts.policy import may, requires
from health.book.cells import AccountCells, band_name
from health.book.filters import COLOURS, RENEWALS, STATUSES, AccountFilters
from health.book.listing import DEFAULT_SORT, account_list, all_rows, filter_choices
from ui.formats import number
from ui.tables import table

MOST_AT_ONCE = 500
BANDS = {
    "risk": "At risk (orange, red)",
    "red": "Red",
    "orange": "Orange",
    "watch": "Yellow",
    "green": "Green",
    "none": "No data",
}
STATUS_LABELS = {
    "live": "Live",
    "prospect": "Prospects",
    "active": "Active",
    "churned": "Churned",
    "archived": "Archived",
}
CHANGES = {"down": "Falling", "up": "Rising"}
assert set(BANDS) == set(COLOURS)


@requires(GET="accounts.view")
def account_index(request: HttpRequest) -> HttpResponse:
    """The list; htmx gets the results alone."""
    today = timezone.localdate()
    filters = AccountFilters.read(request.GET)
    listing = account_list(request.user, filters, request.GET.get("sort", ""), request.GET.get("after", ""), today)
    parameters = filters.parameters()
    if listing.sort != DEFAULT_SORT:
        parameters["sort"] = listing.sort
    cells = AccountCells(today)
    may_edit = may(request.user, "accounts.edit")
    context: dict[str, Any] = {
        "filters": filters,
        "parameters": parameters,
        "total": listing.total,
        "shown": len(listing.page.rows),
        "table": table(
            cells.columns(),
            listing.page.rows,
            f"{number(listing.total)} accounts",
            parameters=filters.parameters(),
            sort=listing.sort,
            select=(lambda row: (str(row["pk"]), row["name"])) if may_edit else None,
        ),
        "next": _page_url(parameters, listing.page.next),
        "previous": _page_url(parameters, listing.page.previous),
        "export": f"{reverse('accounts:account-export')}?{urlencode(parameters)}",
        "may_edit": may_edit,
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if not partial:
        context |= _filter_form(filters, request.user)
    elif may_edit:
        context["owners"] = filter_choices(request.user).owners
    response = render(request, "health/_account_results.html" if partial else "health/account_list.html", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _page_url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""


def _filter_form(filters: AccountFilters, user: User) -> dict[str, Any]:
    choices = filter_choices(user)
    renewals = [(value, "Overdue" if value == "overdue" else f"In {value} days") for value in RENEWALS]
    selects = [
        ("band", "Band", list(BANDS.items())),
        ("owner", "Owner", [("me", "Me"), ("none", "Nobody"), *choices.owners]),
        ("tier", "Tier", choices.tiers),
        ("segment", "Segment", choices.segments),
        ("stage", "Stage", choices.stages),
        ("renewal", "Renewal", renewals),
        ("change", "Trend", list(CHANGES.items())),
        ("status", "Status", [(key, STATUS_LABELS[key]) for key in STATUSES]),
    ]
    shown = [
        (name, label, options, getattr(filters, name))
        for name, label, options in selects
        if options and not (len(options) == 1 and name == "segment")
    ]
    return {"selects": shown, "owners": choices.owners}


@requires(GET="accounts.export")
def account_export(request: HttpRequest) -> HttpResponse:
    """The same rows as the list shows, all of them, as CSV."""
    today = timezone.localdate()
    rows = all_rows(request.user, AccountFilters.read(request.GET), request.GET.get("sort", ""), today)
    headings = (
        "id,name,tier,segment,stage,status,owner,arr,currency,renewal_on,score,band,colour,change_30d,coverage_pct"
    ).split(",")
    lines = [
        (
            row["pk"],
            row["name"],
            row["tier__name"],
            row["segment"],
            row["stage__name"],
            row["status"],
            row["owner__email"],
            row["arr"],
            row["currency"],
            row["renewal_on"],
            row["health__shown"],
            band_name(row["health__current_band"]),
            row["health__current_rag"],
            row["health__change_30d"],
            row["health__coverage_pct"],
        )
        for row in rows
    ]
    return csv_response(f"accounts-{today.isoformat()}.csv", headings, lines)


@requires(POST="accounts.edit")
def account_assign(request: HttpRequest) -> HttpResponse:
    """Give the selected accounts, or all that match, to one owner; each refusal is told with its reason."""
    owner = get_object_or_404(User.objects.active().staff(), pk=identifier(request.POST.get("new_owner")))
    filters = AccountFilters.read(request.POST)
    if request.POST.get("scope") == "all":
        rows = filters.accounts(request.user, timezone.localdate())
    else:
        rows = Account.objects.visible_to(request.user).filter(pk__in=_ids(request))
    accounts = list(rows.filter(pk__in=Account.objects.editable_by(request.user).values("pk"))[: MOST_AT_ONCE + 1])
    if len(accounts) > MOST_AT_ONCE:
        messages.error(request, f"At most {MOST_AT_ONCE} accounts at once. Narrow the list first; nothing was changed.")
    else:
        _assign_each(request, accounts, owner)
    return redirect(f"{reverse('accounts:account-list')}?{urlencode(filters.parameters())}")


def _ids(request: HttpRequest) -> list[UUID]:
    keys = [identifier(value) for value in request.POST.getlist("id")[: MOST_AT_ONCE + 1]]
    return [key for key in keys if key is not None]


def _assign_each(request: HttpRequest, accounts: list[Account], owner: User) -> None:
    now = timezone.now()
    reason = request.POST.get("reason", "")[:200]
    refused = []
    for account in accounts:
        try:
            assign_owner(account, owner, actor=request.user, at=now, reason=reason)
        except RuleViolated as problem:
            refused.append(f"{account.name}: {problem}")
    done = len(accounts) - len(refused)
    if done:
        messages.success(request, f"{owner} now owns {done} account{'s' if done != 1 else ''}.")
    for line in refused[:5]:
        messages.error(request, line)
    if not accounts:
        messages.error(request, "No account of yours was selected.")
