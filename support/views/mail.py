"""The mail room's pages: held mail, one mail, and the desk's mail settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings as installation
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.keys import is_key
from accounts.policy import requires
from support import actions
from support.choices import UNDECIDED, MailState
from support.forms.mail import MailSettingsForm, ReleaseForm
from support.mail.parse import Unreadable, read
from support.models import IncomingMail
from support.queries import mail as queries
from support.queries.addresses import host

MOST_AT_ONCE = 200
SETTINGS = ("support_address", "trusted_relay", "mails_per_hour", "acknowledge_mail", "ask_for_rating")


@requires(GET="mail.sort")
def mail_list(request: HttpRequest) -> HttpResponse:
    """Mail by state, newest first; what waits for a decision stands first."""
    filters = queries.MailFilters.read(request.GET)
    page = queries.mail_page(request.user, filters, request.GET.get("after", ""))
    counts = queries.mail_counts(request.user, filters)
    words = {"q": filters.q} if filters.q else {}
    context = {
        "page": page,
        "filters": filters,
        "labels": dict(MailState.choices),
        "tabs": [
            (urlencode({**words, "state": key} if key else words), label, counts[f"n_{key}"], key == filters.state)
            for key, (label, _states) in queries.TABS.items()
        ],
        "next": _page_url(filters.parameters(), page.next),
        "previous": _page_url(filters.parameters(), page.previous),
    }
    return render(request, "support/mail_list.html", context)


@requires(POST="mail.sort")
def mail_bulk(request: HttpRequest) -> HttpResponse:
    """Release, discard or bring back the mails that were chosen."""
    keys = [key for key in request.POST.getlist("id") if is_key(key)][:MOST_AT_ONCE]
    mails = list(IncomingMail.objects.visible_to(request.user).defer("raw").filter(pk__in=keys))
    verb, now = request.POST.get("do", ""), timezone.now()
    if not mails:
        messages.info(request, "Choose mails first.")
    elif verb == "release":
        done, stayed = actions.release_many(mails, actor=request.user, at=now)
        messages.success(request, f"{done} released.")
        for line in stayed[:5]:
            messages.warning(request, line)
    elif verb == "discard":
        messages.success(request, f"{actions.discard(mails, actor=request.user, at=now)} discarded.")
    elif verb == "back":
        messages.success(request, f"{actions.bring_back(mails, actor=request.user, at=now)} brought back.")
    return redirect(_back_to_list(request))


@requires(GET="mail.sort", POST="mail.sort")
def mail_detail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """One mail as text, why it stands where it does, and where it may go."""
    mail = _mail(request, mail_id)
    if request.method == "POST" and mail.state not in UNDECIDED:
        messages.warning(request, f"It is decided already: {mail.get_state_display().lower()}.")
        return redirect("support:mail-detail", mail.pk)
    given = request.POST if request.method == "POST" else None
    form = ReleaseForm(given, user=request.user, initial=_suggested(request, mail))
    if form.is_bound and form.is_valid():
        where = {name: form.cleaned_data[name] for name in ("account", "ticket", "add_contact")}
        if form.run(lambda: actions.release(mail, **where, actor=request.user, at=timezone.now())):
            mail.refresh_from_db()
            messages.success(request, f"Released into #{mail.ticket.number}." if mail.ticket else "Released.")
            return redirect("support:mail-list")
    content = _content(mail)
    context = {
        "mail": mail,
        "content": content,
        "verdicts": content.headers.get("authentication-results", ()) if content else (),
        "form": form,
        "known": queries.known_as(request.user, mail.from_address),
        "undecided": mail.state in UNDECIDED,
    }
    return render(request, "support/mail_detail.html", context, status=422 if form.is_bound else 200)


@requires(GET="mail.sort")
def mail_source(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """The mail as it came, to be saved and never shown."""
    mail = _mail(request, mail_id)
    headers = {
        "Content-Disposition": f'attachment; filename="mail-{mail.pk}.eml"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return HttpResponse(bytes(mail.raw), content_type="application/octet-stream", headers=headers)


@requires(GET="support.configure", POST="support.configure")
def mail_settings(request: HttpRequest) -> HttpResponse:
    """Support address, trusted relay, acknowledgement, limits."""
    row = actions.settings_row() if request.method == "POST" else actions.settings_shown()
    form = MailSettingsForm(request.POST or None, initial={name: getattr(row, name) for name in SETTINGS})
    if form.is_bound and form.is_valid():
        now = timezone.now()
        if form.run(lambda: actions.configure_mail(form.cleaned_data, actor=request.user, at=now)):
            messages.success(request, "Saved.")
            return redirect("support:mail-settings")
    context = {"form": form, "inbound": f"support@{host()}", "relay": installation.MAIL_RELAY}
    return render(request, "support/mail_settings.html", context, status=422 if form.is_bound else 200)


def _mail(request: HttpRequest, mail_id: UUID) -> IncomingMail:
    rows = IncomingMail.objects.visible_to(request.user).select_related("ticket", "decided_by")
    return get_object_or_404(rows, pk=mail_id)


def _content(mail: IncomingMail) -> Any:
    try:
        return read(bytes(mail.raw))
    except Unreadable:
        return None


def _suggested(request: HttpRequest, mail: IncomingMail) -> dict[str, Any]:
    """The only account whose people write from the sender's host."""
    found = list(queries.likely_accounts(request.user, mail.from_address)[:2])
    return {"account": found[0]} if len(found) == 1 else {}


def _back_to_list(request: HttpRequest) -> str:
    filters = queries.MailFilters.read(request.POST)
    query = urlencode(filters.parameters())
    return f"{request.path.removesuffix('bulk/')}{'?' + query if query else ''}"


def _page_url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""
