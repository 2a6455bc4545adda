"""The Contracts tab."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions import create_contract, update_contract
from accounts.asof import asked_day
from accounts.errors import RuleViolated
from accounts.forms import ContractForm, LineFormSet
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account, Contract
from accounts.policy import requires
from accounts.queries.past import lines_then

TAB = "accounts:account-contracts"


@requires(GET="accounts.view")
def contracts(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """All terms, newest first, with their lines. Two queries beside the frame's, one on a past day."""
    asked = asked_day(request)
    account = account_or_404(request, account_id, asked.past)
    rows = lines_then(account.past) if asked.past else _contracts(account)  # type: ignore[attr-defined]
    removed = account.past.removed("contract") if asked.past else 0  # type: ignore[attr-defined]
    context = frame(request, account, TAB, asked, contracts=rows, today=asked.today, removed=removed)
    return render(request, "accounts/contracts.html", context, status=asked.status)


def _contracts(account: Account) -> list[Contract]:
    found = list(account.contracts.prefetch_related("lines").order_by("-start_on", "pk"))
    for contract in found:
        contract.shown_lines = contract.lines.all()  # type: ignore[attr-defined]
    return found


@requires(GET="accounts.edit", POST="accounts.edit")
def create(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A new contract."""
    account = editable_account_or_404(request, account_id)
    initial = {"currency": account.currency, "start_on": timezone.localdate()}
    return _contract_form(request, account, None, initial, [])


@requires(GET="accounts.edit", POST="accounts.edit")
def edit(request: HttpRequest, account_id: UUID, contract_id: UUID) -> HttpResponse:
    """A contract and its lines."""
    account = editable_account_or_404(request, account_id)
    contract = get_object_or_404(Contract.objects.prefetch_related("lines"), pk=contract_id, account=account)
    lines = [{"product": line.product, "seats": line.seats, "arr": line.arr} for line in contract.lines.all()]
    return _contract_form(request, account, contract, ContractForm.initial_of(contract), lines)


def _contract_form(
    request: HttpRequest, account: Account, contract: Contract | None, initial: dict, lines: list[dict]
) -> HttpResponse:
    form = ContractForm(request.POST or None, initial=initial)
    formset = LineFormSet(request.POST or None, initial=lines, prefix="lines")
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        values = form.values() | {"lines": formset.lines()}
        try:
            if contract is None:
                create_contract(account, actor=request.user, at=timezone.now(), **values)
            else:
                version = form.cleaned_data["version"]
                update_contract(contract, actor=request.user, at=timezone.now(), expected_version=version, **values)
        except RuleViolated as problem:
            form.refuse(problem)
        else:
            messages.success(request, "The contract was saved; ARR, seats and renewal follow from it.")
            return redirect(TAB, account.pk)
    heading = "New contract" if contract is None else f"Edit contract {contract}"
    context = frame(request, account, TAB, form=form, formset=formset, heading=heading)
    failed = form.errors or (request.method == "POST" and not formset.is_valid())
    return render(request, "accounts/contract_form.html", context, status=422 if failed else 200)
