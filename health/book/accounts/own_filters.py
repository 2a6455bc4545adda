"""Filters of the accounts list by own fields, as they stand in an address.

``custom.region=North,South`` asks for options, ``custom.note=cargo`` for a part of a text, ``custom_min.seats=10`` and
``custom_max.seats=50`` for a range of numbers or days; ``~none`` stands for nothing, ``~bad`` for what does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import QueryDict

from accounts.choices import FieldKind
from accounts.fields import Unreadable
from accounts.own_values import PREFIX, FieldDefinition, as_typed, read_own
from accounts.queries.own_fields import known_fields
from accounts.queries.own_values import among, containing, empty, misfit, within
from health.book.accounts.parameters import join, split

LOW, HIGH = "custom_min.", "custom_max."
NONE, BAD = "~none", "~bad"
RANGED = frozenset({FieldKind.NUMBER, FieldKind.DATE})
CHOSEN = frozenset({FieldKind.CHOICE, FieldKind.YES_NO})
_LONGEST, _MOST = 80, 110


@dataclass(frozen=True, slots=True)
class OwnFilter:
    """What is asked of one own field. Values of one filter widen it; an archived field still filters."""

    field: FieldDefinition
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""

    @property
    def name(self) -> str:
        """What the address calls it."""
        return self.field.name

    def parameters(self) -> dict[str, str]:
        """As it stands in an address."""
        key, is_chosen = self.field.key, self.field.kind in CHOSEN
        found = {
            PREFIX + key: join(self.values) if is_chosen else "".join(self.values[:1]),
            LOW + key: self.low,
            HIGH + key: self.high,
        }
        return {name: value for name, value in found.items() if value}

    def condition(self) -> Q:
        """The accounts that match."""
        plain = [value for value in self.values if value not in {NONE, BAD}]
        found = Q()
        found |= empty(self.field) if NONE in self.values else Q()
        found |= misfit(self.field) if BAD in self.values else Q()
        if plain and self.field.kind in CHOSEN:
            found |= among(self.field, plain)
        elif plain:
            found |= containing(self.field, plain[0])
        if self.low or self.high:
            found |= within(self.field, _limit(self.field, self.low), _limit(self.field, self.high))
        return found


def read_own_filters(query: QueryDict) -> tuple[OwnFilter, ...]:
    """The filters of an address, in the order of the fields; what means nothing is dropped.

    One look-up of the fields, none where the address names none.
    """
    if not any(is_own(name) for name in query):
        return ()
    read = (_read(field, query) for field in known_fields().values())
    return tuple(each for each in read if each is not None)


def is_own(name: str) -> bool:
    """Whether a parameter of an address filters by an own field."""
    return name.startswith((PREFIX, LOW, HIGH))


def _read(field: FieldDefinition, query: QueryDict) -> OwnFilter | None:
    sent = [value.replace("\x00", "").strip() for value in query.getlist(PREFIX + field.key)[:_MOST]]
    states = [value for value in (NONE, BAD) if value in sent]
    values: Iterable[str] = ()
    low = high = ""
    if field.kind in CHOSEN:
        wanted = {part for text in sent for part in split(text)}
        known = field.options if field.kind == FieldKind.CHOICE else ("true", "false")
        values = [value for value in (*known, NONE, BAD) if value in wanted]
    elif field.kind in RANGED:
        values = states[:1]
        low, high = (_amount(field, query.get(prefix + field.key, "")) for prefix in (LOW, HIGH))
    else:
        words = next((value[:_LONGEST] for value in sent if value and value not in {NONE, BAD}), "")
        values = [words] if words else states[:1]
    found = OwnFilter(field, tuple(values), low, high)
    return found if found.values or low or high else None


def _amount(field: FieldDefinition, text: str) -> str:
    """A number or a day as it stands in an address, empty for anything else."""
    try:
        return as_typed(read_own(field, text[:60]))
    except Unreadable:
        return ""


def _limit(field: FieldDefinition, text: str) -> Any:
    if not text:
        return None
    return Decimal(text) if field.kind == FieldKind.NUMBER else date.fromisoformat(text)
