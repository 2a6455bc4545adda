"""CTAs as a board and as a calendar, and moving one on either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from playbooks import actions, queries
from playbooks.actions.ctas import snapshot
from playbooks.choices import CtaStatus
from playbooks.cockpit_cells import BoardCells, CalendarCells
from playbooks.models import Cta
from playbooks.views.bar import answer
from playbooks.views.ctas import workable_cta
from ui import formats

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Moving there takes more than a column: a day with a reason, an outcome.
ASKED = {CtaStatus.SNOOZED: "snooze", CtaStatus.CLOSED: "close"}


@requires(GET="ctas.view")
def board(request: HttpRequest) -> HttpResponse:
    """Columns of priorities, kinds or statuses; htmx gets the results alone."""
    return _board(request, request.GET)


def _board(request: HttpRequest, query: Any, *, partial: bool = False) -> HttpResponse:
    today = timezone.localdate()
    filters = queries.CtaFilters.read(query)
    by = query.get("by", "") if query.get("by", "") in queries.BOARDS else queries.DEFAULT_BOARD
    may_work = may(request.user, "ctas.work")
    cells = BoardCells(today, by, queries.BOARDS[by].choices, may_work=may_work)
    kept = filters.parameters()
    parameters = kept if by == queries.DEFAULT_BOARD else {**kept, "by": by}
    columns = queries.board(request.user, filters, by, today)
    context = {
        "columns": [cells.column(column, _rest(kept, by, column.key)) for column in columns],
        "total": sum(column.total for column in columns),
        "by": by,
        "boards": [
            {"label": name.capitalize(), "url": f"?{urlencode({**kept, 'by': name})}", "current": name == by}
            for name in queries.BOARDS
        ],
    }
    # The board of statuses cuts the closed ones short, which no list does: its CSV is that of what is to be worked.
    export = {**kept, "status": "unclosed"} if by == "status" else kept
    return answer(request, filters, "board", context, parameters=parameters, export=export, partial=partial)


def _rest(kept: dict[str, str], by: str, key: str) -> str:
    """The list of everything in one column."""
    return f"{reverse('playbooks:cta-list')}?{urlencode({**kept, by: key})}"


@requires(POST="ctas.work")
def move(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Move a CTA to another column; the board again. To snooze and to close the record's page asks for the rest."""
    cta = workable_cta(request, cta_id)
    by, to = request.POST.get("by", ""), request.POST.get(f"to-{cta.pk}", "")
    if by == "status" and to in ASKED:
        url = f"{reverse('playbooks:cta-detail', args=[cta.pk])}?do={ASKED[CtaStatus(to)]}"
        return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]
    text, way_back = _done(request, cta, lambda: _move(cta, by, to, request.user), "moved")
    if request.htmx:  # type: ignore[attr-defined]
        return _with_toast(_board(request, request.POST, partial=True), text, way_back)
    return _back(request, "cta-board", text, by=by)


def _move(cta: Cta, by: str, to: str, user: Any) -> Cta:
    """The CTA after the move. Raises RuleViolated where there is no such column or it cannot go there."""
    given: dict[str, Any] = {"actor": user, "at": timezone.now()}
    if by in {"priority", "kind"}:
        return actions.update_cta(cta, **given, **{by: to})
    if by == "status" and to == CtaStatus.OPEN:
        verb = actions.reopen_cta if cta.status == CtaStatus.CLOSED else actions.wake_cta
        return verb(cta, **given)
    raise RuleViolated("column", "There is no such column.", "to")


@requires(GET="ctas.view")
def calendar(request: HttpRequest) -> HttpResponse:
    """CTAs by their due day, a month or a week; htmx gets the results alone."""
    return _calendar(request, request.GET)


