"""Escalations: their list, raising one, and the verbs on each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.frame import editable_account_or_404
from accounts.keys import is_key
from accounts.models import Account, User
from accounts.policy import may, requires
from support import actions
from support.actions.escalations import executive_allowed
from support.escalation_cells import EscalationCells
from support.forms.escalations import EndForm, EscalateForm, PassOnForm, WordsForm
from support.models import Escalation, Ladder, Ticket
from support.queries import escalations as queries
from support.queries import listing
from support.views.tickets import workable_ticket
from ui.tables import table


@requires(GET="escalations.view")
def escalation_index(request: HttpRequest) -> HttpResponse:
    """The open ones by their next deadline, in tabs."""
    user: Any = request.user
    at = timezone.now()
    view = request.GET.get("view", "open")
    view = view if view in queries.VIEWS else "open"
    account = request.GET.get("account", "")
    account = account if is_key(account) else ""
    page = queries.escalation_list(user, view, account, request.GET.get("after", ""), at)
    counts = queries.view_counts(user, at)
    kept = {"view": view, **({"account": account} if account else {})}
    context = {
        "view": view,
        "page": page,
        "table": table(EscalationCells(at).columns(view), page.rows, queries.VIEWS[view]),
        "tabs": [(name, label, counts.get(name), name == view) for name, label in queries.VIEWS.items()],
        "next": f"?{urlencode({**kept, 'after': page.next})}" if page.next else "",
        "previous": f"?{urlencode({**kept, 'after': page.previous})}" if page.previous else "",
        "account": account,
        "unescalated": queries.unescalated(user, at) if view == "open" else None,
    }
    return render(request, "support/escalation_list.html", context)


@requires(GET="escalations.work", POST="escalations.work")
def escalate_ticket(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Escalate a ticket along one of the ladders of the methodologies."""
    ticket = workable_ticket(request, ticket_id)
    return _escalate(request, ticket.account, ticket)


@requires(GET="escalations.work", POST="escalations.work")
def escalate_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Escalate an account's case that no ticket is about."""
    return _escalate(request, editable_account_or_404(request, account_id), None)


def _escalate(request: HttpRequest, account: Account, ticket: Ticket | None) -> HttpResponse:
    user: Any = request.user
    offers = queries.offers(list(Ladder.objects.all()), ticket, executive=executive_allowed(account, ticket))
    form = EscalateForm(request.POST or None, offers=offers, account=account)
    if request.method == "POST" and form.is_valid():
        data, raised = form.cleaned_data, list[Escalation]()
        offer: queries.Offer = data["offer"]
        trigger = (data.get("trigger") or "").rpartition("|")[2]
        given = {"message": data["message"], "owner": data["owner"], "actor": user, "at": timezone.now()}
        if form.run(
            lambda: raised.append(
                actions.escalate(
                    account, ladder=offer.ladder, path=offer.path, level=offer.step.key, reason=data["reason"],
                    trigger=trigger, ticket=ticket, **given,
                )
            )
        ):  # fmt: skip
            messages.success(request, f"Escalated to {raised[0].level_name}.")
            return redirect("support:escalation-detail", raised[0].pk)
    context = {"form": form, "account": account, "ticket": ticket, "offers": offers}
    context["examples"] = queries.examples(offers)
    return render(request, "support/escalate.html", context, status=422 if form.is_bound else 200)


