"""The Timeline tab: one stream of what happened, with filters, and logging a touch."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import F, Func, Q, TextField, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.actions.activity import LOGGED_BY_HAND, log_touch
from accounts.asof import asked_day
from accounts.choices import ActivityKind, Visibility
from accounts.csv_out import csv_response
from accounts.forms import ActivityForm
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.history import AsOf
from accounts.models import Account, Activity
from accounts.models.activity import ActivityQuerySet
from accounts.policy import requires
from accounts.queries.past import Past
from ui import keyset

TAB = "accounts:account-timeline"
PAGE_SIZE, EXPORT_LIMIT = 40, 20_000
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
    ActivityKind.FILE: ("paperclip", ""),
    ActivityKind.SYSTEM: ("settings", ""),
}
COLUMNS = (
    "pk", "kind", "at", "title", "body", "visibility", "source", "actor__name", "actor__email", "attendees",
    "next_step", "next_step_on", "next_step_at", "next_step_done_at", "data", "account_id", "edited_at", "pinned_at",
)  # fmt: skip


# Where an entry's facts lead, by the key they are noted under.
SOURCES = {"cta": "playbooks:cta-detail", "ticket": "support:ticket-detail", "incident": "support:incident-detail"}
PAGES = {
    "contract": "accounts:account-contracts",
    "contact": "accounts:account-people",
    "file": "accounts:account-files",
}


def days_of(rows: list[dict], past: Past | None = None) -> list[tuple]:
    """Rows by the reader's day, each with its icon, tone and source's address, for ``accounts/_timeline.html``.

    On a past day an entry says what it said then, and a next step done later is open still.
    """
    for row in rows:
        if past is not None:
            past.reword(row)
        row["local"] = timezone.localtime(row["at"])
        row["icon"], row["tone"] = ICONS[row["kind"]]
        row["actor"] = row["actor__name"] or row["actor__email"]
        row["url"] = _source(row)
        row["by_hand"] = row["kind"] in LOGGED_BY_HAND
    return [(day, list(entries)) for day, entries in groupby(rows, key=lambda row: row["local"].date())]


def _source(row: dict) -> str:
    """The page of what an entry tells of; empty when it is the entry itself, or nobody serves such a page."""
    data = row["data"] or {}
    wanted = [(name, data[key]) for key, name in SOURCES.items() if data.get(key)]
    wanted += [(name, row["account_id"]) for key, name in PAGES.items() if data.get(key)]
    if not wanted and row["kind"] == ActivityKind.HEALTH:
        wanted.append(("accounts:account-health", row["account_id"]))
    try:
        return reverse(wanted[0][0], args=[wanted[0][1]]) if wanted else ""
    except NoReverseMatch:
        return ""


class FilterForm(forms.Form):
    """What the timeline is narrowed to; ``person`` is a part of a name, of ours or of the customer's."""

    kind = forms.MultipleChoiceField(choices=ActivityKind.choices, required=False)
    shared = forms.BooleanField(required=False)
    person = forms.CharField(required=False, max_length=120)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        """The values; the days must be in order."""
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("since", "The first day must not come after the last.")
        return data

    def narrowed(self, rows: ActivityQuerySet) -> ActivityQuerySet:
        """``rows`` that match; a value that cannot be read narrows nothing."""
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("kind"):
            rows = rows.filter(kind__in=asked["kind"])
        if asked.get("shared"):
            rows = rows.filter(visibility=Visibility.SHARED)
        if person := asked.get("person"):
            named = Func(F("attendees"), Value("\n"), function="array_to_string", output_field=TextField())
            by = Q(named__icontains=person) | Q(actor__name__icontains=person) | Q(actor__email__icontains=person)
            rows = rows.annotate(named=named).filter(by)
        if asked.get("since"):
            rows = rows.filter(at__gte=_midnight(asked["since"]))
        if asked.get("until"):
            rows = rows.filter(at__lt=_midnight(asked["until"] + timedelta(days=1)))
        return rows


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@requires(GET="accounts.view")
def timeline(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The pinned entries, and a page of all of the kinds, person and period asked for, newest first.

    Three queries beside the frame's.
    """
    asked = asked_day(request)
    account = account_or_404(request, account_id, asked.past)
    form = FilterForm(request.GET)
    rows = form.narrowed(_entries(request, account, asked.past))
    field = Activity._meta.get_field("at")
    page = keyset.page(
        rows.values(*COLUMNS), keyset.Order("at", descending=True), field, request.GET.get("after", ""), PAGE_SIZE
    )
    query = request.GET.copy()
    query.pop("after", None)
    narrowed, past = bool(form.changed_data), getattr(account, "past", None)
    context = frame(
        request,
        account,
        TAB,
        asked,
        days=days_of(page.rows, past),
        pinned=[] if narrowed or request.GET.get("after") else _pinned(request, account, past),
        removed=past.removed("activity") if past else 0,
        form=form,
        kinds=form.cleaned_data.get("kind", []),
        all_kinds=ActivityKind.choices,
        names=account.contacts.order_by("name").values_list("name", flat=True)[:200],
        narrowed=narrowed,
        export=f"{reverse('accounts:account-timeline-export', args=[account.pk])}?{query.urlencode()}",
        next=_url(query, page.next),
        previous=_url(query, page.previous),
    )
    status = 422 if form.errors.keys() & {"since", "until"} else asked.status
    return render(request, "accounts/timeline.html", context, status=status)


def _pinned(request: HttpRequest, account: Account, past: Past | None) -> list[dict]:
    """What is kept above the others, the latest pin first. One query; none on a past day, which knows no pins."""
    if past is not None:
        return []
    rows = Activity.objects.visible_to(request.user).filter(account=account).pinned()
    found = list(rows.order_by("-pinned_at", "pk").values(*COLUMNS))
    days_of(found)
    return found


def _entries(request: HttpRequest, account: Account, past: AsOf | None) -> ActivityQuerySet:
    rows = Activity.objects.visible_to(request.user).filter(account=account)
    return rows if past is None else rows.up_to(past.end, as_known=past.as_known)


@requires(GET="accounts.export")
def timeline_export(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Every entry that the page's filters and its day leave, newest first, as CSV; at most 20,000."""
    account = account_or_404(request, account_id)
    rows = FilterForm(request.GET).narrowed(_entries(request, account, asked_day(request).past))
    found = rows.order_by("-at", "-pk").values(*COLUMNS)[:EXPORT_LIMIT]
    heads = ("at", "kind", "title", "text", "by", "source", "visibility", "attendees", "next_step", "next_step_on")
    lines = (
        [row["at"].isoformat(), row["kind"], row["title"], row["body"], row["actor__name"] or row["actor__email"],
         row["source"], row["visibility"], ", ".join(row["attendees"]), row["next_step"], row["next_step_on"]]
        for row in found
    )  # fmt: skip
    return csv_response(f"timeline-{timezone.localdate()}.csv", heads, lines)


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
    # The page is for nothing else; in a dialog the kind comes first.
    form.fields["title"].widget.attrs["autofocus"] = True
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        if form.run(lambda: log_touch(account, actor=request.user, at=at, **form.values())):
            messages.success(request, "Logged.")
            return redirect(TAB, account.pk)
    context = frame(request, account, TAB, form=form, heading="Log an activity", submit="Log it")
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)
