"""Board packs that are sent regularly: scheduled, paused, sent now, and what became of each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.fields import identifier
from accounts.models import User
from accounts.policy import may, requires
from documents.choices import DocumentState
from engagement.queries import STATES, mails_of
from health.actions.pack_schedules import (
    change_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    schedule_pack,
    send_now,
)
from health.choices import SendingState
from health.models import PackSchedule
from health.pages.board import pdf_of_pack
from health.pages.board_data import board_data
from health.pages.pack_schedule_form import PackScheduleForm, initial_of
from health.queries.packs import log_of, next_moment, schedules_of, sendings_for, worked_days

TONES = {"running": "good", "paused": "watch", "stopped": "risk"}
SENDING_TONES = {SendingState.SENT: "good", SendingState.FAILED: "risk", SendingState.MAKING: "info"}
NEWEST = 20


@requires(GET="portfolio.packs")
def schedule_list(request: HttpRequest) -> HttpResponse:
    """Every schedule with its next time, and what was sent lately."""
    user: User = request.user  # type: ignore[assignment]
    schedules = schedules_of(user.workspace_settings, PackSchedule.objects.prefetch_related("recipients"))
    is_worked, now = worked_days(user.workspace_settings), timezone.now()
    context = {
        "rows": [(one, TONES[one.state], _next(one, is_worked, now), one.recipients.all()) for one in schedules],
        "sendings": [(one, SENDING_TONES[SendingState(one.state)]) for one in sendings_for(user)[:NEWEST]],
    }
    return render(request, "health/pack_schedules.html", context)


def _next(schedule: PackSchedule, is_worked: Any, now: Any) -> Any:
    return next_moment(schedule, now, is_worked) if schedule.state == "running" else None


@requires(GET="portfolio.packs", POST="portfolio.packs")
def schedule_new(request: HttpRequest) -> HttpResponse:
    """Have a view (``?view=``) sent regularly."""
    user: User = request.user  # type: ignore[assignment]
    initial = {
        "view": identifier(request.GET.get("view", "")),
        "every": "week",
        "weekday": 0,
        "day": 1,
        "hour": 8,
        "recipients": [user.pk],
    }
    form = PackScheduleForm(request.POST or None, owner=user, initial=initial)
    made: list[PackSchedule] = []
    if form.is_valid() and form.run(lambda: made.append(_made(form, user))):
        messages.success(request, "Scheduled. The first pack comes at its next time; “Send now” does not wait for it.")
        return redirect("accounts:pack-schedule", made[0].pk)
    return _form(request, form, None)


def _made(form: PackScheduleForm, user: User) -> PackSchedule:
    values = form.cleaned_data
    return schedule_pack(
        values["view"], when=form.when, recipients=list(values["recipients"]), actor=user, at=timezone.now()
    )


@requires(GET="portfolio.packs", POST="portfolio.packs")
def schedule_edit(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Another time, or other recipients."""
    schedule = _schedule(schedule_id)
    form = PackScheduleForm(request.POST or None, owner=schedule.owner, schedule=schedule, initial=initial_of(schedule))
    if form.is_valid() and form.run(
        lambda: change_schedule(
            schedule,
            when=form.when,
            recipients=list(form.cleaned_data["recipients"]),
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            expected_version=form.cleaned_data["version"],
        )
    ):
        messages.success(request, "Saved.")
        return redirect("accounts:pack-schedule", schedule.pk)
    return _form(request, form, schedule)


def _form(request: HttpRequest, form: PackScheduleForm, schedule: PackSchedule | None) -> HttpResponse:
    context = {"form": form, "schedule": schedule, "has_views": schedule or form.fields["view"].queryset.exists()}
    return render(request, "health/pack_schedule_form.html", context, status=422 if form.errors else 200)


@requires(GET="portfolio.packs")
def schedule_detail(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """One schedule: its next time, who gets it, and its log."""
    user: User = request.user  # type: ignore[assignment]
    schedule = _schedule(schedule_id)
    context = {
        "schedule": schedule,
        "tone": TONES[schedule.state],
        "next": _next(schedule, worked_days(user.workspace_settings), timezone.now()),
        "recipients": schedule.recipients.order_by("name", "email", "pk"),
        "log": [(one, SENDING_TONES[SendingState(one.state)], one.readers.all()) for one in log_of(schedule)],
    }
    return render(request, "health/pack_schedule.html", context)


@requires(POST="portfolio.packs")
def schedule_pause(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Send nothing until it is resumed."""
    if pause_schedule(_schedule(schedule_id), actor=request.user, at=timezone.now()):  # type: ignore[arg-type]
        messages.success(request, "Paused. Nothing is sent until you resume it.")
    return redirect("accounts:pack-schedule", schedule_id)


@requires(POST="portfolio.packs")
def schedule_resume(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Send it again from its next time on."""
    if resume_schedule(_schedule(schedule_id), actor=request.user, at=timezone.now()):  # type: ignore[arg-type]
        messages.success(request, "Resumed. What fell into the pause is not sent.")
    return redirect("accounts:pack-schedule", schedule_id)


@requires(POST="portfolio.packs")
def schedule_send(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Make one and send it without waiting for its time."""
    try:
        send_now(_schedule(schedule_id), draw=board_data, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, "It is being written and goes out within a minute or two.")
    return redirect("accounts:pack-schedule", schedule_id)


@requires(POST="portfolio.packs")
def schedule_delete(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Delete it; what was sent stays."""
    schedule = _schedule(schedule_id)
    delete_schedule(schedule, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"The schedule of “{schedule}” was deleted. What was sent stays in the log.")
    return redirect("accounts:pack-schedules")


def _schedule(schedule_id: UUID) -> PackSchedule:
    return get_object_or_404(PackSchedule.objects.select_related("owner"), pk=schedule_id)


@requires(GET="portfolio.view")
def sending_detail(request: HttpRequest, sending_id: UUID) -> HttpResponse:
    """The receipt of one sending: what it froze, its digests, who got it and how their mail fared."""
    user: User = request.user  # type: ignore[assignment]
    sending = get_object_or_404(sendings_for(user).select_related("schedule").defer(None), pk=sending_id)
    states = mails_of(sending.mail_key)
    people = sending.readers.order_by("name", "email", "pk")
    context = {
        "sending": sending,
        "tone": SENDING_TONES[SendingState(sending.state)],
        "people": [(person, STATES.get(states.get(person.pk, ""), "No mail, as they wish")) for person in people],
        "figures": sending.document.data.get("figures", []) if sending.document else [],
        "makes_packs": may(user, "portfolio.packs"),
    }
    return render(request, "health/pack_sending.html", context)


@requires(GET="portfolio.view")
def sending_file(request: HttpRequest, sending_id: UUID) -> HttpResponse:
    """The PDF of one sending. Raises Http404 until it is ready, and where the pack was removed."""
    sending = get_object_or_404(sendings_for(request.user), pk=sending_id)  # type: ignore[arg-type]
    if sending.document is None or sending.document.state != DocumentState.DONE:
        raise Http404
    return pdf_of_pack(sending.document)
