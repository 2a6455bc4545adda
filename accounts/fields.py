"""How the fields of accounts, contacts, contracts and activities are read from what people and systems send.

One table per kind of row: forms, the API, bulk upserts and imports read through it, and the OpenAPI document
is made from it. Text as in a CSV and JSON's own types are both accepted. Pure: no database, no Django.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from json import dumps
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import available_timezones

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
CUSTOM_BYTES = 16_384
MAX_LINES = 100


class Unreadable(ValueError):
    """A value breaks ``rule``; the message says how, without repeating the value."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class FieldError(NamedTuple):
    """What is wrong with one field of a row: where, which rule, and the sentence for a person."""

    field: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how it is read and how the API documents it. ``empty`` is what a blank cell stands for."""

    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    required: bool = False
    nullable: bool = False
    empty: Any = None
    help: str = ""


@dataclass(slots=True)
class Reading:
    """A row that was read: its clean values and what was wrong. Usable when ``errors`` is empty."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)


def read_row(fields: Mapping[str, Field], row: Any, *, partial: bool = False) -> Reading:
    """Read ``row`` by ``fields``. Unknown names are errors; absent required ones too unless ``partial``."""
    reading = Reading()
    if not isinstance(row, Mapping):
        reading.errors.append(FieldError("", "type", "This must be an object."))
        return reading
    for name, raw in row.items():
        known = fields.get(name) if isinstance(name, str) else None
        if known is None:
            reading.errors.append(FieldError(str(name)[:60], "unknown_field", "There is no such field."))
            continue
        try:
            reading.values[name] = _value(known, raw)
        except Unreadable as wrong:
            reading.errors.append(FieldError(name, wrong.rule, wrong.message))
    if not partial:
        seen = {error.field for error in reading.errors} | reading.values.keys()
        missing = [name for name, known in fields.items() if known.required and name not in seen]
        reading.errors.extend(FieldError(name, "required", "This is required.") for name in missing)
    return reading


def _value(known: Field, raw: Any) -> Any:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        if known.required:
            raise Unreadable("required", "This is required.")
        if raw is None and not known.nullable and known.empty is None:
            raise Unreadable("null", "This cannot be null.")
        if raw is None or known.empty is not None or known.schema.get("type") != "array":
            return known.empty
    return known.read(raw)


def text(limit: int, *, required: bool = False, lines: bool = False, help: str = "") -> Field:
    """Text of at most ``limit`` characters, without control characters; line breaks only with ``lines``."""

    def read(raw: Any) -> str:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
            raise Unreadable("type", "This must be text.")
        value = str(raw).strip()
        if len(value) > limit:
            raise Unreadable("too_long", f"At most {limit} characters.")
        if _has_controls(value, "\n\r\t" if lines else ""):
            raise Unreadable("control_characters", "Control characters are not allowed.")
        return value

    return Field(read, {"type": "string", "maxLength": limit}, required=required, empty="", help=help)


def matching(pattern: str, rule: str, message: str, *, limit: int = 254, upper: bool = False, help: str = "") -> Field:
    """Text of a fixed shape and at most ``limit`` characters, without control characters; blank stays blank."""
    compiled = re.compile(pattern)

    def read(raw: Any) -> str:
        value = raw.strip() if isinstance(raw, str) else ""
        value = value.upper() if upper else value
        if len(value) > limit:
            raise Unreadable("too_long", f"At most {limit} characters.")
        if not compiled.fullmatch(value) or _has_controls(value):
            raise Unreadable(rule, message)
        return value

    schema = {"type": "string", "pattern": f"^(?:{pattern})?$", "maxLength": limit}
    return Field(read, schema, empty="", help=help)


def _has_controls(value: str, allowed: str = "") -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in value)


def choice(values: Sequence[str], *, empty: str | None = None, help: str = "") -> Field:
    """One of ``values``, upper and lower case alike; blank means ``empty`` where that is given."""
    known = {value.casefold(): value for value in values}

    def read(raw: Any) -> str:
        value = known.get(raw.strip().casefold()) if isinstance(raw, str) else None
        if value is None:
            raise Unreadable("choice", f"One of {', '.join(value or '(empty)' for value in values)}.")
        return value

    return Field(read, {"type": "string", "enum": list(values)}, empty=empty, help=help)


def day(*, required: bool = False, help: str = "") -> Field:
    """A day as YYYY-MM-DD; a moment counts by its date. Between 1900 and 2200."""
    return Field(read_day, {"type": "string", "format": "date"}, required=required, nullable=not required, help=help)


def read_day(raw: Any) -> date:
    """The day ``raw`` stands for. Raises Unreadable."""
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, date):
        value = raw
    else:
        try:
            value = (
                date.fromisoformat(raw.strip())
                if len(raw.strip()) == 10
                else datetime.fromisoformat(raw.strip()).date()
            )
        except (ValueError, AttributeError) as error:
            raise Unreadable("date", "A day is written YYYY-MM-DD.") from error
    if not EARLIEST <= value < LATEST:
        raise Unreadable("date_range", "The day must lie between 1900 and 2200.")
    return value


