"""The workspace's settings, and its accent and logo as every page loads them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.forms.workspace import WorkspaceForm
from accounts.models import Workspace
from accounts.policy import requires
from accounts.quotas import STEPS, storage_bytes, uses
from ui.brand import shades, stylesheet

FIELDS = ("name", "timezone", "currency", "csm_reads_all_accounts", "accent")
# The address counts the look, so what it answered once stays true.
FOR_EVER = "public, max-age=31536000, immutable"


@requires(GET="workspace.edit", POST="workspace.edit")
def settings_page(request: HttpRequest) -> HttpResponse:
    """Name, time zone, currency, reading rights, accent and logo."""
    workspace = Workspace.objects.get()
    initial = {field: getattr(workspace, field) for field in FIELDS}
    form = WorkspaceForm(request.POST or None, request.FILES or None, initial=initial)
    if form.is_bound and form.is_valid() and form.save(actor=request.user, at=timezone.now()):
        messages.success(request, _("Saved."))
        return redirect("accounts:workspace-settings")
    context = {"form": form, "settings": workspace, "swatches": _swatches(workspace.accent)}
    return render(request, "accounts/workspace.html", context, status=422 if form.is_bound else 200)


@requires(GET="workspace.edit")
def quotas(request: HttpRequest) -> HttpResponse:
    """What the workspace may use and uses."""
    context = {"uses": uses(timezone.now()), "storage": storage_bytes(), "steps": STEPS}
    return render(request, "accounts/quotas.html", context)


def _swatches(accent: str) -> list[tuple[int, str, str]]:
    """(x, light, dark) of each shade of the accent, as the page draws them."""
    pairs = [pair for name, pair in shades(accent).items() if name != "on-accent"] if accent else []
    return [(48 * number, *pair) for number, pair in enumerate(pairs)]


@requires(GET="anonymous")
def accent(request: HttpRequest, look: int) -> HttpResponse:
    """The accent's tokens as CSS."""
    css = stylesheet(_workspace(look, "accent").accent)
    return HttpResponse(css, content_type="text/css; charset=utf-8", headers={"Cache-Control": FOR_EVER})


@requires(GET="anonymous")
def logo(request: HttpRequest, look: int) -> HttpResponse:
    """The logo; it stands on the sign-in page too."""
    with _workspace(look, "logo").logo.open("rb") as picture:
        return HttpResponse(picture.read(), content_type="image/png", headers={"Cache-Control": FOR_EVER})


def _workspace(look: int, field: str) -> Workspace:
    """The settings, if they still look so and have that field; 404 otherwise."""
    workspace = Workspace.objects.filter(look=look).first()
    if workspace is None or not getattr(workspace, field):
        raise Http404
    return workspace
