"""``methodology``: the installed packs and their sections, with the tenant's values in them."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import Endpoint
from packs import queries
from packs.models import PackInstall


class SectionSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    items = serializers.IntegerField(help_text="How many it holds")
    silent = serializers.BooleanField(help_text="The methodology says nothing about it")


class PackSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    silent_on = serializers.ListField(child=serializers.CharField())
    sections = SectionSerializer(many=True)


class PacksSerializer(serializers.Serializer):
    results = PackSerializer(many=True)


class PackItemSerializer(serializers.Serializer):
    key = serializers.CharField()
    data = serializers.JSONField()
    origin = serializers.CharField(help_text="resolved:AMB-n is a default of ours")
    edited = serializers.ListField(child=serializers.CharField(), help_text="Values the workspace set itself")


class SectionItemsSerializer(serializers.Serializer):
    results = PackItemSerializer(many=True)


class Packs(Endpoint):
    policy = {"GET": "methodology.view"}

    @extend_schema(summary="Installed methodologies", responses=PacksSerializer)
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        return Response({"results": [_pack(install) for install in queries.installed()]})


class PackDetail(Endpoint):
    policy = {"GET": "methodology.view"}

    @extend_schema(summary="One methodology and its sections", responses=PackSerializer)
    def get(self, request: Request, pack: str) -> Response:
        self.refuse_parameters()
        return Response(_pack(_installed(pack)))


class SectionItems(Endpoint):
    policy = {"GET": "methodology.view"}

    @extend_schema(summary="The items of a section", responses=SectionItemsSerializer)
    def get(self, request: Request, pack: str, section: str) -> Response:
        self.refuse_parameters()
        if queries.section_or_none(section) is None:
            raise Http404
        shown = queries.items_shown(_installed(pack), section)
        items = [
            {"key": each.item.key, "data": each.data, "origin": each.item.origin, "edited": each.edited}
            for each in shown
        ]
        return Response({"results": items})


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
