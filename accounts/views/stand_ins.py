"""Who stands in for whom: one's own absences, and those of others for leaders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions.stand_ins import end_stand_in, may_set, set_stand_in
from accounts.errors import RuleViolated
from accounts.forms.stand_ins import StandInForm
from accounts.models import StandIn, User
from accounts.policy import requires
from accounts.queries.stand_ins import present_and_future


@requires(GET="users.view", POST="absences.set")
def stand_ins(request: HttpRequest) -> HttpResponse:
    """Absences that last or are to come; POST adds one."""
    user: User = request.user  # type: ignore[assignment]
    today = user.workspace_settings.day_of(timezone.now())
    form = StandInForm(request.POST or None, actor=user, initial={"absent": request.GET.get("absent", user.pk)})
    if request.method == "POST" and form.is_valid():
        values: dict[str, Any] = form.cleaned_data
        if form.run(lambda: set_stand_in(**values, actor=user, at=timezone.now())):
            messages.success(request, f"{values['colleague']} stands in for {values['absent']}.")
            return redirect("people:stand-ins")
    rows = [(period, period.from_on <= today, may_set(period.absent, user)) for period in present_and_future(today)]
    context = {"form": form, "rows": rows, "zone": user.workspace_settings.timezone}
    return render(request, "people/stand_ins.html", context, status=422 if form.errors else 200)


@requires(POST="absences.set")
def stand_in_end(request: HttpRequest, period_id: UUID) -> HttpResponse:
    """End an absence at once, or take back one that is to come."""
    user: User = request.user  # type: ignore[assignment]
    period = get_object_or_404(StandIn.objects.select_related("absent", "colleague"), pk=period_id)
    try:
        end_stand_in(period, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, f"{period.colleague} does not stand in for {period.absent} any more.")
    return redirect("people:stand-ins")
