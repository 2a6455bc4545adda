"""One value of one account, edited where the list shows it. Without script it is a page of its own."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.actions import edit_accounts
from accounts.errors import RuleViolated, StaleVersion
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account, AuditEntry
from accounts.own_values import LONGEST_TEXT, token_of
from accounts.policy import requires
from accounts.queries.own_fields import known_fields
from health.book.accounts.asked import Asked
from health.book.accounts.columns import ListCells
from health.book.accounts.editing import (
    field_behind,
    hint_of,
    input_type,
    label_of,
    options_for,
    own_field,
    read_value,
    value_of,
    words_for,
)
from health.book.accounts.rows import extras_of, one_row
from health.book.facts import key_facts
from health.book.own import own_facts
from ui.tables import table_row

OVERVIEW = "accounts:account-detail"
CONFLICT, UNPROCESSABLE = 409, 422
LONGEST = 80


@requires(GET="accounts.edit", POST="accounts.edit")
def account_cell(request: HttpRequest, account_id: UUID, column: str) -> HttpResponse:
    """The form of one value; POST saves it. htmx gets the form alone and, once saved, the list's
    row or, on the account's own page, its facts anew.

    A lost race is 409 and shows both values. GET of a value that follows from contracts says so.
    """
    account = editable_account_or_404(request, account_id)
    field = field_behind(column)
    if not field:
        raise Http404
    if request.method != "POST":
        return _form(request, account, column, value_of(account, field), account.version)
    raw = request.POST.get("value", "")
    version = request.POST.get("version", "")
    expected = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None
    try:
        edit = _save(account, field, raw, expected, request)
    except StaleVersion:
        current = Account.objects.select_related("tier", "stage", "owner").get(pk=account.pk)
        return _form(request, current, column, raw, current.version, status=CONFLICT, theirs=True)
    except RuleViolated as problem:
        return _form(request, account, column, raw, account.version, status=UNPROCESSABLE, error=str(problem))
    return _saved(request, account, column, edit)


def _save(account: Account, field: str, raw: str, expected: int | None, request: HttpRequest) -> Any:
    """Set the value through the one-account rules, as an edit that can be taken back. None: nothing differed."""
    edited = edit_accounts(
        Account.objects.filter(pk=account.pk),
        field,
        read_value(field, raw),
        actor=request.user,
        at=timezone.now(),
        expected_version=expected,
    )
    if edited.refused:
        raise RuleViolated("refused", edited.refused[0].why[:1].upper() + edited.refused[0].why[1:], field)
    return edited.edit


def _form(
    request: HttpRequest,
    account: Account,
    column: str,
    value: str,
    version: int,
    *,
    status: int = 200,
    error: str = "",
    theirs: bool = False,
) -> HttpResponse:
    field = field_behind(column)
    own = own_field(field)
    context: dict[str, Any] = {
        "account": account,
        "column": column,
        "label": label_of(column),
        "kind": _input(field, value),
        "hint": hint_of(field),
        "longest": LONGEST_TEXT if own else LONGEST,
        "options": options_for(field, request.user, value),
        "value": value,
        "version": version,
        "error": error,
        "field_id": f"f-{account.pk}-{token_of(column)}",
        "next": _next(request),
    }
    if theirs:
        context |= _conflict(account, field, value)
    template = "health/_account_cell.html" if request.htmx else "health/account_cell.html"  # type: ignore[attr-defined]
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    if status != 200:
        response["HX-Retarget"] = f"#{context['field_id']}"
        response["HX-Reswap"] = "outerHTML"
    return response


def _input(field: str, value: str) -> str:
    """The type of the input; the browser would show nothing of a day that is none."""
    kind = input_type(field)
    return "text" if kind == "date" and value and not _is_day(value) else kind


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _conflict(account: Account, field: str, value: str) -> dict[str, Any]:
    """Both values in words, and who was faster."""
    last = AuditEntry.objects.filter(object_type="account", object_id=str(account.pk)).order_by("-at", "-id").first()
    return {
        "theirs": words_for(field, value_of(account, field)),
        "yours": words_for(field, value),
        "who": last.actor_label if last else "Somebody",
        "when_changed": last.at if last else None,
    }


def _saved(request: HttpRequest, account: Account, column: str, edit: Any) -> HttpResponse:
    undo = reverse("accounts:edit-undo", args=[edit.pk]) if edit is not None else ""
    if not request.htmx:  # type: ignore[attr-defined]
        if undo:
            messages.success(request, f"{account.name} was saved.", extra_tags=undo)
        return redirect(_next(request))
    on_its_page = _current_path(request) == reverse(OVERVIEW, args=[account.pk])
    response = _facts_anew(request, account.pk) if on_its_page else _row_anew(request, account)
    told: dict[str, Any] = {"focusOn": f"e-{account.pk}-{token_of(column)}"}
    if undo:
        told["toast"] = {"message": f"{account.name} was saved.", "undo": undo}
    response["HX-Trigger-After-Settle"] = json.dumps(told)
    return response


def _facts_anew(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The account's own page: its key facts, and the line below its name."""
    account = account_or_404(request, account_id, **key_facts(request.user))
    own, others = own_facts(account.custom, account.own_fields, timezone.localdate())  # type: ignore[attr-defined]
    context = frame(request, account, OVERVIEW, own=own, other_own=others)
    response = render(request, "health/_saved_facts.html", context)
    response["HX-Retarget"] = "#facts"
    response["HX-Reswap"] = "outerHTML"
    return response


def _row_anew(request: HttpRequest, account: Account) -> HttpResponse:
    """The list: the account's row."""
    today, now = timezone.localdate(), timezone.now()
    asked = _asked_by(request)
    row = one_row(request.user, account, asked)
    extras = extras_of([row], asked.columns, today=today, now=now)
    cells = ListCells(today, extras, asked.canonical(), known_fields())
    markup = table_row(
        cells.table_columns(asked.columns), row,
        select=lambda row: (str(row["pk"]), row["name"]), row_id=lambda row: f"r-{row['pk']}",
    )  # fmt: skip
    response = HttpResponse(markup)
    response["HX-Retarget"] = f"#r-{account.pk}"
    response["HX-Reswap"] = "outerHTML"
    return response


def _current_path(request: HttpRequest) -> str:
    """The path of the page that htmx asks from."""
    return urlsplit(request.htmx.current_url or "").path  # type: ignore[attr-defined]


def _asked_by(request: HttpRequest) -> Asked:
    """What the list that holds the row was asked for."""
    current: str = request.htmx.current_url or ""  # type: ignore[attr-defined]
    return Asked.read(QueryDict(current.partition("?")[2].partition("#")[0]))


def _next(request: HttpRequest) -> str:
    """Back to the list as it stood, if that is ours."""
    wanted = request.POST.get("next") or request.headers.get("Referer", "")
    path = reverse("accounts:account-list")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return path
    start = wanted.find(path)
    return wanted[start:] if start >= 0 and "/cells/" not in wanted else path
