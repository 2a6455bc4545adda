"""Calendars promises are counted in, and lists of days off: their editors, with a look at what would move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions.calendars import bring_back_calendar, create_calendar, delete_calendar, update_calendar
from accounts.actions.keys import free_key
from accounts.errors import RuleViolated
from accounts.models import WorkCalendar
from accounts.policy import may, requires
from accounts.queries.calendars import calendar_changes
from businesstime.findings import oddities
from businesstime.holidays import public_holidays
from support import actions
from support.forms.calendars import HolidayForm, HoursForm, written
from support.models import HolidayList
from support.queries import calendars as queries
from support.queries.preview import Preview
from support.trying import preview_calendar, preview_holidays
from support.views.policies import FOLLOWS, follow

# Words of addresses that stand where a calendar's key does.
RESERVED = {"new", "days-off"}


@requires(GET="methodology.view")
def calendar_list(request: HttpRequest) -> HttpResponse:
    """Every calendar with its week, whether it is open now, and the lists of days off it observes."""
    context = {
        "calendars": queries.calendars_shown(at=timezone.now()),
        "lists": queries.holiday_lists(),
        "may_edit": may(request.user, "methodology.edit"),
        "may_configure": may(request.user, "support.configure"),
    }
    return render(request, "support/calendar_list.html", context)


@requires(GET="methodology.edit", POST="methodology.edit")
def calendar_create(request: HttpRequest) -> HttpResponse:
    """Write a calendar of the workspace's own, perhaps beginning with another's hours (``?copy=key``)."""
    copied = WorkCalendar.objects.filter(key=request.GET.get("copy", "")[:60]).first()
    initial = written(copied.definition) | {"minutes_per_day": copied.minutes_per_day} if copied else {}
    form = HoursForm(request.POST or None, initial=initial)
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if form.is_bound and form.is_valid():
        values = _values(form)
        key = free_key(WorkCalendar.objects, values["name"], limit=50, otherwise="calendar", reserved=RESERVED)
        if form.run(lambda: create_calendar(key=key, **values, **given)):
            messages.success(request, f"{values['name']} is saved.")
            return redirect("support:calendar-list")
    return _editor(request, form, copied=copied)


@requires(GET="methodology.edit", POST="methodology.edit")
def calendar_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a calendar; first look at which open deadlines would move, then apply."""
    row = _own(key)
    initial = written(row.definition) | {"name": row.name, "minutes_per_day": row.minutes_per_day}
    form = HoursForm(request.POST or None, initial=initial)
    looked = None
    if form.is_bound and form.is_valid():
        values = _values(form)
        given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
        if request.POST.get("step") == "preview":
            looked = preview_calendar(row, values, at=timezone.now())
        elif form.run(lambda: update_calendar(row, **values, **given)):
            follow()
            messages.success(request, f"{row.name} is saved. {FOLLOWS}")
            return redirect("support:calendar-edit", row.key)
    return _editor(request, form, calendar=row, preview=looked, changes=calendar_changes(row))


def _editor(request: HttpRequest, form: HoursForm, **context: Any) -> HttpResponse:
    calendar = context.get("calendar")
    if calendar is not None:
        context["oddities"] = oddities(queries.Calendars().calendar(calendar).rules)
    status = 422 if form.errors else 200
    return render(request, "support/calendar_form.html", {"form": form, **context}, status=status)


@requires(POST="methodology.edit")
def calendar_restore(request: HttpRequest, key: str) -> HttpResponse:
    """Give a calendar again what it had before a change."""
    row = _own(key)
    entry = request.POST.get("entry", "")
    number = int(entry) if entry.isdecimal() and len(entry) < 19 else 0
    return _done(
        request, lambda given: bring_back_calendar(row, number, **given),
        f"{row.name} is as it was before. {FOLLOWS}", ("support:calendar-edit", row.key),
    )  # fmt: skip


@requires(POST="methodology.edit")
def calendar_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Remove a calendar nothing counts in."""
    row = _own(key)
    return _done(
        request, lambda given: delete_calendar(row, **given), f"{row.name} is removed.", ("support:calendar-list",)
    )


@requires(GET="support.configure", POST="support.configure")
def holidays_create(request: HttpRequest) -> HttpResponse:
    """Make a list of days off."""
    return _write_holidays(request, None)


@requires(GET="support.configure", POST="support.configure")
def holidays_edit(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Change a list of days off; first look at which open deadlines would move, then apply."""
    return _write_holidays(request, get_object_or_404(HolidayList, pk=list_id))


def _write_holidays(request: HttpRequest, row: HolidayList | None) -> HttpResponse:
    form = HolidayForm(request.POST or None, initial=_holidays_initial(row) if row else {})
    looked: list[Preview] = []
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
        if request.POST.get("step") == "preview":
            form.run(lambda: looked.append(preview_holidays(row, values, at=timezone.now())))
        elif form.run(lambda: actions.save_holidays(row, **values, **given)):
            follow()
            messages.success(request, f"{values['name']} is saved. {FOLLOWS}")
            return redirect("support:calendar-list")
    context = {"form": form, "list": row, "preview": looked[0] if looked else None, "days": _listed(row)}
    return render(request, "support/holidays_form.html", context, status=422 if form.errors else 200)


@requires(POST="support.configure")
def holidays_delete(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Remove a list of days off."""
    row = get_object_or_404(HolidayList, pk=list_id)
    return _done(
        request, lambda given: actions.retire_holidays(row, **given), f"{row.name} is removed. {FOLLOWS}",
        ("support:calendar-list",),
    )  # fmt: skip


def _done(request: HttpRequest, act: Callable[[dict[str, Any]], Any], said: str, back: tuple[str, ...]) -> HttpResponse:
    try:
        act({"actor": request.user, "at": timezone.now()})
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        follow()
        messages.success(request, said)
    return redirect(*back)


def _values(form: HoursForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("name", "definition", "minutes_per_day")}


def _own(key: str) -> WorkCalendar:
    """A calendar of the workspace's own; a methodology's is copied, or set through it."""
    row = get_object_or_404(WorkCalendar, key=key)
    if row.pack:
        raise Http404
    return row


def _holidays_initial(row: HolidayList) -> dict[str, Any]:
    names = ("name", "country", "subdivision", "days", "removed")
    return {name: getattr(row, name) for name in names} | {"calendars": list(row.calendars.all())}


def _listed(row: HolidayList | None) -> list[tuple[str, str]]:
    """(day, name) of the public holidays of this year and the next that ``row`` brings."""
    if row is None or not row.country:
        return []
    year = timezone.localdate().year
    found = public_holidays(row.country, row.subdivision, (year, year + 1))
    return [(day, name) for day, name in found.items() if day not in row.removed]