def moment(*, required: bool = False, help: str = "") -> Field:
    """A moment as RFC 3339; without an offset, or a bare day, it is UTC."""
    return Field(
        read_moment, {"type": "string", "format": "date-time"}, required=required, nullable=not required, help=help
    )


def read_moment(raw: Any) -> datetime:
    """The aware moment ``raw`` stands for; a bare day is its midnight in UTC. Raises Unreadable."""
    try:
        value = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw.strip())
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, AttributeError, TypeError, OverflowError) as error:
        raise Unreadable("moment", "A moment is written like 2026-11-24T09:30:00Z.") from error
    if not EARLIEST <= value.date() < LATEST:
        raise Unreadable("date_range", "The moment must lie between 1900 and 2200.")
    return value


def whole(low: int, high: int, *, nullable: bool = False, empty: int | None = None, help: str = "") -> Field:
    """A whole number from ``low`` to ``high``."""

    def read(raw: Any) -> int:
        try:
            if isinstance(raw, bool | float) and not (isinstance(raw, float) and raw.is_integer()):
                raise ValueError
            value = int(raw)
        except (ValueError, TypeError, OverflowError) as error:
            raise Unreadable("whole_number", "This must be a whole number.") from error
        if not low <= value <= high:
            raise Unreadable("range", f"Between {low} and {high}.")
        return value

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Field(read, schema, nullable=nullable, empty=empty, help=help)


def money(*, required: bool = False, help: str = "") -> Field:
    """An amount of at most twelve digits before the point and two after it, not negative."""

    def read(raw: Any) -> Decimal:
        value = read_number(raw)
        if value < 0:
            raise Unreadable("negative", "The amount cannot be negative.")
        if value >= Decimal(10) ** 12:
            raise Unreadable("range", "The amount is too large.")
        if value != value.quantize(Decimal("0.01")):
            raise Unreadable("decimal_places", "At most two decimal places.")
        return value.quantize(Decimal("0.01"))

    schema = {"type": "string", "format": "decimal", "pattern": r"^\d{1,12}(\.\d{1,2})?$"}
    return Field(read, schema, required=required, empty=None if required else Decimal(0), help=help)


def read_number(raw: Any) -> Decimal:
    """The finite decimal number ``raw`` stands for. Raises Unreadable."""
    try:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal) or len(str(raw)) > 60:
            raise ValueError
        value = Decimal(str(raw).strip())
        if not value.is_finite() or abs(value.adjusted()) > 40:
            raise ValueError
    except (ValueError, InvalidOperation) as error:
        raise Unreadable("number", "This must be a number with a point for decimals.") from error
    return value


def yes_no(*, empty: bool = False, help: str = "") -> Field:
    """True or false; text such as yes, no, 1 and 0 is understood."""
    words = {"true": True, "yes": True, "1": True, "y": True, "false": False, "no": False, "0": False, "n": False}

    def read(raw: Any) -> bool:
        value = raw if isinstance(raw, bool) else words.get(str(raw).strip().lower())
        if value is None:
            raise Unreadable("boolean", "This must be true or false.")
        return value

    return Field(read, {"type": "boolean"}, empty=empty, help=help)


def json_object(*, help: str = "") -> Field:
    """A flat bag of the tenant's own fields, at most 16 kB and 100 names."""

    def read(raw: Any) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            raise Unreadable("type", "This must be an object.")
        flat = all(isinstance(value, str | int | float | bool | None) for value in raw.values())
        if not flat or len(raw) > 100 or any(not isinstance(key, str) or len(key) > 60 for key in raw):
            raise Unreadable("custom", "At most 100 names of up to 60 characters with simple values.")
        written = dumps(dict(raw))
        if len(written) > CUSTOM_BYTES or "\\u0000" in written or (re.search(r"\\ud[89a-f]", written) and _lone(raw)):
            raise Unreadable("custom", "At most 16 kB, without control characters.")
        return dict(raw)

    return Field(read, {"type": "object", "additionalProperties": True}, empty={}, help=help)


def _lone(raw: Mapping[str, Any]) -> bool:
    """Whether any text holds half a surrogate pair, which no database stores."""
    parts = [*raw.keys(), *(value for value in raw.values() if isinstance(value, str))]
    return any(unicodedata.category(char) == "Cs" for part in parts for char in part)


def identifier(raw: Any) -> UUID | None:
    """``raw`` as a UUID, or None when it is not one."""
    if isinstance(raw, UUID):
        return raw
    try:
        return UUID(raw) if isinstance(raw, str) and len(raw) in {32, 36} else None
    except ValueError:
        return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(*, help: str = "") -> Field:
    """An IANA time zone's name; blank for the workspace's."""

    def read(raw: Any) -> str:
        if not isinstance(raw, str) or raw.strip() not in _zones():
            raise Unreadable("timezone", "This is not a time zone such as Europe/Berlin.")
        return raw.strip()

    return Field(read, {"type": "string"}, empty="", help=help)
