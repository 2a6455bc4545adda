"""The CTA list, its CSV, the record, and an account's panel."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.asof import asked_day
from accounts.csv_out import csv_response
from accounts.frame import account_or_404, frame
from accounts.policy import may, requires
from playbooks import queries
from playbooks.actions import create_cta, update_cta
from playbooks.cells import CSV_HEADINGS, CtaCells, csv_row
from playbooks.choices import CtaKind, Outcome, Priority
from playbooks.evidence import evidence_rows, evidence_sentences
from playbooks.forms import CloseForm, CtaForm, NewCtaForm, ReassignForm, SnoozeForm, TaskForm, snooze_initial
from playbooks.models import Cta
from playbooks.views.bar import answer
from ui.formats import number
from ui.tables import table


@requires(GET="ctas.view")
def cta_index(request: HttpRequest) -> HttpResponse:
    """The list; htmx gets the results alone."""
    today = timezone.localdate()
    filters = queries.CtaFilters.read(request.GET)
    listing = queries.cta_list(request.user, filters, request.GET.get("sort", ""), request.GET.get("after", ""), today)
    parameters = filters.parameters()
    if listing.sort != queries.default_sort(filters):
        parameters["sort"] = listing.sort
    may_work = may(request.user, "ctas.work")
    context = {
        "listing": listing,
        "shown": len(listing.page.rows),
        "table": table(
            CtaCells(today).columns(filters.status),
            listing.page.rows,
            f"{number(listing.total)} CTAs",
            parameters=filters.parameters(),
            sort=listing.sort,
            select=(lambda row: (str(row["pk"]), row["title"])) if may_work else None,
        ),
        "next": _page_url(parameters, listing.page.next),
        "previous": _page_url(parameters, listing.page.previous),
        "outcomes": Outcome.choices,
        "priorities": Priority.choices,
    }
    return answer(request, filters, "list", context, parameters=parameters)


def _page_url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""


@requires(GET="ctas.view")
def cta_export(request: HttpRequest) -> HttpResponse:
    """The same rows as the list shows, all of them, as CSV."""
    today = timezone.localdate()
    rows = queries.all_rows(request.user, queries.CtaFilters.read(request.GET), request.GET.get("sort", ""), today)
    headings = [name.replace("__", "_").replace("pk", "id") for name in CSV_HEADINGS]
    return csv_response(f"ctas-{today.isoformat()}.csv", headings, [csv_row(row) for row in rows])


@requires(GET="ctas.view")
def cta_detail(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Why it is there, what to do, and how it went."""
    cta = visible_cta(request, cta_id)
    return render(request, "playbooks/cta_detail.html", detail_context(request, cta))


def visible_cta(request: HttpRequest, cta_id: UUID) -> Cta:
    """The CTA, or 404 where the user may not see it."""
    cta = queries.cta_record(request.user, cta_id)
    if cta is None:
        raise Http404
    return cta


def workable_cta(request: HttpRequest, cta_id: UUID) -> Cta:
    """The CTA the user may change: 404 where they may not see it, 403 where they may only read it."""
    cta = visible_cta(request, cta_id)
    if not cta.workable:  # type: ignore[attr-defined]
        raise PermissionDenied("ctas.work")
    return cta


def detail_context(request: HttpRequest, cta: Cta, **forms: Any) -> dict[str, Any]:
    """What the record's page shows; ``forms`` replaces one that was refused."""
    may_work = cta.workable and may(request.user, "ctas.work")  # type: ignore[attr-defined]
    tasks = list(cta.tasks.all())
    user: Any = request.user
    return {
        "cta": cta,
        "tasks": tasks,
        "done": sum(task.completed_at is not None for task in tasks),
        "why": evidence_sentences(cta.evidence),
        "evidence": evidence_rows(cta.evidence),
        "history": queries.cta_history(cta, tasks),
        "earlier": queries.earlier_ctas(user, cta),
        "refused": request.GET.get("do", ""),
        "today": timezone.localdate(),
        "may_work": may_work,
        "close_form": CloseForm(prefix="close"),
        "snooze_form": SnoozeForm(prefix="snooze", initial=snooze_initial()),
        "reassign_form": ReassignForm(prefix="reassign"),
        "task_form": TaskForm(prefix="task"),
        **forms,
    }


@requires(GET="ctas.work", POST="ctas.work")
def cta_create(request: HttpRequest) -> HttpResponse:
    """Open a CTA by hand; ``?account=`` chooses the account, ``?title=`` says why."""
    form = NewCtaForm(
        request.POST or None, user=request.user, account=request.GET.get("account") or None, initial=_asked(request)
    )
    if request.method == "POST" and form.is_valid():
        opened: list[Cta] = []
        account = form.cleaned_data["account"]
        at = timezone.now()
        if form.run(lambda: opened.append(create_cta(account, actor=request.user, at=at, **form.values()))):
            messages.success(request, "The CTA is open.")
            return redirect("playbooks:cta-detail", opened[0].pk)
    return render(request, "playbooks/cta_form.html", {"form": form}, status=422 if form.is_bound else 200)


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address already says of the CTA: one opened with a reason is a risk."""
    title = request.GET.get("title", "")[:200]
    return {"title": title, "kind": CtaKind.RISK} if title else {}


@requires(GET="ctas.work", POST="ctas.work")
def cta_edit(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Change what it says and when it is due."""
    cta = workable_cta(request, cta_id)
    names = ("title", "reason", "kind", "priority", "due_on")
    form = CtaForm(request.POST or None, initial={name: getattr(cta, name) for name in names})
    if request.method == "POST" and form.is_valid():
        changes = {**form.cleaned_data, "due_on": form.cleaned_data["due_on"] or cta.due_on}
        if form.run(lambda: update_cta(cta, actor=request.user, at=timezone.now(), **changes)):
            return redirect("playbooks:cta-detail", cta.pk)
    context = {"form": form, "cta": cta}
    return render(request, "playbooks/cta_form.html", context, status=422 if form.is_bound else 200)


@requires(GET="ctas.view")
def account_ctas(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """An account's CTAs: a tab of its page, also of a past day, or the panel alone for htmx."""
    asked = asked_day(request)
    account = account_or_404(request, account_id, asked.past)
    past = getattr(account, "past", None)
    ctas = queries.ctas_as_of(request.user, account, past) if past else None
    context = {
        "account": account,
        "ctas": queries.ctas_of_account(request.user, account.pk) if ctas is None else ctas,
        "today": asked.today,
        "may_work": past is None and may(request.user, "ctas.work"),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "playbooks/_account_ctas.html", context)
    page = frame(request, tab="playbooks:account-ctas", asked=asked, **context)
    return render(request, "playbooks/account_ctas.html", page, status=asked.status)
