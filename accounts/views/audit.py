"""The audit log: who changed what, and whether the chain of entries is whole."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.audit import verify_chain
from accounts.csv_out import csv_response
from accounts.forms.base import DateInput
from accounts.models import AuditEntry
from accounts.policy import requires
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


class AuditFilter(forms.Form):
    """What to look for; everything is optional."""

    actor = forms.CharField(max_length=254, required=False, label="Who", help_text="Part of the e-mail address")
    action = forms.CharField(max_length=60, required=False, label="Action", help_text="Beginning, such as account")
    object = forms.CharField(max_length=64, required=False, label="What", help_text="Part of its name, or its id")
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
        if wanted.get("since"):
            rows = rows.filter(at__gte=_midnight(wanted["since"]))
        if wanted.get("until"):
            rows = rows.filter(at__lte=_midnight(wanted["until"], time.max))
        return rows


def _midnight(day: Any, at: time = time.min) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))


@requires(GET="audit.view")
def audit_log(request: HttpRequest) -> HttpResponse:
    """A page of entries, newest first; ``?verify=1`` reads the whole chain again."""
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
        "chain": verify_chain() if request.GET.get("verify") else None,
    }
    return render(request, "accounts/audit_log.html", context)


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
