"""Lists and single rows of the API, read straight from the columns they show.

A ``Resource`` names its columns once: what each is called outside, where it lies, and its schema. Pages are
keyset pages of ``values()`` rows (no model instances: a third of the time), one query each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from api import describe
from api.describe import Schema
from api.plain import answer
from api.problems import Problem
from api.reading import bad_parameter, known_parameters
from ui import keyset

PAGE_SIZE, LARGEST_PAGE = 100, 500
PAGING = {
    "page_size": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE},
    "cursor": describe.text("From next or previous of another page"),
    "ordering": describe.text("A field to sort by; - in front turns it round"),
    "fields": describe.text("Only these fields, separated by commas"),
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the answer: the path it is read from and its schema. ``read`` shapes the value."""

    path: str
    schema: Schema
    read: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """The rows of one kind, as the API shows them.

    ``orderings`` maps public names to paths; ``extend`` adds to all rows of a page at once (a fixed number of
    queries) what ``extra`` describes.
    """

    columns: Mapping[str, Column]
    orderings: Mapping[str, str] = field(default_factory=lambda: {"id": "pk"})
    default: str = "id"
    extra: Mapping[str, Schema] = field(default_factory=dict)
    extend: Callable[[Sequence[Row]], None] | None = None
    versioned: bool = False

    def schema(self) -> dict[str, Any]:
        """The schema of one row."""
        return describe.shape(**{name: column.schema for name, column in self.columns.items()}, **self.extra)

    def query(self, **filters: Schema) -> dict[str, Schema]:
        """The query parameters of the list: ``filters`` and those every list has."""
        names = [name for key in self.orderings for name in (key, f"-{key}")]
        return {**filters, **PAGING, "ordering": describe.text("What to sort by", enum=names, default=self.default)}

    def page(self, request: Request, rows: QuerySet[Any], filters: Sequence[str] = ()) -> Response:
        """One page of ``rows``. Raises Problem 400 for parameters that mean nothing. One query and ``extend``'s."""
        known_parameters(request, [*filters, *PAGING])
        order = self._order(request)
        chosen = self._fields(request)
        paths = {self.columns[name].path for name in chosen if name in self.columns} | {order.path, "pk"}
        try:
            found = keyset.page(
                rows.values(*paths),
                order,
                _field(rows, order.path),
                request.GET.get("cursor", ""),
                _size(request),
            )
        except Http404 as error:
            raise bad_parameter("cursor", "this cursor is not one of ours.") from error
        shown = self._shape(found.rows, chosen)
        body = {"results": shown, "next": _link(request, found.next), "previous": _link(request, found.previous)}
        return answer(body)

    def one(self, request: Request, rows: QuerySet[Any], status: int = 200, **match: Any) -> Response:
        """The row that matches, with its ETag; 304 when the caller has it. Raises Http404."""
        row = self.read(rows, **match)
        headers = {"ETag": etag(row["version"])} if self.versioned else {}
        if status == 200 and headers and request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status=304, headers=headers)
        chosen = self._fields(request) if request.method in {"GET", "HEAD"} else [*self.columns, *self.extra]
        return answer({name: row[name] for name in chosen}, status, headers)

    def read(self, rows: QuerySet[Any], **match: Any) -> Row:
        """All fields of the row that matches. Raises Http404. One query and ``extend``'s."""
        paths = {column.path for column in self.columns.values()} | {"pk"}
        found = list(rows.filter(**match).order_by().values(*paths)[:1])
        if not found:
            raise Http404
        return self._shape(found, [*self.columns, *self.extra])[0]

    def _shape(self, rows: Sequence[Row], chosen: Sequence[str]) -> list[Row]:
        columns = [(name, self.columns[name]) for name in chosen if name in self.columns]
        shown = []
        for row in rows:
            values = {name: row[c.path] if c.read is None else c.read(row[c.path]) for name, c in columns}
            shown.append({"_pk": row["pk"], **values})
        if self.extend is not None and any(name in self.extra for name in chosen):
            self.extend(shown)
        for row in shown:
            del row["_pk"]
        return [{name: row[name] for name in chosen} for row in shown]

    def _order(self, request: Request) -> keyset.Order:
        wanted = request.GET.get("ordering") or self.default
        path = self.orderings.get(wanted.removeprefix("-"))
        if path is None:
            raise bad_parameter("ordering", f"one of {', '.join(self.orderings)}, with - in front to turn it round.")
        return keyset.Order(path, wanted.startswith("-"))

    def _fields(self, request: Request) -> list[str]:
        known = [*self.columns, *self.extra]
        wanted = [name for name in request.GET.get("fields", "").split(",") if name]
        unknown = sorted(set(wanted) - set(known))
        if unknown:
            raise bad_parameter("fields", f"there is no field {unknown[0][:60]}.")
        return [name for name in known if name in wanted] if wanted else known


def etag(version: int) -> str:
    """The ETag of a row at ``version``."""
    return f'"{version}"'


def expected_version(request: Request) -> int | None:
    """The version that ``If-Match`` names; None without the header or for ``*``. Raises Problem 412 for another."""
    wanted = request.headers.get("If-Match", "").strip()
    if wanted in {"", "*"}:
        return None
    number = wanted.removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise Problem("stale", "If-Match names no version of this resource.")
    return int(number)


def _size(request: Request) -> int:
    raw = request.GET.get("page_size", str(PAGE_SIZE))
    size = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 5 else 0
    if not 1 <= size <= LARGEST_PAGE:
        raise bad_parameter("page_size", f"a whole number from 1 to {LARGEST_PAGE}.")
    return size


def _link(request: Request, cursor: str) -> str | None:
    if not cursor:
        return None
    query = {name: value for name, value in request.GET.items() if name != "cursor"} | {"cursor": cursor}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")


def _field(rows: QuerySet[Any], path: str) -> Field[Any, Any]:
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
