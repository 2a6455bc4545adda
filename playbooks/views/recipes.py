"""The playbooks and what is in them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.policy import may, requires
from playbooks import queries
from playbooks.actions import set_trigger_keys
from playbooks.forms import TriggersForm
from playbooks.models import Playbook


@requires(GET="playbooks.view")
def playbook_index(request: HttpRequest) -> HttpResponse:
    """Every live playbook with its number of tasks and of CTAs at work."""
    return render(request, "playbooks/playbook_list.html", {"playbooks": list(queries.playbook_list())})


@requires(GET="playbooks.view", POST="methodology.edit")
def playbook_detail(request: HttpRequest, playbook_id: UUID) -> HttpResponse:
    """Objective and steps; administrators choose the triggers that start it."""
    playbook = get_object_or_404(Playbook.objects.prefetch_related("tasks"), pk=playbook_id)
    form = TriggersForm(request.POST or None, initial={"trigger_keys": ", ".join(playbook.trigger_keys)})
    if request.method == "POST" and form.is_valid():
        set_trigger_keys(playbook, form.keys(), actor=request.user, at=timezone.now())
        messages.success(request, "Saved.")
        return redirect("playbooks:playbook-detail", playbook.pk)
    context = {"playbook": playbook, "form": form, "may_edit": may(request.user, "methodology.edit")}
    return render(request, "playbooks/playbook_detail.html", context, status=422 if form.is_bound else 200)
