"""The page of the day and its verbs. Each verb is one address; GET asks for what it needs, POST does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts import actions as account_actions
from accounts.actions.next_steps import step_state
from accounts.errors import RuleViolated
from accounts.forms import ActivityForm
from accounts.frame import account_or_404, editable_account_or_404
from accounts.models import Activity
from accounts.policy import requires
from myday import actions, answers
from myday.cells import book_over_time, day_context
from myday.forms import HandAccountOverForm, PutOffForm, next_working_day
from playbooks import actions as playbook_actions
from playbooks.actions.ctas import snapshot
from playbooks.forms import CloseForm, ReassignForm
from playbooks.models import Cta, Task


@requires(GET="ctas.work")
def day(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, ranked; htmx gets the list alone."""
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    context = day_context(request, request.GET)
    if partial:
        response = render(request, "myday/_list.html", context)
    else:
        response = render(request, "myday/day.html", {**context, **book_over_time(request.user, context["today"])})
    response["Vary"] = "HX-Request, Cookie"
    return response


def _sent(request: HttpRequest) -> Any:
    """What a form is bound to: what was posted, nothing before."""
    return request.POST if request.method == "POST" else None


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Where putting off begins; a form that was sent needs no beginning."""
    return next_working_day() if request.method == "GET" else {}


# -- CTAs ------------------------------------------------------------------------------------------------


@requires(GET="ctas.work", POST="ctas.work")
def cta_done(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Close with an outcome."""
    cta = _cta(request, cta_id)
    form = CloseForm(_sent(request))
    return _cta_verb(request, cta, form, playbook_actions.close_cta, "Close the CTA", "closed")