@requires(GET="escalations.view")
def escalation_detail(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """One step: who has it, since when, what is owed and what was done."""
    return _page(request, _visible(request, escalation_id))


def _page(request: HttpRequest, escalation: Escalation, status: int = 200, **given: Any) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    may_work = may(user, "escalations.work") and Escalation.objects.workable_by(user).filter(pk=escalation.pk).exists()
    is_open = escalation.resolved_at is None
    context = {
        "escalation": escalation,
        "trail": queries.trail(escalation),
        "message": queries.message_parts(escalation),
        "lines": queries.clock_lines(escalation, at),
        "updates": list(escalation.updates.select_related("actor").order_by("-at", "-pk")),
        "may_work": may_work and is_open,
        "steps": queries.next_steps(escalation) if is_open else [],
        "people": listing.assignees() if may_work and is_open else [],
        "begin_form": WordsForm(prefix="begin"),
        "update_form": WordsForm(prefix="update"),
        "pass_form": PassOnForm(prefix="pass", escalation=escalation),
        "end_form": EndForm(prefix="end"),
        "refused": "",
        **given,
    }
    return render(request, "support/escalation.html", context, status=status)


def _visible(request: HttpRequest, escalation_id: UUID) -> Escalation:
    found = queries.escalation_record(request.user, escalation_id)  # type: ignore[arg-type]
    if found is None:
        raise Http404
    return found


def _workable(request: HttpRequest, escalation_id: UUID) -> Escalation:
    found = _visible(request, escalation_id)
    if not Escalation.objects.workable_by(request.user).filter(pk=found.pk).exists():  # type: ignore[arg-type]
        raise PermissionDenied("escalations.work")
    return found


def _done(request: HttpRequest, found: Escalation, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("support:escalation-detail", found.pk)


@requires(POST="escalations.work")
def acknowledge(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """Say that it has been seen."""
    found = _workable(request, escalation_id)
    try:
        actions.acknowledge(found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    return redirect("support:escalation-detail", found.pk)


@requires(POST="escalations.work")
def begin(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """Note the first action."""
    return _with_words(request, escalation_id, "begin", actions.begin, "The first action is noted.")


@requires(POST="escalations.work")
def post_update(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """Tell how it stands."""
    return _with_words(request, escalation_id, "update", actions.post_update, "The update is noted.")


def _with_words(
    request: HttpRequest, escalation_id: UUID, name: str, verb: Callable[..., Any], done: str
) -> HttpResponse:
    found = _workable(request, escalation_id)
    form = WordsForm(request.POST, prefix=name)
    given = {"actor": request.user, "at": timezone.now()}
    if form.is_valid() and form.run(lambda: verb(found, form.cleaned_data["body"], **given)):
        return _done(request, found, done)
    return _page(request, found, 422, **{f"{name}_form": form, "refused": name})


@requires(POST="escalations.work")
def pass_on(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """End this step and raise the next."""
    found = _workable(request, escalation_id)
    form = PassOnForm(request.POST, prefix="pass", escalation=found)
    raised: list[Escalation] = []
    given = {"actor": request.user, "at": timezone.now()}
    names = ("level", "reason", "trigger", "message")
    if form.is_valid() and form.run(
        lambda: raised.append(actions.pass_on(found, **{name: form.cleaned_data[name] for name in names}, **given))
    ):
        return _done(request, raised[0], f"Passed to {raised[0].level_name}.")
    return _page(request, found, 422, pass_form=form, refused="pass")


@requires(POST="escalations.work")
def hand_over(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """Give it to a colleague."""
    found = _workable(request, escalation_id)
    wanted = request.POST.get("owner", "")
    person = User.objects.active().staff().filter(pk=wanted).first() if is_key(wanted) else None
    try:
        if person is None:
            raise RuleViolated("owner", "Choose who takes it.", "owner")
        actions.hand_over(found, person, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    return redirect("support:escalation-detail", found.pk)


@requires(POST="escalations.work")
def end(request: HttpRequest, escalation_id: UUID) -> HttpResponse:
    """End it with its outcome."""
    found = _workable(request, escalation_id)
    form = EndForm(request.POST, prefix="end")
    given = {"actor": request.user, "at": timezone.now()}
    if form.is_valid() and form.run(lambda: actions.resolve_escalation(found, **form.cleaned_data, **given)):
        return _done(request, found, "The escalation has ended.")
    return _page(request, found, 422, end_form=form, refused="end")
