"""Pages of a sorted list that stay fast however far one goes: the next page starts after the last row's values.

A cursor in the address carries the sort value and the key of a row. It is not secret and not trusted: what it
says is only ever compared with the sort column, after parsing by that column's own type.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Q, QuerySet, Value
from django.http import Http404

# More than any column has.
_DIGITS = 40


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

    def known(self, *, backwards: bool) -> list[str]:
        """What to order rows by that have a value: as an index has it, which knows no place for empty ones."""
        descending = self.descending != backwards
        return [f"-{self.path}" if descending else self.path, "-pk" if backwards else "pk"]

    def unknown(self, *, backwards: bool) -> list[str]:
        """What to order rows by that have none: by key, and by their own column before it.

        All of them are equal there, but an index that begins with the column has them in this order. Without it the
        table would be read by key until a row without a value turns up.
        """
        return self.known(backwards=backwards)[1 if "__" in self.path else 0 :]

    def beyond(self, value: Any, key: Any, *, backwards: bool) -> Q:
        """Rows with a value after (or before) the row with this value and key."""
        operator = "lt" if self.descending != backwards else "gt"
        # An index can begin at the first condition; an "or" alone would read it from its start.
        return Q(**{f"{self.path}__{operator}e": value}) & (
            Q(**{f"{self.path}__{operator}": value}) | _tie(key, backwards=backwards)
        )


def _tie(key: Any, *, backwards: bool) -> Q:
    return Q(**{"pk__lt" if backwards else "pk__gt": key})


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
        if not _is_storable(parsed):
            raise ValueError("no column holds this")
        return parsed, key_field.to_python(key), bool(backwards)
    except (ValueError, TypeError, ValidationError, RecursionError) as problem:
        raise Http404 from problem


def _is_storable(value: Any) -> bool:
    """Whether the database reads ``value`` at all; it stops a query at what it cannot hold."""
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) <= _DIGITS
    return not isinstance(value, str) or not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value)


def page(
    rows: QuerySet[Any], order: Order, field: Field[Any, Any], cursor: str, size: int, *, keys_first: bool = False
) -> Page:
    """One page of a ``values()`` queryset that includes ``pk`` and the sort path.

    One query, which an index on the path answers; a second where rows without a value may belong to the page.
    ``keys_first`` is for a path without an index: all rows are sorted by it, and only those of the page are joined
    with what else is read of them.
    """
    value, key, backwards = decode(cursor, field, rows.model._meta.pk) if cursor else (None, None, False)
    found: list[dict[str, Any]] = []
    if keys_first and not cursor:
        # No index to keep in step with, so empty values need no read of their own.
        parts = [rows.order_by(*order.expressions(backwards=False))]
    else:
        parts = _parts(rows, order, field, (value, key) if cursor else None, backwards=backwards)
    for part in parts:
        if len(found) <= size:
            most = size + 1 - len(found)
            if keys_first:
                part = rows.filter(pk__in=part.values("pk")[:most]).order_by(*part.query.order_by)
            found += part[:most]
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


def neighbours(rows: QuerySet[Any], order: Order, field: Field[Any, Any], value: Any, key: Any) -> tuple[Any, Any]:
    """Keys of the rows before and after the one with this value and key; None at the ends. One query."""
    sides = []
    for side, backwards in enumerate((True, False)):
        parts = _parts(rows, order, field, (value, key), backwards=backwards)
        first, *rest = [part.values_list(Value(side), "pk")[:1] for part in parts]
        # Of a side's parts the first that has a row; the others are not read then.
        sides.append(first.union(*rest, all=True)[:1] if rest else first)
    found = dict(sides[0].union(sides[1], all=True))
    return found.get(0), found.get(1)


def _parts(
    rows: QuerySet[Any], order: Order, field: Field[Any, Any], after: tuple[Any, Any] | None, *, backwards: bool
) -> list[QuerySet[Any]]:
    """Rows with a value and rows without, in the order in which the page takes them; no query yet.

    Two sorted reads: one that sorts empty values last would sort the whole table before it gives a page.
    """
    value, key = after or (None, None)
    known = rows.order_by(*order.known(backwards=backwards))
    if value is not None:
        known = known.filter(order.beyond(value, key, backwards=backwards))
    if not _may_be_empty(rows.model, order.path, field):
        return [known]
    known = known.filter(**{f"{order.path}__isnull": False})
    empty = rows.filter(**{f"{order.path}__isnull": True}).order_by(*order.unknown(backwards=backwards))
    if after is None:
        return [known, empty]
    if value is None:
        empty = empty.filter(_tie(key, backwards=backwards))
        return [empty, known] if backwards else [empty]
    return [known] if backwards else [known, empty]


def _may_be_empty(model: Any, path: str, field: Field[Any, Any]) -> bool:
    """Whether a row may have no value: the field, or a relation on the way to it, may be missing."""
    for name in path.split("__")[:-1]:
        relation = model._meta.get_field(name)
        if relation.null or not relation.concrete:
            return True
        model = relation.related_model
    return field.null
