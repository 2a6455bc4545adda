"""Addresses of the REST API. Each domain brings its own in ``api/v1/<domain>.py``."""

from importlib import import_module
from pkgutil import iter_modules

from django.urls import include, path, re_path

from api import v1
from api.docs import docs_page
from api.openapi import OpenApi
from api.unknown import Unknown

app_name = "api"
RESOURCES = [
    pattern
    for module in sorted(iter_modules(v1.__path__), key=lambda module: module.name)
    for pattern in getattr(import_module(f"api.v1.{module.name}"), "urlpatterns", [])
]
urlpatterns = [
    path("docs/", docs_page, name="docs"),
    path("v1/openapi.json", OpenApi.as_view(), name="openapi"),
    path("v1/", include(RESOURCES)),
    re_path(r"^v1/(?P<rest>.*)$", Unknown.as_view(), name="unknown"),
]
