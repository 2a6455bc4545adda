"""Webhooks for administrators: endpoints, their deliveries, and every attempt."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts.policy import requires
from webhooks import actions, queries
from webhooks.catalogue import BY_NAME, EVENT_TYPES
from webhooks.choices import DeliveryState, EndpointState
from webhooks.forms import EndpointForm, ReplayForm, ResumeForm, TestForm
from webhooks.models import Delivery, Endpoint

# A page that waits for an attempt looks again every two seconds; one that is hours away is not waited for.
SOON = timedelta(minutes=1)
TONES = {EndpointState.ACTIVE: "good", EndpointState.PAUSED: "watch", EndpointState.DISABLED: "risk"}
DELIVERY_TONES = {
    DeliveryState.WAITING: "info",
    DeliveryState.RETRYING: "watch",
    DeliveryState.DELIVERED: "good",
    DeliveryState.FAILED: "risk",
}


@requires(GET="webhooks.manage")
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """Every endpoint with how it does."""
    found = queries.endpoints_with_health(at=timezone.now())
    rows = [(endpoint, health, TONES[EndpointState(endpoint.state)]) for endpoint, health in found]
    return render(request, "webhooks/list.html", {"rows": rows, "most": actions.MOST_ENDPOINTS})


@requires(GET="webhooks.manage", POST="webhooks.manage")
@never_cache
def endpoint_new(request: HttpRequest) -> HttpResponse:
    """Set one up; its secret is shown right after, this once."""
    form = EndpointForm(request.POST or None)
    made: list[tuple[Endpoint, str]] = []
    if form.is_valid() and form.run(lambda: made.append(_made(request, form))):
        return _detail(request, made[0][0], secret=made[0][1], status=201)
    return _form(request, form, None)


def _made(request: HttpRequest, form: EndpointForm) -> tuple[Endpoint, str]:
    return actions.create_endpoint(**form.cleaned_data, actor=request.user, at=timezone.now())  # type: ignore[arg-type]


@requires(GET="webhooks.manage", POST="webhooks.manage")
def endpoint_edit(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Another address, description or choice of events."""
    endpoint = get_object_or_404(Endpoint, pk=webhook_id)
    initial = {name: getattr(endpoint, name) for name in ("url", "description", "event_types")}
    form = EndpointForm(request.POST or None, initial=initial)
    if form.is_valid() and form.run(
        lambda: actions.change_endpoint(endpoint, actor=request.user, at=timezone.now(), **form.cleaned_data)
    ):
        messages.success(request, "Saved.")
        return redirect("webhooks:detail", endpoint.pk)
    return _form(request, form, endpoint)


def _form(request: HttpRequest, form: EndpointForm, endpoint: Endpoint | None) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "webhooks/form.html", {"form": form, "endpoint": endpoint}, status=status)


