"""Segments: the list, one with its history, and the rule builder with a live count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Account
from accounts.policy import may, requires
from health.actions import change_segment, create_segment, delete_segment
from health.book.listing import forget_choices
from health.models import Segment, SegmentMember
from health.queries.segments import crossings, matching, segment_counts
from health.segments import builder
from health.segments.catalogue import fields, recent_fields, segment_names
from health.segments.rules import JOINS, RuleError, RuleField, checked, in_words

LATELY_DAYS, SHOWN_MEMBERS, SAMPLE = 30, 20, 5
# What the page says of a member: whole rows of accounts would be sorted along.
MEMBER = ("entered_at", "account__name", "account__owner__name", "account__owner__email", "account__tier__name")
UNPROCESSABLE = 422


@requires(GET="accounts.view")
def segment_list(request: HttpRequest) -> HttpResponse:
    """Every segment with its rule in words and its numbers."""
    known = recent_fields()
    since = timezone.now() - timedelta(days=LATELY_DAYS)
    rows = [(each, in_words(each.segment.rule, known)) for each in segment_counts(request.user, since=since)]
    context = {"rows": rows, "may_change": may(request.user, "segments.edit")}
    return render(request, "health/segment_list.html", context)


@requires(GET="accounts.view")
def segment_detail(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """One segment: who is in it, who came and who went."""
    segment = get_object_or_404(Segment.objects.select_related("created_by"), pk=segment_id)
    stays = SegmentMember.objects.visible_to(request.user).filter(segment=segment).current()
    members = stays.select_related("account__owner", "account__tier").only(*MEMBER)
    context = {
        "segment": segment,
        "words": in_words(segment.rule, recent_fields()),
        "members": members.order_by("-entered_at", "account__name")[:SHOWN_MEMBERS],
        "total": stays.count(),
        "crossings": crossings(segment, request.user),
        "url": f"{reverse('accounts:account-list')}?segment={segment.pk}",
        "may_change": may(request.user, "segments.edit"),
    }
    return render(request, "health/segment_detail.html", context)


@requires(GET="segments.edit", POST="segments.edit")
def segment_new(request: HttpRequest) -> HttpResponse:
    """The builder of a new segment."""
    return _builder(request, None)


@requires(GET="segments.edit", POST="segments.edit")
def segment_edit(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """The builder of one that is there."""
    return _builder(request, get_object_or_404(Segment, pk=segment_id))


@requires(POST="segments.edit")
def segment_delete(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Delete a segment and its history; the accounts stay."""
    segment = get_object_or_404(Segment, pk=segment_id)
    delete_segment(segment, actor=request.user, at=timezone.now())
    forget_choices()
    messages.success(request, f"The segment “{segment}” was deleted.")
    return redirect("accounts:segment-list")


def _builder(request: HttpRequest, segment: Segment | None) -> HttpResponse:
    """GET shows the rule; POST does what its button says, and without one counts anew."""
    known = fields()
    if request.method != "POST":
        rule = segment.rule if segment else builder.BLANK
        named = {"name": segment.name if segment else "", "description": segment.description if segment else ""}
        return _draw(request, segment, rule, known, named, untouched=segment is None)
    do = request.POST.get("do", "")
    rule = builder.after(builder.read(request.POST, known), do)
    named = {name: request.POST.get(name, "") for name in ("name", "description")}
    if do != "save":
        return _draw(request, segment, rule, known, named)
    try:
        saved = _save(request, segment, rule, named)
    except RuleViolated as problem:
        return _draw(request, segment, rule, known, named, problem=problem)
    forget_choices()
    messages.success(request, f"“{saved}” was saved.")
    url = reverse("accounts:segment-detail", args=[saved.pk])
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


def _save(request: HttpRequest, segment: Segment | None, rule: dict[str, Any], named: dict[str, str]) -> Segment:
    now = timezone.now()
    if segment is None:
        return create_segment(rule=rule, actor=request.user, at=now, **named)
    version = request.POST.get("version", "")
    expected = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None
    return change_segment(segment, rule=rule, actor=request.user, at=now, expected_version=expected, **named)


def _draw(
    request: HttpRequest,
    segment: Segment | None,
    rule: Any,
    known: dict[str, RuleField],
    named: dict[str, str],
    *,
    problem: RuleViolated | None = None,
    untouched: bool = False,
) -> HttpResponse:
    context = {
        "segment": segment,
        "version": request.POST.get("version") or (segment.version if segment else ""),
        **named,
        "join": rule["join"],
        "joins": list(JOINS.items()),
        "groups": builder.drawn(rule, known),
        "fields": builder.grouped(known),
        "segment_names": segment_names(request.user),
        "problem": problem,
        "action": request.path,
        **({} if untouched else _count(request, rule, known)),
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "health/_segment_builder.html" if partial else "health/segment_form.html"
    response = render(request, template, context, status=UNPROCESSABLE if problem else 200)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _count(request: HttpRequest, rule: Any, known: dict[str, RuleField]) -> dict[str, Any]:
    """How many accounts the rule matches now, with a few of them; or what is still missing."""
    try:
        clean = checked(rule, known)
    except RuleError as wrong:
        return {"incomplete": wrong.message}
    rows = matching(clean, request.user, at=timezone.now())
    names = list(rows.order_by("-arr", "pk").values_list("name", flat=True)[: SAMPLE + 1])
    everyone = Account.objects.visible_to(request.user).unarchived()
    return {
        "counted": rows.count() if len(names) > SAMPLE else len(names),
        "of": everyone.count(),
        "sample": names[:SAMPLE],
        "words": in_words(clean, known),
    }
