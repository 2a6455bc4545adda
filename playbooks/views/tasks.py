"""Ticking tasks, adding and changing them, with and without script."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.errors import RuleViolated
from accounts.policy import requires
from playbooks.actions import add_task, complete_task, reopen_task, update_task
from playbooks.forms import TaskEditForm, TaskForm
from playbooks.models import Cta, Task
from playbooks.views.ctas import detail_context, visible_cta, workable_cta


@requires(POST="ctas.work")
def task_toggle(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Tick, or take the tick away, as the check box says; htmx gets the task list back, or the page of ``next``."""
    task = get_object_or_404(Task.objects.visible_to(request.user).select_related("cta"), pk=task_id)
    if not Task.objects.workable_by(request.user).filter(pk=task.pk).exists():
        raise PermissionDenied("ctas.work")
    verb = complete_task if request.POST.get("done") else reopen_task
    try:
        verb(task, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return redirect(wanted)
    return _answer(request, task.cta)


@requires(POST="ctas.work")
def task_add(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """One more task."""
    cta = workable_cta(request, cta_id)
    form = TaskForm(request.POST, prefix="task")
    if form.is_valid() and form.run(lambda: add_task(cta, actor=request.user, at=timezone.now(), **form.cleaned_data)):
        return redirect("playbooks:cta-detail", cta.pk)
    context = detail_context(request, visible_cta(request, cta_id), task_form=form, refused="task")
    return render(request, "playbooks/cta_detail.html", context, status=422)


@requires(GET="ctas.work", POST="ctas.work")
def task_edit(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Change what a task says and when it is due."""
    task = get_object_or_404(Task.objects.visible_to(request.user).select_related("cta"), pk=task_id)
    if not Task.objects.workable_by(request.user).filter(pk=task.pk).exists():
        raise PermissionDenied("ctas.work")
    form = TaskEditForm(request.POST or None, initial={name: getattr(task, name) for name in TaskEditForm.base_fields})
    if form.is_valid() and form.run(
        lambda: update_task(task, actor=request.user, at=timezone.now(), **form.cleaned_data)
    ):
        return redirect("playbooks:cta-detail", task.cta_id)
    context = {"form": form, "task": task, "cta": task.cta}
    return render(request, "playbooks/task_form.html", context, status=422 if form.is_bound else 200)


def _answer(request: HttpRequest, cta: Cta) -> HttpResponse:
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("playbooks:cta-detail", cta.pk)
    context = detail_context(request, visible_cta(request, cta.pk))
    return render(request, "playbooks/_tasks.html", context)
