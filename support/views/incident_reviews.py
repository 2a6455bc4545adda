"""The review after an incident: writing and publishing it, its measures, and the page as it is printed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Account
from accounts.policy import may, requires
from support import actions, lifecycle
from support.choices import Clock, IncidentStatus
from support.forms.incidents import ActionForm, ReviewForm
from support.models import Incident, IncidentAction
from support.queries import incidents as queries
from support.queries.incident_letters import timeline_text
from support.queries.incident_scope import addressable
from support.queries.record import line_of
from support.views.incidents import actions_shown, visible_incident, workable_incident


@requires(GET="incidents.view", POST="incidents.work")
def incident_review(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Read it as it is printed, or write it: saved as a draft, then published."""
    if request.method == "GET":
        return _page(request, visible_incident(request, incident_id))
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    form = _form(request, incident)
    publish = request.POST.get("verb") == "publish"
    if form.is_valid():
        try:
            actions.save_review(
                incident, form.values(), publish=publish, expected_version=form.cleaned_data["version"], actor=user,
                at=timezone.now(),
            )  # fmt: skip
        except RuleViolated as broken:
            form.refuse(broken.field, str(broken.message))
        else:
            messages.success(request, f"The review is {'published' if publish else 'saved'}.")
            return redirect("support:incident-review", incident.pk)
    return _page(request, visible_incident(request, incident_id), 422, form=form)


def _form(request: HttpRequest, incident: Incident) -> ReviewForm:
    review = getattr(incident, "review", None)
    texts = dict(review.parts) if review else {}
    if not texts.get("timeline"):
        texts["timeline"] = timeline_text(incident)
    initial = {"version": review.version if review else None}
    parts = lifecycle.review_fields(incident.letters)
    return ReviewForm(request.POST or None, parts=parts, texts=texts, initial=initial)


def _page(request: HttpRequest, incident: Incident, status: int = 200, **given: Any) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    workable = may(user, "incidents.work") and incident.is_workable  # type: ignore[attr-defined]
    review = getattr(incident, "review", None)
    parts = lifecycle.review_fields(incident.letters)
    clock = incident.clocks.filter(kind=Clock.REVIEW).select_related("calendar").order_by("-cycle").first()
    may_write = workable and incident.status != IncidentStatus.OPEN
    accounts = _accounts(user, incident) if workable else []
    context = {
        "incident": incident,
        "review": review,
        "parts": [(part[:1].upper() + part[1:], review.parts.get(part, "")) for part in parts] if review else [],
        "form": _form(request, incident) if may_write and "form" not in given else None,
        "action_form": ActionForm(prefix="action", accounts=accounts),
        "follow_ups": actions_shown(user, incident),
        "affected": [row for row in queries.affected(user, incident) if row.removed_at is None],
        "clock": clock,
        "late": clock is not None and clock.stopped_at is None and line_of(clock, at).late,
        "may_write": may_write,
        "writing": may_write and (request.GET.get("write") == "1" or review is None or status != 200),
        "may_work": workable,
        **given,
    }
    return render(request, "support/incident_review.html", context, status=status)


def _accounts(user: Any, incident: Incident) -> list[Account]:
    """The affected accounts the reader may give work on, the largest first."""
    rows = addressable(user).filter(pk__in=incident.affected.present().values("account"))
    return list(rows.select_related("owner").order_by("-arr", "name"))


@requires(POST="incidents.work")
def incident_action(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Add a measure: a CTA of the account it is for."""
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    form = ActionForm(request.POST, prefix="action", accounts=_accounts(user, incident))
    if form.is_valid():
        data = form.cleaned_data
        given = {"owner": data["owner"], "due_on": data["due_on"], "actor": user, "at": timezone.now()}
        if form.run(lambda: actions.add_action(incident, title=data["title"], accounts=form.chosen(), **given)):
            messages.success(request, "The measure is a CTA now.")
            return redirect("support:incident-review", incident.pk)
    return _page(request, visible_incident(request, incident_id), 422, action_form=form, writing=False)


@requires(POST="incidents.work")
def incident_action_drop(request: HttpRequest, incident_id: UUID, action_id: UUID) -> HttpResponse:
    """Take a measure away; its CTA is closed."""
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    rows = IncidentAction.objects.filter(incident=incident, account__in=Account.objects.visible_to(user))
    action = rows.select_related("incident", "cta", "owner").filter(pk=action_id).first()
    if action is None:
        raise Http404
    actions.drop_action(action, actor=user, at=timezone.now())
    messages.success(request, "The measure is taken away.")
    return redirect("support:incident-review", incident.pk)
