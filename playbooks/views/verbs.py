"""Closing, snoozing, handing over: on one CTA's page and on many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from accounts.errors import RuleViolated
from accounts.keys import is_key
from accounts.people_forms import RuleForm
from accounts.policy import requires
from playbooks import actions
from playbooks.choices import Priority
from playbooks.forms import CloseForm, ReassignForm, SnoozeForm
from playbooks.queries import CtaFilters
from playbooks.views.ctas import detail_context, visible_cta, workable_cta


@requires(POST="ctas.work")
def close(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Close with an outcome."""
    return _with_form(request, cta_id, "close", CloseForm, actions.close_cta, "The CTA is closed.")


@requires(POST="ctas.work")
def snooze(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Put off with a reason."""
    return _with_form(request, cta_id, "snooze", SnoozeForm, actions.snooze_cta, "The CTA is snoozed.")


@requires(POST="ctas.work")
def reassign(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Hand over to somebody else."""
    return _with_form(request, cta_id, "reassign", ReassignForm, actions.reassign_cta, "The CTA has a new owner.")


@requires(POST="ctas.work")
def reopen(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Take the closing back."""
    return _plain(request, cta_id, actions.reopen_cta, "The CTA is open again.")


@requires(POST="ctas.work")
def wake(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """End the snooze now."""
    return _plain(request, cta_id, actions.wake_cta, "The CTA is open again.")


def _with_form(
    request: HttpRequest, cta_id: UUID, name: str, form_class: type[RuleForm], verb: Callable[..., Any], done: str
) -> HttpResponse:
    """Run ``verb`` with the form's values; the page again, with what is wrong, when they or a rule refuse."""
    cta = workable_cta(request, cta_id)
    form = form_class(request.POST, prefix=name)
    at = timezone.now()
    if form.is_valid() and form.run(lambda: verb(cta, actor=request.user, at=at, **form.cleaned_data)):
        messages.success(request, done)
        return redirect("playbooks:cta-detail", cta.pk)
    context = detail_context(request, visible_cta(request, cta_id), **{f"{name}_form": form, "refused": name})
    return render(request, "playbooks/cta_detail.html", context, status=422)


def _plain(request: HttpRequest, cta_id: UUID, verb: Callable[..., Any], done: str) -> HttpResponse:
    cta = workable_cta(request, cta_id)
    try:
        verb(cta, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, done)
    return redirect("playbooks:cta-detail", cta.pk)


@requires(POST="ctas.work")
def bulk(request: HttpRequest) -> HttpResponse:
    """Close, snooze or hand over the selected CTAs; what was done can be taken back from the list."""
    verb = request.POST.get("verb", "")
    keys = [UUID(key) for key in request.POST.getlist("id") if is_key(key)]
    try:
        result, done = _BULK[verb](request, keys) if verb in _BULK else (None, "")
    except RuleViolated as broken:
        messages.error(request, f"{broken.message} Nothing was changed.")
        result = None
    if result is not None:
        _tell(request, result, done)
    filters = CtaFilters.read(request.POST).parameters()
    return redirect(f"{reverse('playbooks:cta-list')}?{urlencode(filters)}")


def _close_many(request: HttpRequest, keys: list[UUID]) -> tuple[actions.BulkResult, str]:
    outcome = request.POST.get("outcome", "")
    if not outcome:
        raise RuleViolated("outcome", "To close, choose how they ended.")
    return actions.bulk_close(keys, outcome=outcome, actor=request.user, at=timezone.now()), "closed"


def _snooze_many(request: HttpRequest, keys: list[UUID]) -> tuple[actions.BulkResult, str]:
    form = SnoozeForm({"until_on": request.POST.get("until_on"), "reason": request.POST.get("reason")})
    if not form.is_valid():
        raise RuleViolated("snooze", "To snooze, give a day and a reason.")
    return actions.bulk_snooze(keys, **form.cleaned_data, actor=request.user, at=timezone.now()), "snoozed"


def _reassign_many(request: HttpRequest, keys: list[UUID]) -> tuple[actions.BulkResult, str]:
    form = ReassignForm({"owner": request.POST.get("new_owner")})
    if not form.is_valid():
        raise RuleViolated("owner", "Choose the new owner.")
    owner = form.cleaned_data["owner"]
    return actions.bulk_reassign(keys, owner, actor=request.user, at=timezone.now()), f"handed to {owner}"


def _prioritise_many(request: HttpRequest, keys: list[UUID]) -> tuple[actions.BulkResult, str]:
    priority = request.POST.get("new_priority", "")
    result = actions.bulk_prioritise(keys, priority, actor=request.user, at=timezone.now())
    return result, f"set to {Priority(priority).label.lower()} priority"


_BULK: dict[str, Callable[[HttpRequest, list[UUID]], tuple[actions.BulkResult, str]]] = {
    "close": _close_many,
    "snooze": _snooze_many,
    "reassign": _reassign_many,
    "prioritise": _prioritise_many,
}


def _tell(request: HttpRequest, result: actions.BulkResult, done: str) -> None:
    count = len(result.changed)
    if result.refused:
        messages.warning(request, f"{len(result.refused)} left as they were: closed already, or not yours to change.")
    if count:
        text = f"{count} CTA{'' if count == 1 else 's'} {done}."
        messages.success(request, text)
        request.session["cta_undo"] = {"text": text, "rows": result.undo}


@requires(POST="ctas.work")
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last bulk change back, where nobody changed the CTAs since."""
    kept = request.session.pop("cta_undo", None)
    if kept:
        result = actions.undo_bulk(kept["rows"], actor=request.user, at=timezone.now())
        messages.success(request, f"{len(result.changed)} brought back, {len(result.refused)} changed since.")
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRefresh()
    return redirect("playbooks:cta-list")