@requires(GET="webhooks.manage")
def endpoint_detail(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """One endpoint and its deliveries, newest first."""
    return _detail(request, get_object_or_404(Endpoint, pk=webhook_id))


def _detail(
    request: HttpRequest, endpoint: Endpoint, *, secret: str = "", test: TestForm | None = None, status: int = 200
) -> HttpResponse:
    filters = queries.LogFilters.read(request.GET)
    page = queries.log(endpoint, filters, request.GET.get("after", ""))
    counts = queries.counts(endpoint)
    names = [("", "All", sum(counts.values())), *((state, state.label, counts[state]) for state in DeliveryState)]
    chosen = filters.parameters()
    context = {
        "endpoint": endpoint,
        "tone": TONES[EndpointState(endpoint.state)],
        "health": queries.healths([endpoint.pk], at=timezone.now()).get(endpoint.pk, queries.NOTHING),
        "secret": secret,
        "rows": [{**row, **_shown(queries.state_of(row))} for row in page.rows],
        "tabs": [(f"?{urlencode({**chosen, 'state': key})}", key, label, count) for key, label, count in names],
        "filters": filters,
        "types": [known.name for known in EVENT_TYPES],
        "told": [(name, BY_NAME[name].told) for name in endpoint.event_types if name in BY_NAME],
        "test_form": test or TestForm(offered=endpoint.event_types),
        "replay_form": ReplayForm(),
        "resume_form": ResumeForm(),
        "overlap": endpoint.previous_until if (endpoint.previous_until or timezone.now()) > timezone.now() else None,
        "next": _page_url(chosen, page.next),
        "previous": _page_url(chosen, page.previous),
    }
    return render(request, "webhooks/detail.html", context, status=status)


def _shown(state: DeliveryState) -> dict[str, Any]:
    return {"state": state, "state_label": state.label, "tone": DELIVERY_TONES[state]}


@requires(POST="webhooks.manage")
def endpoint_pause(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send nothing until resumed."""
    actions.pause_endpoint(get_object_or_404(Endpoint, pk=webhook_id), actor=request.user, at=timezone.now())
    messages.success(request, "Paused. What waits keeps waiting.")
    return redirect("webhooks:detail", webhook_id)


@requires(POST="webhooks.manage")
def endpoint_resume(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send again, also after it was switched off."""
    endpoint = get_object_or_404(Endpoint, pk=webhook_id)
    form = ResumeForm(request.POST)
    form.full_clean()
    actions.resume_endpoint(endpoint, **form.cleaned_data, actor=request.user, at=timezone.now())
    messages.success(request, "It is sent to again.")
    return redirect("webhooks:detail", webhook_id)


@requires(POST="webhooks.manage")
def endpoint_delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """For good, with its deliveries."""
    endpoint = get_object_or_404(Endpoint, pk=webhook_id)
    actions.delete_endpoint(endpoint, actor=request.user, at=timezone.now())
    messages.success(request, f"{endpoint} is deleted.")
    return redirect("webhooks:list")


@requires(POST="webhooks.manage")
@never_cache
def endpoint_rotate(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """A new secret, shown this once; the old one signs as well for a day."""
    endpoint = get_object_or_404(Endpoint, pk=webhook_id)
    endpoint, secret = actions.rotate_secret(endpoint, actor=request.user, at=timezone.now())
    return _detail(request, endpoint, secret=secret, status=201)


@requires(POST="webhooks.manage")
def endpoint_test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send the last real event of a type; the delivery's page shows what comes of it."""
    endpoint = get_object_or_404(Endpoint, pk=webhook_id)
    form = TestForm(request.POST, offered=list(BY_NAME))
    made: list[Delivery] = []
    if form.is_valid() and form.run(
        lambda: made.append(actions.send_test(endpoint, **form.cleaned_data, actor=request.user, at=timezone.now()))
    ):
        return redirect("webhooks:delivery", endpoint.pk, made[0].pk)
    return _detail(request, endpoint, test=form, status=422)


@requires(POST="webhooks.manage")
def endpoint_replay(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send again what was given up within a period."""
    endpoint = get_object_or_404(Endpoint, pk=webhook_id)
    form = ReplayForm(request.POST)
    if form.is_valid():
        now = timezone.now()
        count = actions.replay_failed(endpoint, since=now - form.span, actor=request.user, at=now)
        messages.success(request, f"{count} sent again." if count else "Nothing was given up in that time.")
    return redirect("webhooks:detail", webhook_id)


@requires(GET="webhooks.manage")
def delivery_detail(request: HttpRequest, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    """One delivery: the message as it is sent, and each attempt with what was answered."""
    delivery = _delivery(webhook_id, delivery_id)
    state = queries.state_of(vars(delivery))
    context = {
        "endpoint": delivery.endpoint,
        "delivery": delivery,
        **_shown(state),
        "is_on_its_way": _is_on_its_way(delivery, state),
        "tries": list(delivery.tries.order_by("-at", "-id")),
        "body": json.dumps(json.loads(delivery.event.body), indent=2, ensure_ascii=False),
    }
    template = "webhooks/_delivery.html" if request.htmx else "webhooks/delivery.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    response["Vary"] = "HX-Request, Cookie"
    return response


@requires(POST="webhooks.manage")
def delivery_replay(request: HttpRequest, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Send it once more."""
    if actions.replay(_delivery(webhook_id, delivery_id), actor=request.user, at=timezone.now()):
        messages.success(request, "It is sent again.")
    else:
        messages.info(request, "It is being sent at this moment.")
    return redirect("webhooks:delivery", webhook_id, delivery_id)


def _is_on_its_way(delivery: Delivery, state: DeliveryState) -> bool:
    """Whether an attempt is to be expected while one looks."""
    if state == DeliveryState.RETRYING:
        return delivery.not_before - timezone.now() < SOON
    is_sent_to = delivery.is_test or delivery.endpoint.state == EndpointState.ACTIVE
    return state == DeliveryState.WAITING and is_sent_to


def _delivery(webhook_id: UUID, delivery_id: UUID) -> Delivery:
    rows = Delivery.objects.select_related("endpoint", "event").filter(endpoint=webhook_id)
    return get_object_or_404(rows, pk=delivery_id)


def _page_url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""
