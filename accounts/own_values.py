"""Values of a workspace's own fields of accounts: read by kind, judged where they stand, and said in words. Pure.

A value stands in ``Account.custom`` under its field's key: text, a number, true or false, a day as YYYY-MM-DD. What
an import or another system left there may be text that reads as the kind, such as "12" or "yes": it counts as that
value. What does not read as the kind is kept and shown as it stands. ``accounts.queries.own_values`` says the same to
the database; tests hold both against each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.choices import FieldKind
from accounts.fields import FieldError, Unreadable, read_day, read_number, text, yes_no

# How fields, columns, filters and rules call an own field: ``custom.region``.
PREFIX = "custom."
LONGEST_KEY, LONGEST_LABEL, LONGEST_TEXT, LONGEST_LINK = 60, 80, 1000, 500
MOST_OPTIONS, LONGEST_OPTION = 100, 80
YES, NO = frozenset({"true", "yes", "1", "y"}), frozenset({"false", "no", "0", "n"})
NUMBER = r"-?[0-9]{1,15}(\.[0-9]+)?"
# Its blanks are named one by one: the database takes more characters for blanks than Python does.
LINK = "https?://[^ \t\n\r\f\v<>\"']+"
DAY = r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
# A key is a step of addresses and of pointers; what else other systems write in one may stay.
KEY = re.compile(r"[^\x00-\x1f\x7f/\\~,:]{1,60}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE | re.ASCII)
_TEXT, _LINK_TEXT, _YES_NO = text(LONGEST_TEXT), text(LONGEST_LINK), yes_no()
# So few different values that one would rather choose than type.
MOST_GUESSED_OPTIONS = 12


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """An own field as everything but its own page knows it."""

    key: str
    label: str
    kind: str
    options: tuple[str, ...] = ()
    help_text: str = ""
    is_archived: bool = False

    @property
    def name(self) -> str:
        """What columns, filters and rules call it."""
        return PREFIX + self.key


class Held(NamedTuple):
    """What an account holds in a field. ``value`` is None for nothing; with ``fits`` false it is what stands there."""

    value: Any
    fits: bool = True


def read_own(field: FieldDefinition, raw: Any) -> Any:
    """``raw``, as a person, a file or a system sends it, as it is stored; None for nothing. Raises Unreadable."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    return _READ[FieldKind(field.kind)](field, raw)


def _read_number(field: FieldDefinition, raw: Any) -> int | float:
    value = read_number(raw)
    if abs(value) >= 10**15:
        raise Unreadable("range", "At most 15 digits before the point.")
    if value == value.to_integral_value():
        return int(value)
    if Decimal(repr(float(value))) != value:
        raise Unreadable("digits", "At most 15 digits.")
    return float(value)


def _read_choice(field: FieldDefinition, raw: Any) -> str:
    known = {option.casefold(): option for option in field.options}
    value = known.get(_TEXT.read(raw).casefold())
    if value is None:
        shown = ", ".join(field.options[:8]) + (", …" if len(field.options) > 8 else "")
        raise Unreadable("choice", f"One of {shown}.")
    return value


def _read_link(field: FieldDefinition, raw: Any) -> str:
    value: str = _LINK_TEXT.read(raw)
    value = value if _SCHEME.match(value) else f"https://{value}"
    if not re.fullmatch(LINK, value, re.IGNORECASE) or len(value) > LONGEST_LINK or len(value.split()) > 1:
        raise Unreadable("link", "A link begins with http:// or https:// and has no blanks.")
    return value


_READ: Mapping[FieldKind, Any] = {
    FieldKind.TEXT: lambda field, raw: _TEXT.read(raw),
    FieldKind.NUMBER: _read_number,
    FieldKind.DATE: lambda field, raw: read_day(raw).isoformat(),
    FieldKind.YES_NO: lambda field, raw: _YES_NO.read(raw),
    FieldKind.CHOICE: _read_choice,
    FieldKind.LINK: _read_link,
}


def held(field: FieldDefinition, custom: Mapping[str, Any]) -> Held:
    """What an account whose own fields are ``custom`` holds in ``field``: a day as one, a number as one."""
    raw = custom.get(field.key)
    written = as_text(raw).strip(" ")
    if not written:
        return Held(None)
    value = _STANDING[FieldKind(field.kind)](field, raw, written)
    return Held(raw, fits=False) if value is None else Held(value)


