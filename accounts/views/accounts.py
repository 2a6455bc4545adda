"""Creating, editing, handing over and archiving an account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actions import archive_account, assign_owner, create_account, restore_account, update_account
from accounts.errors import RuleViolated
from accounts.forms import AccountForm, OwnerForm
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account
from accounts.policy import requires
from accounts.queries.names import suggested
from accounts.search import cleaned

UNPROCESSABLE = 422


@requires(GET="accounts.view")
def names(request: HttpRequest) -> HttpResponse:
    """Names that hold what is typed into ``field``, as its options; with ``may=edit`` those one may change."""
    user: Any = request.user
    words = cleaned(request.GET.get(request.GET.get("field", ""), ""))
    edits = request.GET.get("may") == "edit"
    accounts = Account.objects.editable_by(user) if edits else Account.objects.visible_to(user)
    return render(request, "accounts/_names.html", {"accounts": suggested(accounts, words)})


@requires(GET="accounts.create", POST="accounts.create")
def create(request: HttpRequest) -> HttpResponse:
    """A new account."""
    initial = {"currency": request.user.workspace_settings.currency, "owner": request.user.pk}  # type: ignore[union-attr]
    form = AccountForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            account = create_account(actor=request.user, at=timezone.now(), **form.values())
        except RuleViolated as problem:
            form.refuse(problem)
        else:
            messages.success(request, f"{account.name} was added.")
            return redirect("accounts:account-detail", account.pk)
    context = {"form": form, "heading": "New account"}
    return render(request, "accounts/account_form.html", context, status=UNPROCESSABLE if form.errors else 200)


@requires(GET="accounts.edit", POST="accounts.edit")
def edit(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """An account's own fields."""
    account = editable_account_or_404(request, account_id)
    form = AccountForm(
        request.POST or None, user=request.user, account=account, initial=AccountForm.initial_of(account)
    )
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        version = form.cleaned_data["version"]
        try:
            update_account(account, actor=request.user, at=now, expected_version=version, **form.values())
        except RuleViolated as problem:
            form.refuse(problem)
        else:
            messages.success(request, "Saved.")
            return redirect("accounts:account-detail", account.pk)
    context = frame(request, account, "", form=form, heading=f"Edit {account.name}")
    return render(request, "accounts/account_form.html", context, status=UNPROCESSABLE if form.errors else 200)


@requires(GET="accounts.edit", POST="accounts.edit")
def owner(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Hand the account over."""
    account = editable_account_or_404(request, account_id)
    form = OwnerForm(request.POST or None, initial={"owner": account.owner_id})
    if request.method == "POST" and form.is_valid():
        chosen: dict[str, Any] = form.cleaned_data
        try:
            assign_owner(account, chosen["owner"], actor=request.user, at=timezone.now(), reason=chosen["reason"])
        except RuleViolated as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem))
        else:
            messages.success(request, f"{chosen['owner'] or 'Nobody'} owns {account.name} now.")
            return redirect("accounts:account-detail", account.pk)
    context = frame(request, account, "", form=form, heading="Change the owner", submit="Hand over")
    return render(request, "accounts/record_form.html", context, status=UNPROCESSABLE if form.errors else 200)


@requires(POST="accounts.delete")
def archive(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Put the account away, or take it back: its history stays."""
    account = account_or_404(request, account_id)
    if account.archived_at:
        restore_account(account, actor=request.user, at=timezone.now())
        messages.success(request, f"{account.name} is back.")
    else:
        archive_account(account, actor=request.user, at=timezone.now())
        messages.success(request, f"{account.name} was archived. Its history stays; administrators can bring it back.")
    return redirect("accounts:account-detail", account.pk)
