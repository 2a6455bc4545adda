"""The inbox, its settings, and the outbox for administrators."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.errors import RuleViolated
from accounts.middleware import zone_of
from accounts.policy import requires
from engagement import actions, holding, queries
from engagement.choices import URGENT, kinds_for
from engagement.forms import QuietHoursForm
from engagement.models import Notification, OutboxMessage, QuietHours


@requires(GET="notifications.own")
def inbox(request: HttpRequest) -> HttpResponse:
    """One's own notices, newest first."""
    filters = queries.InboxFilters.read(request.GET)
    page = queries.inbox(request.user, filters, request.GET.get("after", ""))
    parameters = filters.parameters()
    context = {
        "page": page,
        "filters": filters,
        "kinds": [(kind.value, kind.label) for kind in kinds_for(is_portal=request.user.is_portal)],
        "unread": queries.unread(request.user).count(),
        "next": _page_url(parameters, page.next),
        "previous": _page_url(parameters, page.previous),
    }
    return render(request, "engagement/inbox.html", context)


@requires(POST="notifications.own")
def read_one(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Mark one notice read; with ``open`` go on to what it is about."""
    notice = get_object_or_404(Notification.objects.of(request.user), pk=notice_id)
    actions.mark_read(request.user, at=timezone.now(), notice=notice.pk)
    target = notice.url if request.POST.get("open") else ""
    # SECURITY: notices hold paths; anything else is not followed.
    if target and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return redirect(target)
    return redirect("engagement:inbox")


@requires(POST="notifications.own")
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark every notice read."""
    count = actions.mark_read(request.user, at=timezone.now())
    messages.success(request, f"{count} marked as read.")
    return redirect("engagement:inbox")


@requires(GET="notifications.own", POST="notifications.own")
def preferences(request: HttpRequest) -> HttpResponse:
    """What reaches the reader, and how."""
    if request.method == "POST":
        kinds = kinds_for(is_portal=request.user.is_portal)
        wishes = {kind.value: (f"app-{kind}" in request.POST, f"mail-{kind}" in request.POST) for kind in kinds}
        actions.set_preferences(request.user, wishes, at=timezone.now())
        messages.success(request, "Saved.")
        return redirect("engagement:preferences")
    return _preferences(request, QuietHoursForm(initial=_quiet(request)))


@requires(POST="notifications.own")
def quiet_hours(request: HttpRequest) -> HttpResponse:
    """When the reader wants no mail."""
    form = QuietHoursForm(request.POST)
    if form.is_valid():
        try:
            kept = holding.set_quiet_hours(request.user, at=timezone.now(), **form.cleaned_data)
        except RuleViolated as broken:
            form.add_error(broken.field, str(broken))
        else:
            messages.success(request, f"Quiet hours: {kept}." if kept else "You have no quiet hours.")
            return redirect("engagement:preferences")
    return _preferences(request, form)


def _quiet(request: HttpRequest) -> dict[str, object]:
    found = QuietHours.objects.filter(user=request.user).first()
    return found.plain() if found else {"urgent_passes": True}


def _preferences(request: HttpRequest, form: QuietHoursForm) -> HttpResponse:
    context = {
        "rows": queries.preferences_of(request.user),
        "quiet": form,
        "zone": zone_of(request.user).key,
        "urgent": [kind.label for kind in kinds_for(is_portal=request.user.is_portal) if kind in URGENT],
    }
    return render(request, "engagement/preferences.html", context, status=422 if form.errors else 200)


@requires(GET="outbox.view")
def outbox(request: HttpRequest) -> HttpResponse:
    """Mail on its way out, with its attempts and errors."""
    state = request.GET.get("state", "")
    if state and state not in queries.STATES:
        raise Http404
    page = queries.outbox(state, request.GET.get("after", ""))
    counts = queries.outbox_counts()
    parameters = {"state": state} if state else {}
    context = {
        "rows": [{**row, "state": queries.state_of(row)} for row in page.rows],
        "tabs": [("", "All", sum(counts.values())), *((key, queries.STATES[key], counts[key]) for key in counts)],
        "state": state,
        "states": queries.STATES,
        "next": _page_url(parameters, page.next),
        "previous": _page_url(parameters, page.previous),
    }
    return render(request, "engagement/outbox.html", context)


@requires(POST="outbox.view")
def retry(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Send a message again from its first attempt."""
    message = get_object_or_404(OutboxMessage, pk=message_id)
    if actions.retry_message(message, actor=request.user, at=timezone.now()):
        messages.success(request, f"The mail to {message.to} will be tried again.")
    else:
        messages.info(request, "It was sent in the meantime.")
    return redirect("engagement:outbox")


def _page_url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""
