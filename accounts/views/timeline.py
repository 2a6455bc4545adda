"""The Timeline tab: one stream of what happened, with filters, and logging a touch."""

from __future__ import annotations

from itertools import groupby
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actions.activity import log_touch
from accounts.choices import ActivityKind, Visibility
from accounts.forms import ActivityForm
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Activity
from accounts.policy import requires
from ui import keyset

TAB = "accounts:account-timeline"
PAGE_SIZE = 40
ICONS = {
    ActivityKind.NOTE: ("message-square", ""),
    ActivityKind.CALL: ("phone", ""),
    ActivityKind.MEETING: ("calendar", ""),
    ActivityKind.EMAIL: ("mail", ""),
    ActivityKind.HEALTH: ("heart-pulse", "info"),
    ActivityKind.CTA: ("list-checks", "info"),
    ActivityKind.CONTRACT: ("file-text", ""),
    ActivityKind.PEOPLE: ("users", ""),
    ActivityKind.TICKET: ("ticket", ""),
    ActivityKind.USAGE: ("chart-line", ""),
    ActivityKind.RELEASE: ("rocket", ""),
    ActivityKind.SURVEY: ("star", ""),
    ActivityKind.SYSTEM: ("settings", ""),
}
COLUMNS = (
    "pk", "kind", "at", "title", "body", "visibility", "source", "actor__name", "actor__email", "attendees",
    "next_step", "next_step_on", "next_step_at", "next_step_done_at",
)  # fmt: skip


def days_of(rows: list[dict]) -> list[tuple]:
    """Rows by the reader's day, each with its icon and tone, for ``accounts/_timeline.html``."""
    for row in rows:
        row["local"] = timezone.localtime(row["at"])
        row["icon"], row["tone"] = ICONS[row["kind"]]
        row["actor"] = row["actor__name"] or row["actor__email"]
    return [(day, list(entries)) for day, entries in groupby(rows, key=lambda row: row["local"].date())]


@requires(GET="accounts.view")
def timeline(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A page of entries, newest first, of the kinds asked for. One query beside the frame's."""
    account = account_or_404(request, account_id)
    kinds = [kind for kind in request.GET.getlist("kind") if kind in ActivityKind.values]
    rows = Activity.objects.visible_to(request.user).filter(account=account)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    if request.GET.get("shared"):
        rows = rows.filter(visibility=Visibility.SHARED)
    field = Activity._meta.get_field("at")
    page = keyset.page(
        rows.values(*COLUMNS), keyset.Order("at", descending=True), field, request.GET.get("after", ""), PAGE_SIZE
    )
    query = request.GET.copy()
    query.pop("after", None)
    context = frame(
        request,
        account,
        TAB,
        days=days_of(page.rows),
        kinds=kinds,
        all_kinds=ActivityKind.choices,
        shared=request.GET.get("shared", ""),
        next=_url(query, page.next),
        previous=_url(query, page.previous),
    )
    return render(request, "accounts/timeline.html", context)


def _url(query, cursor: str) -> str:  # noqa: ANN001 - a QueryDict
    if not cursor:
        return ""
    parameters = query.copy()
    parameters["after"] = cursor
    return f"?{parameters.urlencode()}"


@requires(GET="activity.log", POST="activity.log")
def log(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Log a call, a meeting, a mail or a note, with who was there and what was agreed."""
    account = editable_account_or_404(request, account_id)
    kind = request.GET.get("kind", "")
    initial = {"kind": kind} if kind in ActivityKind.values else {}
    form = ActivityForm(request.POST or None, initial=initial, account=account)
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        if form.run(lambda: log_touch(account, actor=request.user, at=at, **form.values())):
            messages.success(request, "Logged.")
            return redirect(TAB, account.pk)
    context = frame(request, account, TAB, form=form, heading="Log an activity", submit="Log it")
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)