@requires(GET="ctas.work", POST="ctas.work")
def cta_snooze(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Put off with a reason."""
    cta = _cta(request, cta_id)
    form = PutOffForm(_sent(request), initial=_initial(request))
    return _cta_verb(request, cta, form, playbook_actions.snooze_cta, "Snooze", "snoozed")


@requires(GET="ctas.work", POST="ctas.work")
def cta_reassign(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Hand over to a colleague."""
    cta = _cta(request, cta_id)
    form = ReassignForm(_sent(request))
    return _cta_verb(request, cta, form, playbook_actions.reassign_cta, "Hand over", "handed over")


def _cta_verb(request: HttpRequest, cta: Cta, form: Any, verb: Any, title: str, said: str) -> HttpResponse:
    before = snapshot(cta)
    changed: list[Cta] = []
    at = timezone.now()
    if form.is_valid() and form.run(lambda: changed.append(verb(cta, actor=request.user, at=at, **form.cleaned_data))):
        data = {"cta": str(cta.pk), "version": changed[0].version, "before": before}
        return answers.done(request, f"{cta.title}: {said}.", "cta", data)
    return answers.panel(request, form, title=title, about=f"{cta.title} · {cta.account.name}", submit=title)


def _cta(request: HttpRequest, cta_id: UUID) -> Cta:
    """The CTA the reader may change: 404 where they may not see it, 403 where they may only read it."""
    cta = get_object_or_404(Cta.objects.visible_to(request.user).select_related("account"), pk=cta_id)
    if not Cta.objects.workable_by(request.user).filter(pk=cta.pk).exists():
        raise PermissionDenied("ctas.work")
    return cta


# -- tasks -----------------------------------------------------------------------------------------------


@requires(POST="ctas.work")
def task_done(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Tick it."""
    task = _task(request, task_id)
    try:
        ticked = playbook_actions.complete_task(task, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        return answers.refused(request, str(broken))
    data = {"task": str(task.pk), "version": ticked.version}
    return answers.done(request, f"{task.title}: done.", "task", data)


@requires(GET="ctas.work", POST="ctas.work")
def task_snooze(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Put it aside from one's own day; its due day stays as it is."""
    task = _task(request, task_id)
    return _aside(request, "task", task.pk, task.title)


@requires(GET="ctas.work", POST="ctas.work")
def task_reassign(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Hand its CTA over: a task belongs to whoever works the CTA."""
    return cta_reassign(request, _task(request, task_id).cta_id)


def _task(request: HttpRequest, task_id: UUID) -> Task:
    task = get_object_or_404(Task.objects.visible_to(request.user), pk=task_id)
    if not Task.objects.workable_by(request.user).filter(pk=task.pk).exists():
        raise PermissionDenied("ctas.work")
    return task


# -- next steps ------------------------------------------------------------------------------------------


@requires(POST="ctas.work")
def step_done(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Note that it is done."""
    entry = _step(request, activity_id)
    before = step_state(entry)
    account_actions.complete_next_step(entry, actor=request.user, at=timezone.now())
    data = {"entry": str(entry.pk), "before": before}
    return answers.done(request, f"{entry.next_step}: done.", "step", data)


@requires(GET="ctas.work", POST="ctas.work")
def step_snooze(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Move it to a later day, with a reason."""
    form = PutOffForm(_sent(request), initial=_initial(request))
    return _step_verb(request, activity_id, form, account_actions.put_off_next_step, "Put off", "put off")


@requires(GET="ctas.work", POST="ctas.work")
def step_reassign(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Give it to a colleague."""
    form = ReassignForm(_sent(request))
    return _step_verb(request, activity_id, form, account_actions.hand_over_next_step, "Hand over", "handed over")


def _step_verb(request: HttpRequest, activity_id: UUID, form: Any, verb: Any, title: str, said: str) -> HttpResponse:
    entry = _step(request, activity_id)
    before = step_state(entry)
    at = timezone.now()
    if form.is_valid() and form.run(lambda: verb(entry, actor=request.user, at=at, **form.cleaned_data)):
        data = {"entry": str(entry.pk), "before": before}
        return answers.done(request, f"{entry.next_step}: {said}.", "step", data)
    return answers.panel(request, form, title=title, about=f"{entry.next_step} · {entry.account.name}", submit=title)


def _step(request: HttpRequest, activity_id: UUID) -> Activity:
    rows = Activity.objects.visible_to(request.user).with_step().select_related("account")
    entry = get_object_or_404(rows, pk=activity_id)
    if not Activity.objects.step_workable_by(request.user).filter(pk=entry.pk).exists():
        raise PermissionDenied("ctas.work")
    return entry


# -- messages and accounts -------------------------------------------------------------------------------


@requires(POST="ctas.work")
def notice_done(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Mark it read."""
    title = _notice(request, notice_id)
    read = actions.mark_read(request.user, at=timezone.now(), notice=notice_id)
    data = {"notice": str(notice_id)}
    return answers.done(request, f"{title}: read.", "notice" if read else "", data)


@requires(GET="ctas.work", POST="ctas.work")
def notice_snooze(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Put it aside from one's day; it stays unread in the inbox."""
    return _aside(request, "notice", notice_id, _notice(request, notice_id))


def _notice(request: HttpRequest, notice_id: UUID) -> str:
    title = actions.notice_title(request.user, notice_id)
    if title is None:
        raise Http404
    return title


@requires(POST="ctas.work")
def account_done(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Note that its change was looked at."""
    account = account_or_404(request, account_id)
    today = timezone.localdate()
    row = actions.look_at(request.user, account.pk, today=today, at=timezone.now())
    return answers.done(request, f"{account.name}: looked at.", "aside", {"aside": str(row.pk)})


@requires(GET="ctas.work", POST="ctas.work")
def account_snooze(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Put its changes aside until a day."""
    account = account_or_404(request, account_id)
    return _aside(request, "account", account.pk, account.name)


@requires(GET="accounts.edit", POST="accounts.edit")
def account_reassign(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Hand the account over, with its open work. Books change with it, so there is no quick way back."""
    account = editable_account_or_404(request, account_id)
    form = HandAccountOverForm(_sent(request), initial={"owner": account.owner_id})
    if form.is_valid():
        chosen, at = form.cleaned_data, timezone.now()
        try:
            handed = actions.hand_account_over(account, actor=request.user, at=at, **chosen)
        except RuleViolated as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem))
        else:
            along = f", with {handed} CTA{'' if handed == 1 else 's'}" if handed else ""
            return answers.done(request, f"{account.name}: now owned by {chosen['owner'] or 'nobody'}{along}.")
    return answers.panel(request, form, title="Hand the account over", about=account.name, submit="Hand over")


@requires(GET="activity.log", POST="activity.log")
def account_log(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Log a call, a meeting, a mail or a note with who was there and the next step."""
    account = editable_account_or_404(request, account_id)
    form = ActivityForm(_sent(request), account=account)
    at = timezone.now()
    if form.is_valid() and form.run(
        lambda: account_actions.log_touch(account, actor=request.user, at=at, **form.values())
    ):
        return answers.done(request, f"Logged on {account.name}.")
    return answers.panel(request, form, title="Log a touch", about=account.name, submit="Log it")


def _aside(request: HttpRequest, kind: str, key: UUID, name: str) -> HttpResponse:
    form = PutOffForm(_sent(request), initial=_initial(request))
    put: list[Any] = []
    today, at = timezone.localdate(), timezone.now()
    if form.is_valid() and form.run(
        lambda: put.append(actions.set_aside(request.user, kind, key, today=today, at=at, **form.cleaned_data))
    ):
        return answers.done(request, f"{name}: put aside.", "aside", {"aside": str(put[0].pk)})
    return answers.panel(request, form, title="Not now", about=name, submit="Put aside")


@requires(POST="ctas.work")
def undo(request: HttpRequest) -> HttpResponse:
    """Take one change of this session back: the one the address or the form names, else the latest."""
    entry = answers.forget(request, request.POST.get("which") or request.GET.get("which", ""))
    if entry is None:
        text = "There is nothing to take back."
    elif actions.take_back(entry, user=request.user, at=timezone.now()):
        text = f"Taken back: {entry['text']}"
    else:
        text = "Somebody changed it since, so it stays."
    if request.htmx:  # type: ignore[attr-defined]
        return answers.said(request, text)
    messages.info(request, text)
    return redirect("myday:day")
