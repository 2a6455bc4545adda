"""The stage of an account: where it stands, what the methodology says of each stage, and moving it by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions import update_account
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import LifecycleStage
from accounts.policy import requires


@requires(GET="accounts.view", POST="accounts.edit")
def stage(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Every stage of the account's methodology with its lists. Posting ``stage`` (its id) moves the account there."""
    if request.method == "POST":
        account = editable_account_or_404(request, account_id)
        chosen = get_object_or_404(LifecycleStage, key=request.POST.get("stage", ""))
        update_account(account, actor=request.user, at=timezone.now(), stage=chosen)
        messages.success(request, f"{account.name} is in {chosen} now.")
        return redirect("accounts:account-stage", account.pk)
    account = account_or_404(request, account_id)
    stages = list(LifecycleStage.objects.all())
    own = account.stage.pack if account.stage else (stages[0].pack if stages else "")
    shown = [{"stage": each, "lists": _lists(each.data)} for each in stages if each.pack == own]
    return render(request, "accounts/stage.html", frame(request, account, "", stages=shown))


# The database keeps no order of names; whatever a methodology adds of its own comes after these.
ORDER = ("activities", "touchpoints", "needs", "success")


def _lists(data: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The lists of words in a stage's definition, such as its touchpoints and needs, each under its label."""
    found = [(name, value) for name, value in data.items() if isinstance(value, list) and name != "scores"]
    found.sort(key=lambda pair: (ORDER.index(pair[0]) if pair[0] in ORDER else len(ORDER), pair[0]))
    return [
        (name.replace("_", " ").capitalize(), value) for name, value in found if all(isinstance(x, str) for x in value)
    ]
