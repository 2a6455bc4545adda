"""The operators' pages. Only the workspace ``platform`` has these addresses (``config.urls_platform``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.policy import requires
from console import actions, queries
from console.exports import path_of
from console.forms import ConfirmForm, LimitsForm, ReasonForm
from signup.forms import SignUpForm
from tenants.actions import PLATFORM, TenantRefused, url_of
from tenants.models import Quota, Tenant, TenantStatus
from tenants.quotas import Limits, limits_of

PER_PAGE = 50


@requires(GET="workspace.edit")
def tenants(request: HttpRequest) -> HttpResponse:
    """The workspaces, newest first, with what they use."""
    search, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    rows = queries.tenants_matching(search=search, status=status)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    usage = queries.usage_of(page.object_list)
    context = {
        "page": page,
        "lines": [(row, usage.get(row.schema_name), url_of(row)) for row in page],
        "search": search,
        "status": status,
        "statuses": TenantStatus.choices,
    }
    return render(request, "console/tenants.html", context)


@requires(GET="workspace.edit", POST="workspace.edit")
def create(request: HttpRequest) -> HttpResponse:
    """A new workspace, ready when the answer comes."""
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row = actions.create_tenant(
                data["slug"],
                name=data["company"],
                pack=data["pack"],
                owner_email=data["email"],
                owner_name=data["name"],
                owner_password=data["password"],
                timezone=data["timezone"],
                actor=request.user,
                at=timezone.now(),
            )
        except TenantRefused as refused:
            form.add_error(refused.field, str(refused))
        else:
            messages.success(request, f"{row.name} is ready.")
            return redirect("console:tenant-detail", slug=row.slug)
    context = {"form": form, "base_domain": settings.BASE_DOMAIN}
    return render(request, "console/create.html", context, status=422 if form.errors else 200)


def _find(slug: str) -> Tenant:
    return get_object_or_404(Tenant.objects.exclude(schema_name="public"), slug=slug)


def _show(request: HttpRequest, row: Tenant, status: int = 200, **forms: Any) -> HttpResponse:
    chosen = Quota.objects.filter(tenant=row).values(*Limits._fields).first()
    context = {
        "tenant": row,
        "url": url_of(row),
        "usage": queries.usage_of([row]).get(row.schema_name),
        "limits": limits_of(row.schema_name),
        "domains": list(row.domains.all()),
        "reason_form": ReasonForm(),
        "confirm_form": ConfirmForm(),
        "limits_form": LimitsForm(initial=chosen),
        "is_platform": row.slug == PLATFORM,
        "exported": row.status == TenantStatus.GONE and path_of(row).is_file(),
    }
    return render(request, "console/tenant.html", context | forms, status=status)


@requires(GET="workspace.edit")
def tenant(request: HttpRequest, slug: str) -> HttpResponse:
    """One workspace: what it uses, its limits, and what can be done to it."""
    return _show(request, _find(slug))


def _act(request: HttpRequest, row: Tenant, form: Any, name: str, act: Callable[[], object], said: str) -> HttpResponse:
    """Do ``act`` if ``form`` is good; a refusal shows the page again with the rule beside its field."""
    if form is None or form.is_valid():
        try:
            act()
        except TenantRefused as refused:
            if form is None or refused.field not in form.fields:
                messages.error(request, str(refused))
                return redirect("console:tenant-detail", slug=row.slug)
            form.add_error(refused.field, str(refused))
        else:
            messages.success(request, said)
            return redirect("console:tenant-detail", slug=row.slug)
    return _show(request, row, 422, **{name: form})


@requires(POST="workspace.edit")
def suspend(request: HttpRequest, slug: str) -> HttpResponse:
    """Stop serving it, with a reason."""
    row, form = _find(slug), ReasonForm(request.POST)

    def act() -> object:
        reason = form.cleaned_data["reason"]
        return actions.suspend_tenant(row, reason=reason, actor=request.user, at=timezone.now())

    return _act(request, row, form, "reason_form", act, f"{row.name} is suspended.")


@requires(POST="workspace.edit")
def resume(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve it again."""
    row = _find(slug)

    def act() -> object:
        return actions.resume_tenant(row, actor=request.user, at=timezone.now())

    return _act(request, row, None, "", act, f"{row.name} is served again.")


@requires(POST="workspace.edit")
def limits(request: HttpRequest, slug: str) -> HttpResponse:
    """Change its limits."""
    row, form = _find(slug), LimitsForm(request.POST)

    def act() -> object:
        return actions.change_limits(row, actor=request.user, at=timezone.now(), **form.cleaned_data)

    return _act(request, row, form, "limits_form", act, "The limits hold from now on.")


@requires(POST="workspace.edit")
def offboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Close it, export its data, remove it; the sub-domain must be typed."""
    row, form = _find(slug), ConfirmForm(request.POST)

    def act() -> object:
        confirmation = form.cleaned_data["confirmation"]
        return actions.begin_offboarding(row, confirmation=confirmation, actor=request.user, at=timezone.now())

    return _act(request, row, form, "confirm_form", act, f"{row.name} is closed and being exported.")


@requires(GET="workspace.edit")
def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The data of a workspace that left, as a zip."""
    row = _find(slug)
    path = path_of(row)
    if row.status != TenantStatus.GONE or not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{row.slug}.zip")
