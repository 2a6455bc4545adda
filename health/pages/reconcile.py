"""The reconciliation: how ARR, its movements, its parts and the contracts fit each other, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.policy import requires
from health.book.choices import ScopeChoices, scope_choices
from health.book.keeping import kept
from health.book.reconcile import Equation, Reconciliation, reconcile
from health.book.scope import Scope
from health.pages.figures import chips
from health.pages.portfolio import navigation
from health.pages.portfolio_words import page_url
from ui import formats

HEADS = ("equation", "line", "accounts", "amount")


@requires(GET="portfolio.view")
def reconcile_page(request: HttpRequest) -> HttpResponse:
    """Every equation of the scope in the address with its lines, its figure and what is left over."""
    scope = Scope.read(request.GET, timezone.localdate())
    choices = scope_choices(request.user)
    found = _found(request.user, scope, choices)
    currency = request.user.workspace_settings.currency
    equations = [_shown(equation, currency) for equation in found.equations]
    context = {
        "scope": scope,
        "known": found.known,
        "difference": found.difference and formats.money(found.difference, currency),
        "equations": equations,
        "wrong": sum(bool(equation.difference) for equation in found.equations),
        "back": page_url("", scope),
        "chips": chips(scope, choices),
        "parameters": scope.parameters(),
        **navigation(scope, choices),
    }
    return render(request, "health/portfolio_reconcile.html", context)


@requires(GET="accounts.export")
def reconcile_export(request: HttpRequest) -> HttpResponse:
    """Every line as CSV; the figure stands last in its equation, then what is left over."""
    scope = Scope.read(request.GET, timezone.localdate())
    rows: list[tuple[Any, ...]] = []
    for equation in _found(request.user, scope, scope_choices(request.user)).equations:
        rows += [(equation.key, line.label, line.accounts, line.amount) for line in equation.lines]
        rows.append((equation.key, equation.stated_label, None, equation.stated))
        rows.append((equation.key, "Difference", None, equation.difference))
    return csv_response(f"reconciliation-{scope.on}.csv", HEADS, rows)


def _found(user: Any, scope: Scope, choices: ScopeChoices) -> Reconciliation:
    currency = user.workspace_settings.currency
    return kept("reconcile", user, scope, lambda: reconcile(user, scope, currency, choices))


def _shown(equation: Equation, currency: str) -> dict[str, Any]:
    return {
        "key": equation.key,
        "title": equation.title,
        "lines": [
            {
                "label": line.label,
                "accounts": line.accounts,
                "money": _signed(line.amount, currency)
                if at and equation.moves
                else formats.money(line.amount, currency),
            }
            for at, line in enumerate(equation.lines)
        ],
        "stated_label": equation.stated_label,
        "stated": formats.money(equation.stated, currency),
        "difference": formats.money(equation.difference, currency),
        "fits": not equation.difference,
        "odd": [
            {
                "id": odd.account_id,
                "name": odd.name,
                "arr": formats.money(odd.arr, currency),
                "contracts": formats.money(odd.contracts, currency),
                "difference": _signed(odd.difference, currency),
            }
            for odd in equation.odd
        ],
    }


def _signed(amount: Decimal, currency: str) -> str:
    return ("+" if amount > 0 else "") + formats.money(amount, currency)
