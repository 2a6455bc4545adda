"""What a verb of the day answers: the form in a dialog or a page, the list again, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_htmx.http import reswap, retarget, trigger_client_event

from accounts.people_forms import RuleForm
from myday.cells import day_context

KEY = "day_undo"
KEPT = 10


def panel(request: HttpRequest, form: RuleForm, *, title: str, about: str, submit: str) -> HttpResponse:
    """The form of a verb: into the dialog for htmx, else a page of its own; 422 when it was refused."""
    context = {"form": form, "title": title, "about": about, "submit": submit, "action": request.path}
    template = "myday/_panel.html" if request.htmx else "myday/panel.html"  # type: ignore[attr-defined]
    response = render(request, template, context, status=422 if form.errors else 200)
    return retarget(response, "#panel-body") if request.htmx and form.errors else response  # type: ignore[attr-defined]


def done(request: HttpRequest, text: str, kind: str = "", data: dict[str, Any] | None = None) -> HttpResponse:
    """Tell what was done and keep the way back (none for an empty ``kind``); the list again for htmx."""
    undo = _keep(request, text, kind, data) if kind else ""
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, text)
        return redirect("myday:day")
    return trigger_client_event(the_list(request), "toast", {"message": text, "undo": undo})


def said(request: HttpRequest, text: str) -> HttpResponse:
    """The list again with a message, for htmx."""
    return trigger_client_event(the_list(request), "toast", {"message": text})


def refused(request: HttpRequest, text: str) -> HttpResponse:
    """Tell why nothing was done."""
    if not request.htmx:  # type: ignore[attr-defined]
        messages.error(request, text)
        return redirect("myday:day")
    return said(request, text)


def the_list(request: HttpRequest) -> HttpResponse:
    """The list as it is now, in place of the one on the page, narrowed as the page's address says."""
    current = urlsplit(request.htmx.current_url or "")  # type: ignore[attr-defined]
    query = {name: values[0] for name, values in parse_qs(current.query).items()}
    response = render(request, "myday/_list.html", day_context(request, query))
    return reswap(retarget(response, "#day"), "outerHTML")


def _keep(request: HttpRequest, text: str, kind: str, data: dict[str, Any] | None) -> str:
    """Remember how to take it back; the address that does."""
    key = get_random_string(8)
    entry = {"key": key, "text": text, "kind": kind, "data": data, "at": timezone.now().isoformat()}
    request.session[KEY] = [entry, *request.session.get(KEY, [])][:KEPT]
    return f"{reverse('myday:undo')}?which={key}"


def forget(request: HttpRequest, which: str) -> dict[str, Any] | None:
    """Take the entry ``which`` (empty: the latest) out of the session, or None where there is no such one."""
    kept = request.session.get(KEY, [])
    found = next((entry for entry in kept if not which or entry["key"] == which), None)
    if found is not None:
        request.session[KEY] = [entry for entry in kept if entry is not found]
    return found