def as_text(raw: Any) -> str:
    """A stored value as the database writes it as text."""
    if raw is None or isinstance(raw, str):
        return raw or ""
    return f"{_exact(raw):f}" if isinstance(raw, float) else json.dumps(raw, ensure_ascii=False)


def _exact(number: float | Decimal) -> Decimal:
    """A number by its digits: Python writes small ones as 1e-05, which neither people nor the database do."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def _standing_number(field: FieldDefinition, raw: Any, written: str) -> Any:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return raw if abs(raw) < 10**15 else None
    return Decimal(written) if re.fullmatch(NUMBER, written, re.ASCII) else None


def _standing_day(field: FieldDefinition, raw: Any, written: str) -> date | None:
    try:
        return date.fromisoformat(written) if re.fullmatch(DAY, written, re.ASCII) else None
    except ValueError:
        return None


def _standing_yes_no(field: FieldDefinition, raw: Any, written: str) -> bool | None:
    word = written.lower()
    return True if word in YES else False if word in NO else None


_STANDING: Mapping[FieldKind, Any] = {
    FieldKind.TEXT: lambda field, raw, written: written,
    FieldKind.NUMBER: _standing_number,
    FieldKind.DATE: _standing_day,
    FieldKind.YES_NO: _standing_yes_no,
    FieldKind.CHOICE: lambda field, raw, written: written if written in field.options else None,
    FieldKind.LINK: lambda field, raw, written: (
        written if re.fullmatch(LINK, written, re.IGNORECASE | re.ASCII) else None
    ),
}


def in_words(value: Any) -> str:
    """A value that ``held`` or ``read_own`` gave, for a person; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float | Decimal):
        return f"{_exact(value):,f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def token_of(column: str) -> str:
    """The name of a column as a part of ids: the key of an own field may hold what an id must not."""
    if not column.startswith(PREFIX):
        return column
    return "own-" + re.sub(r"[^A-Za-z0-9]", lambda char: f"_{ord(char[0]):x}_", column.removeprefix(PREFIX))


def own_answers(own: FieldDefinition) -> list[tuple[str, str]]:
    """(value, words) of what may be chosen for an own field; none for one whose value is typed."""
    if own.kind == FieldKind.YES_NO:
        return [("true", "Yes"), ("false", "No")]
    return [(option, option) for option in own.options]


def as_typed(value: Any) -> str:
    """The same as a form sends it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else as_text(value) if isinstance(value, float) else str(value)


def cleaned(
    custom: Mapping[str, Any], fields: Mapping[str, FieldDefinition], kept: Mapping[str, Any]
) -> tuple[dict[str, Any], list[FieldError]]:
    """What an account that holds ``kept`` holds after ``custom``, and what is wrong, by ``custom.key``.

    Keys that ``custom`` does not name stay. A value of a field of ``fields`` is stored by its kind, that of a key
    which no field has as it comes; null, for a field blank text too, takes the key away. What stands there already
    is never refused.
    """
    result = dict(kept)
    errors = []
    for key, raw in custom.items():
        if key in kept and same(kept[key], raw):
            continue
        try:
            value = _stored(fields.get(key), raw)
        except Unreadable as wrong:
            errors.append(FieldError(PREFIX + key, wrong.rule, f"{fields[key].label}: {wrong.message}"))
            continue
        if value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result, errors


def _stored(field: FieldDefinition | None, raw: Any) -> Any:
    return raw if field is None or field.is_archived else read_own(field, raw)


def same(one: Any, other: Any) -> bool:
    """Whether two stored values are the same; to Python 1 is also true."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def guess_kind(values: Collection[str]) -> tuple[FieldKind, list[str]]:
    """The kind that all of ``values``, as text, read as, and for a choice its options."""
    written = [value for value in values if value.strip()]
    for kind in (FieldKind.NUMBER, FieldKind.DATE, FieldKind.LINK, FieldKind.YES_NO):
        field = FieldDefinition("guessed", "Guessed", kind)
        if written and all(held(field, {"guessed": value}).fits for value in written):
            return kind, []
    options = sorted(set(written), key=str.casefold)
    if options and len(options) <= MOST_GUESSED_OPTIONS and all(len(each) <= LONGEST_OPTION for each in options):
        return FieldKind.CHOICE, options
    return FieldKind.TEXT, []
