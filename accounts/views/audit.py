"""The audit log: who changed what, and whether the chain of entries is whole."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions.verification import start_check
from accounts.audit import START, entry_hash
from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.fields import identifier
from accounts.forms.base import DateInput
from accounts.models import Account, AuditEntry, ChainCheck
from accounts.policy import requires
from accounts.tasks import verify_chain
from ui import keyset

PAGE_SIZE = 50
MOST_ROWS = 50_000
COLUMNS = (
    "pk",
    "at",
    "actor_label",
    "via",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "account_id",
    "before",
    "after",
    "hash",
)


# Days up to and with today.
PERIODS = [("1", "Today"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "A year")]


class AuditFilter(forms.Form):
    """What to look for; everything is optional."""

    actor = forms.CharField(max_length=254, required=False, label="Who", help_text="Part of the e-mail address")
    action = forms.CharField(max_length=60, required=False, label="Action", help_text="Beginning, such as account")
    object = forms.CharField(max_length=64, required=False, label="What", help_text="Part of its name, or its id")
    account = forms.CharField(max_length=200, required=False, label="Account", help_text="Part of its name, or its id")
    period = forms.ChoiceField(choices=[("", "Any time"), *PERIODS], required=False)
    since = forms.DateField(required=False, widget=DateInput)
    until = forms.DateField(required=False, widget=DateInput)

    def rows(self) -> Any:
        """Matching entries; all of them while the form is empty or wrong."""
        rows = AuditEntry.objects.all()
        wanted = self.cleaned_data if self.is_valid() else {}
        if wanted.get("actor"):
            rows = rows.filter(actor_label__icontains=wanted["actor"])
        if wanted.get("action"):
            rows = rows.filter(action__startswith=wanted["action"])
        if wanted.get("object"):
            named = rows.filter(object_label__icontains=wanted["object"])
            rows = named | rows.filter(object_id=wanted["object"])
        if wanted.get("account"):
            rows = rows.filter(account_id__in=_accounts_called(wanted["account"]))
        if wanted.get("period"):
            day = timezone.localdate() - timedelta(days=int(wanted["period"]) - 1)
            rows = rows.filter(at__gte=_midnight(day))
        if wanted.get("since"):
            rows = rows.filter(at__gte=_midnight(wanted["since"]))
        if wanted.get("until"):
            rows = rows.filter(at__lte=_midnight(wanted["until"], time.max))
        return rows


def _accounts_called(text: str) -> Any:
    key = identifier(text)
    return [key] if key is not None else Account.objects.filter(name__icontains=text).values("pk")


def _midnight(day: Any, at: time = time.min) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))


@requires(GET="audit.view")
def audit_log(request: HttpRequest) -> HttpResponse:
    """A page of entries, newest first, and what the last reading of the chain found."""
    form = AuditFilter(request.GET)
    field = AuditEntry._meta.get_field("at")
    page = keyset.page(
        form.rows().values(*COLUMNS),
        keyset.Order("at", descending=True),
        field,
        request.GET.get("after", ""),
        PAGE_SIZE,
    )
    parameters = {name: value for name, value in request.GET.items() if name in form.fields and value}
    for row in page.rows:
        row["changes"] = changes(row["before"], row["after"])
    context = {
        "form": form,
        "rows": page.rows,
        "next": _url(parameters, page.next),
        "previous": _url(parameters, page.previous),
        "parameters": parameters,
        "query": urlencode(parameters),
        **_check(),
    }
    return render(request, "accounts/audit_log.html", context)


@requires(GET="audit.view")
def audit_entry(request: HttpRequest, entry_id: int) -> HttpResponse:
    """One entry with its place in the chain: whether its hash fits it, the one before and the one after."""
    entry = get_object_or_404(AuditEntry, pk=entry_id)
    before = AuditEntry.objects.filter(pk__lt=entry.pk).order_by("-pk").first()
    after = AuditEntry.objects.filter(pk__gt=entry.pk).order_by("pk").first()
    context = {
        "entry": entry,
        "title": entry.action.replace(".", " ").replace("_", " ").capitalize(),
        "changes": changes(entry.before, entry.after),
        "earlier": before,
        "later": after,
        "fits": entry.hash == entry_hash(entry),
        "fits_before": entry.prev_hash == (before.hash if before else START),
        "fits_after": after is None or after.prev_hash == entry.hash,
        "account": Account.objects.filter(pk=entry.account_id).first() if entry.account_id else None,
    }
    return render(request, "accounts/audit_entry.html", context)


@requires(POST="audit.view")
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Have the whole chain read again, in the background."""
    try:
        check = start_check(actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except RuleViolated as broken:
        messages.info(request, str(broken))
    else:
        verify_chain.delay_on_commit(str(check.pk))
    return redirect("accounts:audit-log")


@requires(GET="audit.view")
def audit_progress(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes while the chain is read."""
    return render(request, "accounts/_audit_check.html", _check())


def _check() -> dict[str, Any]:
    check = ChainCheck.objects.order_by("-started_at").select_related("started_by").first()
    return {"check": check, "working": check is not None and check.is_under_way(timezone.now())}


def changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[tuple[str, Any, Any]]:
    """(field, old, new) of an entry, in the order of the fields; a side that did not exist is None."""
    old, new = before or {}, after or {}
    return [(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])]


def _url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""


@requires(GET="audit.view")
def audit_export(request: HttpRequest) -> HttpResponse:
    """The entries of the filter as CSV, newest first, at most 50,000."""
    rows = AuditFilter(request.GET).rows().values(*COLUMNS).order_by("-at", "-pk")[:MOST_ROWS]
    return csv_response(
        f"audit-{timezone.localdate().isoformat()}.csv", COLUMNS, ([row[name] for name in COLUMNS] for row in rows)
    )
