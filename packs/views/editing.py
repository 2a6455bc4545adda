"""Installing, upgrading, and setting the tenant's own values."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import requires
from packs import files, layout, queries
from packs.actions import edit_values, install_pack, reset_value
from packs.forms import ItemForm
from packs.layout import words
from packs.models import PackItem
from packs.sections import BY_KEY


@requires(GET="methodology.edit", POST="methodology.edit")
def install(request: HttpRequest, key: str) -> HttpResponse:
    """What installing or upgrading would change; POST does it."""
    try:
        at = timezone.now()
        plan = install_pack(key, actor=request.user, at=at, dry_run=request.method == "GET")
    except files.UnknownPack as unknown:
        raise Http404 from unknown
    if request.method == "POST":
        text = f"{plan.changes} items changed." if plan.changes else "It was up to date; nothing changed."
        messages.success(request, text)
        return redirect("packs:pack", key)
    changed = [
        (BY_KEY[name], report, _few([*report.created, *report.updated, *report.retired]))
        for name, report in plan.sections.items()
        if name in BY_KEY and (report.created or report.updated or report.retired)
    ]
    context = {"plan": plan, "changed": changed, "identity": files.load(key)["pack"]}
    return render(request, "packs/install.html", context)


@requires(GET="methodology.edit", POST="methodology.edit")
def item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """The values of one item that a tenant may set itself."""
    found = get_object_or_404(PackItem.objects.current().select_related("install"), pk=item_id)
    fields = queries.fields_of(found)
    if not fields:
        raise Http404
    form = ItemForm(request.POST or None, fields=fields)
    if (
        request.method == "POST"
        and form.is_valid()
        and form.run(lambda: edit_values(found, dict(form.changes()), actor=request.user, at=timezone.now()))
    ):
        messages.success(request, "Saved. An upgrade of the methodology keeps your values.")
        return redirect("packs:section", found.install.key, found.section)
    context = {
        "item": found,
        "form": form,
        "fields": fields,
        "name": layout.heading(found.data, found.key),
        "section": BY_KEY[found.section],
    }
    return render(request, "packs/item.html", context, status=422 if form.is_bound else 200)


@requires(POST="methodology.edit")
def reset(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Bring the methodology's own value back."""
    found = get_object_or_404(PackItem.objects.current(), pk=item_id)
    try:
        reset_value(found, request.POST.get("path", ""), actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    return redirect("packs:item-edit", found.pk)


def _few(keys: list[str], most: int = 4) -> str:
    """The first of the keys in words, and how many more there are."""
    told = ", ".join(words(key) for key in keys[:most])
    return f"{told} and {len(keys) - most} more" if len(keys) > most else told