def _calendar(request: HttpRequest, query: QueryDict, *, partial: bool = False) -> HttpResponse:
    today = timezone.localdate()
    filters = queries.CtaFilters.read({**query.dict(), "due": ""})  # type: ignore[dict-item]
    span = query.get("span", "") if query.get("span", "") in queries.SPANS else "month"
    on = _day(query.get("on", "")) or today
    days = queries.days_of(span, on)
    kept = filters.parameters()
    may_work = may(request.user, "ctas.work")
    cells = CalendarCells(today, on.month if span == "month" else None, kept, may_work=may_work)
    listed = queries.calendar(request.user, filters, days, queries.SPANS[span], today)
    own = {name: value for name, value in (("span", span), ("on", on.isoformat())) if query.get(name)}
    previous, following = _neighbours(span, on)
    context = {
        "days": SafeString("".join(cells.day(day) for day in listed)),
        "weekdays": WEEKDAYS,
        "total": sum(day.total for day in listed),
        "title": _title(span, on, days),
        "span": span,
        "on": on.isoformat(),
        "spans": [
            {"label": name.capitalize(), "url": _at(kept, name, on), "current": name == span} for name in queries.SPANS
        ],
        "previous": _at(kept, span, previous),
        "following": _at(kept, span, following),
        "now": _at(kept, span, today),
    }
    export = {**kept, "due": f"{days[0].isoformat()}..{days[-1].isoformat()}"}
    return answer(request, filters, "calendar", context, parameters={**kept, **own}, export=export, partial=partial)


@requires(POST="ctas.work")
def move_due(request: HttpRequest, cta_id: UUID) -> HttpResponse:
    """Move a CTA's due day: to ``on-<key>``, or by ``days``, one or minus one. The calendar again."""
    cta = workable_cta(request, cta_id)
    step = {"1": 1, "-1": -1}.get(request.POST.get("days", ""), 0)
    due_on = _day(request.POST.get(f"on-{cta.pk}", "")) or cta.due_on + timedelta(days=step)
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    said = f"now due {formats.day(due_on)}"
    text, way_back = _done(request, cta, lambda: actions.update_cta(cta, due_on=due_on, **given), said)
    if request.htmx:  # type: ignore[attr-defined]
        return _with_toast(_calendar(request, request.POST, partial=True), text, way_back)
    asked = {name: request.POST[name] for name in ("span", "on") if request.POST.get(name)}
    return _back(request, "cta-calendar", text, **asked)


def _done(request: HttpRequest, cta: Cta, change: Callable[[], Cta], done: str) -> tuple[str, str]:
    """Make the change: (what to say, the address that takes it back). The second is empty where it was refused."""
    before = snapshot(cta)
    try:
        moved = change()
    except RuleViolated as broken:
        return str(broken), ""
    return f"{moved.title}: {done}.", _way_back(request, moved, before)


def _with_toast(response: HttpResponse, text: str, way_back: str) -> HttpResponse:
    return trigger_client_event(response, "toast", {"message": text, "undo": way_back})


def _back(request: HttpRequest, name: str, text: str, **asked: str) -> HttpResponse:
    """To the board or the calendar as it was asked for, with a word on it."""
    messages.info(request, text)
    kept = queries.CtaFilters.read(request.POST).parameters()
    return redirect(f"{reverse(f'playbooks:{name}')}?{urlencode({**kept, **asked})}")


def _way_back(request: HttpRequest, moved: Cta, before: dict[str, Any]) -> str:
    """Keep how it was; the address that brings it back."""
    undo = {"cta": str(moved.pk), "version": moved.version, "before": before}
    request.session["cta_undo"] = {"text": f"{moved.title}: moved.", "rows": [undo]}
    return reverse("playbooks:cta-undo")


def _day(text: str) -> date | None:
    """A day of an address between 2000 and 2200, or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def _neighbours(span: str, on: date) -> tuple[date, date]:
    if span == "week":
        return on - timedelta(days=7), on + timedelta(days=7)
    first = on.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)


def _at(kept: dict[str, str], span: str, on: date) -> str:
    return f"?{urlencode({**kept, 'span': span, 'on': on.isoformat()})}"


def _title(span: str, on: date, days: list[date]) -> str:
    if span == "month":
        return f"{on:%B} {on.year}"
    return f"{formats.day(days[0])} – {formats.day(days[-1])}"
