"""Dry runs of the triggers and the log of their real runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.policy import requires
from health.actions.dry_runs import start_dry_run
from health.choices import Firing, Held
from health.models import DryRun, Trigger, TriggerFiring, TriggerRun
from health.models.automation import MOST_DAYS
from health.queries.automation import clean_day, firings_of, log_page, names_of_people
from health.queries.lab import names_of
from health.wording import fact
from ui import formats, wording
from ui.charts import Chart, Series, stacked_bars

SHOWN = 200
_SPANS = ((1, "today"), (7, "7 days"), (30, "30 days"), (90, "90 days"))


class DryRunForm(forms.Form):
    """Which trigger to try with those that are on, and how far ahead."""

    trigger = forms.ChoiceField(label="With", required=False, help_text="Its draft, else its newest version.")
    days = forms.TypedChoiceField(label="Ahead", choices=_SPANS, coerce=int, initial=MOST_DAYS)

    def __init__(self, *args: Any, triggers: dict[str, Trigger], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pairs = [(key, trigger.name) for key, trigger in triggers.items()]
        self.fields["trigger"].choices = [("", "Those that are on, as they are"), *pairs]  # type: ignore[attr-defined]


@requires(GET="health.configure", POST="health.configure")
def dry_run_list(request: HttpRequest) -> HttpResponse:
    """Dry runs so far, and the form for another; ``?trigger=`` fills it in."""
    triggers = {trigger.key: trigger for trigger in Trigger.objects.order_by("name")}
    initial = {"trigger": request.GET.get("trigger", ""), "days": MOST_DAYS}
    form = DryRunForm(request.POST or None, triggers=triggers, initial=initial)
    if request.method == "POST" and form.is_valid():
        trigger = triggers.get(form.cleaned_data["trigger"])
        try:
            asked = start_dry_run(trigger, days=form.cleaned_data["days"], actor=request.user, at=timezone.now())
        except RuleViolated as broken:
            form.add_error(broken.field if broken.field in form.fields else None, str(broken))
        else:
            return redirect("health:dry-run", asked.pk)
    runs = DryRun.objects.select_related("trigger", "created_by").defer("rows")[:30]
    return render(request, "health/dry_run_list.html", {"form": form, "runs": runs}, status=422 if form.errors else 200)


@requires(GET="health.configure")
def dry_run(request: HttpRequest, dry_run_id: UUID) -> HttpResponse:
    """What would happen, or how far it is; ``?trigger=``, ``?day=`` and ``?owner=`` narrow the list."""
    asked = get_object_or_404(DryRun.objects.select_related("trigger", "created_by"), pk=dry_run_id)
    context: dict[str, Any] = {"run": asked}
    if asked.result is not None:
        context |= _report(request, asked)
    return render(request, "health/dry_run.html", context)


@requires(GET="health.configure")
def dry_run_progress(request: HttpRequest, dry_run_id: UUID) -> HttpResponse:
    """The part of the page that changes while a worker is at it; the whole page is loaded again at the end."""
    asked = get_object_or_404(DryRun.objects.defer("rows"), pk=dry_run_id)
    answer = render(request, "health/_dry_run_progress.html", {"run": asked})
    if not asked.is_working:
        answer["HX-Refresh"] = "true"
    return answer


@requires(GET="health.configure")
def dry_run_csv(request: HttpRequest, dry_run_id: UUID) -> HttpResponse:
    """Who would get what, when and why; the same filters as the page."""
    asked = get_object_or_404(DryRun, pk=dry_run_id)
    if asked.rows is None or asked.result is None:
        raise Http404
    headings = ("Day", "Account", "Trigger", "Outcome", "Owner", "Not before", "Condition", "Facts", "Events")
    return csv_response(f"dry-run-{asked.start_at.date()}.csv", headings, _lines(request, asked))


def _lines(request: HttpRequest, asked: DryRun) -> Iterator[tuple[Any, ...]]:
    for row in _told(request, asked, _narrowed(request, asked)[0]):
        evidence = row["evidence"]
        yield (
            row["on"], row["name"], row["title"], row["words"], row["person"], row["due_at"] or "",
            evidence["condition"], "; ".join(row["facts"]), "; ".join(row["events"]),
        )  # fmt: skip


def _narrowed(request: HttpRequest, asked: DryRun) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows the address asks for, and the filters it names."""
    wanted = {
        "trigger": request.GET.get("trigger", ""),
        "owner": request.GET.get("owner"),
        "day": clean_day(request.GET.get("day", ""), asked.days),
    }
    rows = [
        row
        for row in asked.rows or []
        if (not wanted["trigger"] or row["trigger"] == wanted["trigger"])
        and (wanted["owner"] is None or row["owner"] == wanted["owner"])
        and (wanted["day"] is None or row["day"] == wanted["day"])
    ]
    return rows, wanted


