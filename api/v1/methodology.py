"""``methodology``: the installed packs and their sections, with the tenant's values in them."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from api import describe as d
from api.describe import Operation
from api.plain import answer
from api.reading import known_parameters
from api.views import Endpoint
from packs import queries
from packs.models import PackInstall

PACK = d.shape(key=d.text(), name=d.text(), version=d.text(), silent_on=d.listed(d.text()), sections=d.listed(d.free()))
ITEM = d.shape(
    key=d.text(),
    data={},
    origin=d.text("resolved:AMB-n is a default of ours"),
    edited=d.listed(d.text("A value the workspace set itself")),
)


class Packs(Endpoint):
    policy = {"GET": "methodology.view"}
    describe = {"GET": Operation("Installed methodologies", answers={200: d.shape(results=d.listed(PACK))})}

    def get(self, request: Request) -> Response:
        known_parameters(request, ())
        return answer({"results": [_pack(install) for install in queries.installed()]})


class PackDetail(Endpoint):
    policy = {"GET": "methodology.view"}
    describe = {"GET": Operation("One methodology and its sections", answers={200: PACK})}

    def get(self, request: Request, pack: str) -> Response:
        known_parameters(request, ())
        return answer(_pack(_installed(pack)))


class SectionItems(Endpoint):
    policy = {"GET": "methodology.view"}
    describe = {"GET": Operation("The items of a section", answers={200: d.shape(results=d.listed(ITEM))})}

    def get(self, request: Request, pack: str, section: str) -> Response:
        known_parameters(request, ())
        if queries.section_or_none(section) is None:
            raise Http404
        shown = queries.items_shown(_installed(pack), section)
        items = [
            {"key": each.item.key, "data": each.data, "origin": each.item.origin, "edited": each.edited}
            for each in shown
        ]
        return answer({"results": items})


def _installed(pack: str) -> PackInstall:
    install = PackInstall.objects.filter(key=pack).first()
    if install is None:
        raise Http404
    return install


def _pack(install: PackInstall) -> dict[str, Any]:
    sections = [
        {"key": each.section.key, "name": each.section.name, "items": each.items, "silent": each.silent}
        for _group, members in queries.sections_of(install)
        for each in members
    ]
    return {
        "key": install.key,
        "name": install.name,
        "version": install.version,
        "silent_on": install.silent_on,
        "sections": sections,
    }


urlpatterns = [
    path("methodology/", Packs.as_view(), name="methodology-list"),
    path("methodology/<slug:pack>/", PackDetail.as_view(), name="methodology-pack"),
    path("methodology/<slug:pack>/<slug:section>/", SectionItems.as_view(), name="methodology-section"),
]
