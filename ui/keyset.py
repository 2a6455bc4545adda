"""Pages of a sorted list that stay fast however far one goes: the next page starts after the last row's values.

A cursor in the address carries the sort value and the key of a row. It is not secret and not trusted: what it
says is only ever compared with the sort column, after parsing by that column's own type.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Q, QuerySet
from django.http import Http404


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: a path of the queryset and its direction. Rows without a value come last either way."""

    path: str
    descending: bool = False

    def expressions(self, *, backwards: bool) -> list[Any]:
        """What to order by; backwards turns everything round, so that empty values come first."""
        descending = self.descending != backwards
        column = F(self.path)
        place = {"nulls_first": True} if backwards else {"nulls_last": True}
        return [column.desc(**place) if descending else column.asc(**place), "-pk" if backwards else "pk"]

    def beyond(self, value: Any, key: Any, *, backwards: bool) -> Q:
        """Rows after (or before) the row with this value and key."""
        tie = Q(**{"pk__lt" if backwards else "pk__gt": key})
        empty = Q(**{f"{self.path}__isnull": True})
        if value is None:
            return ~empty | (empty & tie) if backwards else empty & tie
        operator = "lt" if self.descending != backwards else "gt"
        rest = Q(**{f"{self.path}__{operator}": value}) | (Q(**{self.path: value}) & tie)
        return rest if backwards else rest | empty


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, and the cursors of the neighbouring pages (empty at the ends)."""

    rows: list[dict[str, Any]]
    next: str = ""
    previous: str = ""


def encode(value: Any, key: Any, *, backwards: bool = False) -> str:
    """The cursor of a row."""
    text = json.dumps([None if value is None else str(value), str(key), int(backwards)], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, field: Field[Any, Any], key_field: Field[Any, Any]) -> tuple[Any, Any, bool]:
    """Value, key and direction of a cursor; Http404 for one that we did not write."""
    try:
        value, key, backwards = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        parsed = None if value is None else field.to_python(value)
        return parsed, key_field.to_python(key), bool(backwards)
    except (ValueError, TypeError, ValidationError) as problem:
        raise Http404 from problem


def page(rows: QuerySet[Any], order: Order, field: Field[Any, Any], cursor: str, size: int) -> Page:
    """One page of a ``values()`` queryset that includes ``pk`` and the sort path; one query."""
    value, key, backwards = decode(cursor, field, rows.model._meta.pk) if cursor else (None, None, False)
    if cursor:
        rows = rows.filter(order.beyond(value, key, backwards=backwards))
    found = list(rows.order_by(*order.expressions(backwards=backwards))[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page([])

    def at(row: dict[str, Any], *, back: bool) -> str:
        return encode(row[order.path], row["pk"], backwards=back)

    has_next, has_previous = (bool(cursor), more) if backwards else (more, bool(cursor))
    return Page(
        found,
        next=at(found[-1], back=False) if has_next else "",
        previous=at(found[0], back=True) if has_previous else "",
    )
