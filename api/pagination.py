"""Pages of lists: keyset pages of ``values()`` rows, one query each however far one goes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, QuerySet
from django.http import Http404
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import bad_parameter
from ui import keyset

PAGING = ("page_size", "cursor", "ordering", "fields")


class KeysetPagination(BasePagination):
    """``{"results", "next", "previous"}``, in an order of the view's ``ordering_fields``, ``ordering`` by default.

    REST framework's own cursors lose their place among rows without a value in the sorted column.
    """

    page_size, max_page_size = 100, 500

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[dict[str, Any]]:
        """The rows of the page, with the columns the view's serializer shows. One query.

        Raises Problem 400 for parameters that mean nothing.
        """
        self.request = request
        order = self._order(request, view)
        rows = queryset.values(*view.get_serializer().paths | {order.path, "pk"})
        cursor = request.query_params.get("cursor", "")
        try:
            self.page = keyset.page(rows, order, _column(queryset, order.path), cursor, self._size(request))
        except Http404 as error:
            raise bad_parameter("cursor", "this cursor is not one of ours.") from error
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page with the addresses of its neighbours."""
        return Response(
            {"results": data, "next": self._link(self.page.next), "previous": self._link(self.page.previous)}
        )

    def _order(self, request: Request, view: Any) -> keyset.Order:
        wanted = request.query_params.get("ordering") or view.ordering
        path = view.ordering_path(wanted.removeprefix("-"))
        if path is None:
            own = f", or {view.ordering_prefix} and the key of an own field" if view.ordering_prefix else ""
            names = ", ".join(view.ordering_fields) + own
            raise bad_parameter("ordering", f"one of {names}, with - in front to turn it round.")
        return keyset.Order(path, wanted.startswith("-"))

    def _size(self, request: Request) -> int:
        raw = request.query_params.get("page_size", str(self.page_size))
        size = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 5 else 0
        if not 1 <= size <= self.max_page_size:
            raise bad_parameter("page_size", f"a whole number from 1 to {self.max_page_size}.")
        return size

    def _link(self, cursor: str) -> str | None:
        if not cursor:
            return None
        query = {name: value for name, value in self.request.query_params.items() if name != "cursor"}
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query | {'cursor': cursor})}")

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema of a page."""
        link = {"type": ["string", "null"], "format": "uri-reference"}
        properties = {"results": schema, "next": link, "previous": link}
        return {"type": "object", "properties": properties, "required": list(properties)}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameters every list has."""
        orders: dict[str, Any] = {"enum": [name for key in view.ordering_fields for name in (key, f"-{key}")]}
        if view.ordering_prefix:
            orders = {"anyOf": [orders, {"pattern": f"^-?{re.escape(view.ordering_prefix)}"}]}
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            _parameter("page_size", size),
            _parameter("cursor", {"type": "string"}, "From next or previous of another page"),
            _parameter("ordering", {"type": "string", **orders, "default": view.ordering}, "What to sort by"),
            _parameter("fields", {"type": "string"}, "Only these fields, separated by commas"),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    told = {"description": description} if description else {}
    return {"name": name, "in": "query", "required": False, "schema": schema, **told}


def _column(rows: QuerySet[Any], path: str) -> Field[Any, Any]:
    """The model's field at the end of ``path``, by which cursors are read."""
    if path in rows.query.annotations:
        return rows.query.annotations[path].output_field
    meta = rows.model._meta
    *relations, last = path.split("__")
    for name in relations:
        meta = meta.get_field(name).related_model._meta
    try:
        return meta.pk if last == "pk" else meta.get_field(last)
    except FieldDoesNotExist as error:
        raise LookupError(f"{path} is not a column") from error
