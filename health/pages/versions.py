"""What a version would do, and its way from draft to live and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.models import User
from accounts.policy import requires
from health.actions import (
    discard_draft,
    roll_back,
    schedule_version,
    unschedule_version,
)
from health.book.keeping import kept_while_unchanged, seen_as
from health.choices import VersionState
from health.differences import fingerprint
from health.models import Scorecard, ScorecardVersion
from health.pages.scorecards import activated, version_of
from health.pages.what_if import what_if
from health.queries.preview import Change, Preview, preview_of

PER_PAGE = 50
VIEWS = ("crossing", "moved", "all")
HEADINGS = (
    "Account", "Owner", "ARR", "Currency", "Score before", "Band before", "Score after", "Band after", "Change",
    "Direction", "Band set by hand",
)  # fmt: skip


@requires(GET="health.configure")
def version_preview(request: HttpRequest, key: str) -> HttpResponse:
    """Scores of every account under the version beside those of now: distribution, movers, bands. Writes nothing."""
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    shown = request.GET.get("show", "crossing")
    shown = shown if shown in VIEWS else "crossing"
    context = {
        "card": card,
        "version": version,
        "is_draft": version.state == VersionState.DRAFT,
        "is_retired": version.state == VersionState.RETIRED,
        "show": shown,
        "tomorrow": timezone.localdate() + timedelta(days=1),
        **_looked_at(version, request.user, shown, _wanted_page(request)),
    }
    return render(request, "health/version_preview.html", context)


def _looked_at(version: ScorecardVersion, user: User, shown: str, page: int) -> dict[str, Any]:
    """The preview's figures and a page of its accounts, kept while the data and the version are what they were.

    Of a card that has no live version nothing is kept: what its accounts are measured by changes no score of theirs.
    """
    now = timezone.now()
    day = user.workspace_settings.day_of(now)
    asked = ("preview", version.pk, fingerprint(version.definition), seen_as(user), day, shown, page)
    return kept_while_unchanged(
        asked,
        lambda: _drawn(preview_of(version, user, at=now), shown, page),
        may_keep=lambda found: found["active"] is not None,
    )


def _drawn(preview: Preview, shown: str, wanted: int) -> dict[str, Any]:
    rows = _rows(preview, shown)
    pages = -(-len(rows) // PER_PAGE)
    page = min(wanted, max(pages, 1))
    return {
        "active": preview.live and {"pk": preview.live.pk, "number": preview.live.number},
        **what_if(preview),
        "moved": sum(1 for change in preview.changes if change.moved),
        "rows": rows[(page - 1) * PER_PAGE : page * PER_PAGE],
        "total": len(rows),
        "page": page,
        "pages": pages,
        "first": (page - 1) * PER_PAGE + 1,
        "last": min(page * PER_PAGE, len(rows)),
    }


@requires(GET="health.configure")
def version_preview_csv(request: HttpRequest, key: str) -> HttpResponse:
    """The preview, account by account, of what the page shows (``?show=``)."""
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    shown = request.GET.get("show", "all")
    rows = _rows(preview_of(version, request.user, at=timezone.now()), shown if shown in VIEWS else "all")
    return csv_response(f"preview-{card.key}-{version.number}.csv", HEADINGS, _lines(rows))


def _rows(preview: Preview, shown: str) -> list[Change]:
    if shown == "crossing":
        return preview.crossing
    return [change for change in preview.changes if change.moved] if shown == "moved" else preview.changes


def _lines(rows: list[Change]) -> Iterator[tuple[Any, ...]]:
    for change in rows:
        old, new = change.before, change.after
        yield (
            change.name, change.owner, change.arr, change.currency, old.shown, old.name, new.shown, new.name,
            change.moved, change.direction, change.override,
        )  # fmt: skip


def _wanted_page(request: HttpRequest) -> int:
    raw = request.GET.get("page", "1")
    return max(int(raw), 1) if raw.isascii() and raw.isdigit() and len(raw) < 7 else 1


@requires(POST="health.configure")
def version_act(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Activate, schedule, take back a schedule, discard, or roll back to: what ``do`` says."""
    card = get_object_or_404(Scorecard, key=key)
    version = get_object_or_404(card.versions.select_related("scorecard"), number=number)
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise Http404
    return act(request, version)


def _activate(request: HttpRequest, version: ScorecardVersion) -> HttpResponse:
    activated(request, version)
    return _to_card(version)


def _schedule(request: HttpRequest, version: ScorecardVersion) -> HttpResponse:
    try:
        on = date.fromisoformat(request.POST.get("on", ""))
    except ValueError:
        messages.error(request, "Choose a day.")
        return _to_preview(version)
    try:
        schedule_version(version, on=on, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return _to_preview(version)
    messages.success(request, f"Version {version.number} goes live on {on:%-d %B %Y}, before that day's scores.")
    return _to_card(version)


def _unschedule(request: HttpRequest, version: ScorecardVersion) -> HttpResponse:
    return _tried(request, version, unschedule_version, "It stays a draft and goes live when you say so.")


def _discard(request: HttpRequest, version: ScorecardVersion) -> HttpResponse:
    number = version.number
    try:
        discard_draft(version, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return _to_card(version)
    messages.success(request, f"Draft {number} is discarded.")
    return redirect("health:scorecard-detail", version.scorecard.key)


def _roll_back(request: HttpRequest, version: ScorecardVersion) -> HttpResponse:
    return _tried(request, version, roll_back, f"Version {version.number}'s rules are live again, as a new version.")


def _tried(request: HttpRequest, version: ScorecardVersion, act: Any, words: str) -> HttpResponse:
    try:
        changed = act(version, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return _to_card(version)
    messages.success(request, words)
    return _to_card(changed)


def _to_card(version: ScorecardVersion) -> HttpResponse:
    return redirect(f"/health/scorecards/{version.scorecard.key}/?version={version.number}")


def _to_preview(version: ScorecardVersion) -> HttpResponse:
    return redirect(f"/health/scorecards/{version.scorecard.key}/preview/?version={version.number}")


_ACTS = {
    "activate": _activate,
    "schedule": _schedule,
    "unschedule": _unschedule,
    "discard": _discard,
    "roll-back": _roll_back,
}