def _told(request: HttpRequest, asked: DryRun, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of accounts that the reader may see, with names. Two queries."""
    accounts = names_of(request.user, [row["account"] for row in rows])
    people = names_of_people()
    words = dict(Firing.choices)
    for row in rows:
        if row["account"] in accounts:
            yield {
                **row,
                "on": (asked.start_at + timedelta(days=row["day"])).date(),
                "name": accounts[row["account"]].name,
                "title": (asked.result or {})["names"].get(row["trigger"], row["trigger"]),
                "person": people.get(row["owner"], row["owner"]) or "Nobody",
                "facts": [fact(key, value) for key, value in row["evidence"]["facts"].items()],
                "events": [
                    f"{wording.said(key)} last on {formats.day(date.fromisoformat(moment[:10]))}"
                    for key, moment in row["evidence"]["events"].items()
                ],
                "words": "Opens a CTA" if row["outcome"] == Firing.OPENED else words[row["outcome"]],
            }


def _report(request: HttpRequest, asked: DryRun) -> dict[str, Any]:
    result = asked.result or {}
    rows, wanted = _narrowed(request, asked)
    told = list(_told(request, asked, rows[:SHOWN]))
    people = names_of_people()
    by_day = [((asked.start_at + timedelta(days=day)).date(), n) for day, n in enumerate(result.get("by_day", ()))]
    reasons = dict(Held.choices)
    triggers = [
        {
            "key": key,
            "name": result["names"][key],
            "opened": counts.get(Firing.OPENED, 0),
            "duplicate": counts.get(Firing.DUPLICATE, 0),
            "held": [f"{reasons[reason].lower()}: {n}" for reason, n in result["held"].get(key, {}).items()],
        }
        for key, counts in result["by_trigger"].items()
    ]
    return {
        "opened": sum(result["by_day"]),
        "triggers": sorted(triggers, key=lambda row: (-row["opened"], row["name"])),
        "owners": [(key, people.get(key, key) or "Nobody", n) for key, n in Counter(result["by_owner"]).most_common()],
        "days": [(day, on, n) for day, (on, n) in enumerate(by_day) if n],
        "chart": _day_chart(by_day),
        "most_a_day": max(result["by_day"], default=0),
        "rows": told,
        "total": len(rows),
        "wanted": wanted,
        "narrowed": bool(wanted["trigger"]) or wanted["owner"] is not None or wanted["day"] is not None,
        "query": request.GET.urlencode(),
    }


def _day_chart(by_day: list[tuple[date, int]]) -> Chart | None:
    """Bars, one a day, without the table that the page has with links; None where one bar would be all."""
    if len(by_day) < 2 or not any(n for _on, n in by_day):
        return None
    names = [(formats.day(on, today=on), formats.day(on)) for on, _n in by_day]
    most = max(n for _on, n in by_day)
    desc = f"Bars, one a day from {names[0][1]} to {names[-1][1]}; at most {most:,} on one day."
    drawn = stacked_bars("CTAs by day", desc, names, [Series("c1", "CTAs", [n for _on, n in by_day])], "{:,.0f}".format)
    return replace(drawn, rows=())


@requires(GET="health.view")
def run_log(request: HttpRequest) -> HttpResponse:
    """The latest evaluations: accounts looked at, fired, held back and why. ``?all=1`` shows those of nothing too."""
    runs, following = log_page(everything=request.GET.get("all") == "1", before=request.GET.get("before", ""))
    context = {"runs": runs, "following": following, "everything": request.GET.get("all") == "1"}
    return render(request, "health/run_log.html", context)


@requires(GET="health.view")
def run_detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One evaluation: by trigger what fired and what was held back, and the firings with their CTAs, by pages."""
    found = get_object_or_404(TriggerRun, pk=run_id)
    reasons = dict(Held.choices)
    names = dict(Trigger.objects.values_list("key", "name"))
    rows = [
        {
            "key": key if key in names else "",
            "name": names.get(key, key),
            "fired": counts.get("fired", 0),
            "held": [f"{reasons[reason].lower()}: {n}" for reason, n in counts.items() if reason in reasons],
        }
        for key, counts in sorted(found.counts.items())
    ]
    firings = TriggerFiring.objects.visible_to(request.user).filter(run=found)
    page = firings_of(firings, request.GET.get("page", ""))
    return render(request, "health/run_detail.html", {"run": found, "rows": rows, "page": page})


def asked_for(request: HttpRequest, trigger: Trigger) -> HttpResponse:
    """Start a dry run of ``trigger`` from its page."""
    try:
        asked = start_dry_run(trigger, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return redirect("health:trigger-detail", trigger.key)
    return redirect("health:dry-run", asked.pk)
