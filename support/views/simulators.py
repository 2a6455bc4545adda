"""Service levels as they stand, and trying them: the very functions that judge tickets. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import WorkCalendar
from accounts.policy import requires
from businesstime import Calendar, NoWorkingTime
from support.forms.simulators import EXAMPLE_EVENTS, ClockForm, DecisionForm, PolicyForm
from support.models import Ladder, SlaPolicy, SlaPolicyVersion
from support.queries.calendars import Calendars
from support.queries.policies import Answer, OutOfRange, SimulationRefused, explain_policy
from support.sla.decide import decide
from support.sla.simulate import CLOCKS, EVENT_TYPES, simulate

PROMISES = {
    "response_due": "First response",
    "first_action_due": "First action",
    "first_update_due": "First update",
    "resolution_due": "Resolution",
}
CLOCK_NAMES = {"first_response": "First response", "update": "Next update", "resolution": "Resolution"}


@requires(GET="tickets.view", POST="tickets.view")
def try_policy(request: HttpRequest) -> HttpResponse:
    """When a service level's promises would be due for a ticket nobody has opened."""
    policies = _policies()
    initial = {"created_at": _now(), "policy": request.GET.get("policy", "")}
    form = PolicyForm(request.POST or None, policies=policies, initial=initial)
    answer: list[tuple[str, Answer | None]] = []
    if request.method == "POST" and form.is_valid():
        try:
            answer = _promised(form.cleaned_data, policies)
        except SimulationRefused as error:
            form.add_error(error.field, str(error))
        except OutOfRange as error:
            form.add_error("created_at", str(error))
    context = {"form": form, "answer": answer, "policies": policies}
    return render(request, "support/try_policy.html", context, status=422 if form.errors else 200)


@requires(GET="tickets.view", POST="tickets.view")
def try_clocks(request: HttpRequest) -> HttpResponse:
    """What clocks make of events somebody made up."""
    calendars = Calendars()
    rows = sorted(calendars.rows.values(), key=lambda row: row.name)
    initial = {"first_response": 240, "resolution": 960, "events": EXAMPLE_EVENTS}
    form = ClockForm(request.POST or None, calendars=rows, initial=initial)
    answer: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        try:
            answer = _clocked(form.cleaned_data, calendars)
        except _Unreadable as error:
            form.add_error("events", str(error))
        except NoWorkingTime:
            form.add_error("calendar", "The calendar does not hold that much working time.")
    context = {"form": form, "answer": answer}
    return render(request, "support/try_clocks.html", context, status=422 if form.errors else 200)


@requires(GET="escalations.view", POST="escalations.view")
def try_decision(request: HttpRequest) -> HttpResponse:
    """Who owns a case, by the decision tree of the methodology."""
    ladder = next((each for each in Ladder.objects.all() if each.definition.get("decision_tree")), None)
    tree: Mapping[str, Any] = ladder.definition["decision_tree"] if ladder else {"facts": [], "branches": []}
    form = DecisionForm(request.POST or None, facts=tree["facts"])
    decision, names = None, {}
    if ladder and request.method == "POST" and form.is_valid():
        levels = ladder.definition.get("levels", [])
        names = {level["key"]: level["name"] for level in levels}
        decision = decide(tree, form.cleaned_data, {level["key"]: level.get("level", 0) for level in levels})
    context = {
        "form": form,
        "ladder": ladder,
        "owner": names.get(decision.owner, decision.owner) if decision else "",
        "joined_by": [names.get(key, key.replace("_", " ")) for key in decision.joined_by] if decision else [],
    }
    return render(request, "support/try_decision.html", context)


class _Unreadable(ValueError):
    """A line of events that cannot be read."""


def _policies() -> list[SlaPolicy]:
    """Service levels that are in force, with their newest version first. Two queries."""
    newest = Prefetch("versions", SlaPolicyVersion.objects.select_related("calendar").order_by("-number"))
    return list(SlaPolicy.objects.in_force().prefetch_related(newest))


def _now() -> datetime:
    return timezone.localtime().replace(second=0, microsecond=0, tzinfo=None)


def _promised(data: Mapping[str, Any], policies: list[SlaPolicy]) -> list[tuple[str, Answer | None]]:
    policy = next(policy for policy in policies if policy.key == data["policy"])
    calendars = Calendars(year=data["created_at"].year)
    own = policy.versions.all()[0].calendar.definition.get("timezone")
    zone = own or data["timezone"] or calendars.zone
    try:
        # What somebody typed is the calendar's own wall clock, in the customer's zone where it names none.
        created = data["created_at"].replace(tzinfo=ZoneInfo(zone))
    except (ValueError, OSError, KeyError) as error:
        raise SimulationRefused("timezone", "unknown", f"{zone!r} is not a time zone.") from error
    found = explain_policy(
        policy, tier=data["tier"], severity=data["severity"] or "*", created_at=created, zone=data["timezone"],
        holidays=data["holidays"].split(),
    )  # fmt: skip
    return [(label, found[name]) for name, label in PROMISES.items()]


def _clocked(data: Mapping[str, Any], calendars: Calendars) -> list[dict[str, Any]]:
    row: WorkCalendar = calendars.by_key[data["calendar"]]
    calendar = calendars.calendar(row)
    targets = {clock: int(data[clock] * 60) for clock in CLOCKS if data.get(clock)}
    events = _events(data["events"], calendar)
    at = data["evaluated_at"].replace(tzinfo=calendar.rules.zone) if data["evaluated_at"] else None
    if at is not None and at < events[0][1]:
        raise _Unreadable("It cannot be looked at before it was created.")
    found = simulate(calendar, targets, events, evaluated_at=at)
    return [
        {
            "name": CLOCK_NAMES[clock],
            "due": found[f"{clock}_due"],
            "used": found[f"{clock}_business_minutes"],
            "left": found[f"{clock}_remaining_minutes"],
            "breached": found[f"{clock}_breached"],
        }
        for clock in targets
    ]


def _events(text: str, calendar: Calendar) -> list[tuple[str, datetime]]:
    """Lines of ``kind 2026-11-23 09:00``. Raises _Unreadable naming the line."""
    found = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        kind, _space, moment = line.partition(" ")
        try:
            at = datetime.fromisoformat(moment.strip())
        except ValueError as error:
            raise _Unreadable(f"Line {number}: write a kind and a moment, such as created 2026-11-23 09:00.") from error
        if kind not in EVENT_TYPES:
            raise _Unreadable(f"Line {number}: {kind[:40]} is no kind of event.")
        found.append((kind, at if at.tzinfo else at.replace(tzinfo=calendar.rules.zone)))
    found.sort(key=lambda event: event[1])
    if sum(kind == "created" for kind, _at in found) != 1 or found[0][0] != "created":
        raise _Unreadable("Begin with created, once.")
    return found
