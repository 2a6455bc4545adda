"""The methodology as it is lived here."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.policy import requires
from packs import layout, queries
from packs.integrations import state_of
from packs.models import PackInstall
from packs.service_models import COLUMNS


@requires(GET="methodology.view")
def methodology(request: HttpRequest) -> HttpResponse:
    """Installed packs, the first one's sections, and what else could be installed."""
    packs = queries.installed()
    context = {
        "packs": packs,
        "available": queries.available(packs),
        "groups": queries.sections_of(packs[0]) if packs else [],
        "pack": packs[0] if packs else None,
    }
    return render(request, "packs/methodology.html", context)


@requires(GET="methodology.view")
def pack(request: HttpRequest, pack: str) -> HttpResponse:
    """One pack: every section, also those it says nothing about."""
    packs = queries.installed()
    chosen = next((each for each in packs if each.key == pack), None)
    if chosen is None:
        raise Http404
    context = {
        "packs": packs,
        "available": queries.available(packs),
        "groups": queries.sections_of(chosen),
        "pack": chosen,
    }
    return render(request, "packs/methodology.html", context)


@requires(GET="methodology.view")
def section(request: HttpRequest, pack: str, section: str) -> HttpResponse:
    """One section's items, or that this methodology says nothing about it."""
    install = get_object_or_404(PackInstall, key=pack)
    known = queries.section_or_none(section)
    if known is None:
        raise Http404
    search = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    items = queries.items_shown(install, known.key, search)
    context = {
        "pack": install,
        "section": known,
        "silent": known.key in install.silent_on,
        "search": search,
        "growth": queries.growth_phase(install) if known.key == "organisation" else None,
        "case": queries.investment_case(install, request.GET.get("without", "")[:60]) if known.key == "roi" else None,
        "models": queries.service_models(install) if known.key == "tiers" else [],
        "model_columns": COLUMNS,
        "items": [
            (
                shown,
                layout.heading(shown.data, shown.item.key),
                layout.body(shown.data),
                state_of(shown.item.key) if known.key == "integrations" else "",
            )
            for shown in items
        ],
    }
    return render(request, "packs/section.html", context)
