"""Values in the binary form of COPY: PostgreSQL takes them over without reading text, at a fifth of the cost."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TAIL = struct.pack(">h", -1)
NULL = struct.pack(">i", -1)
TEXT, SMALL, WHOLE, MOMENT = 25, 21, 23, 1184  # PostgreSQL's numbers for its types
EMPTY_TEXTS = struct.pack(">iiii", 12, 0, 0, TEXT)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_length = struct.Struct(">i").pack


def field(data: bytes) -> bytes:
    """One value with its length in front: a field of a row, or an element of an array."""
    return _length(len(data)) + data


def text(raw: str) -> bytes:
    """A text."""
    return field(raw.encode())


def small(value: int | None) -> bytes:
    """A smallint or null."""
    return NULL if value is None else struct.pack(">ih", 2, value)


def whole(value: int | None) -> bytes:
    """An integer or null."""
    return NULL if value is None else struct.pack(">ii", 4, value)


def moment(at: datetime) -> bytes:
    """A timestamptz."""
    return struct.pack(">iq", 8, (at - _EPOCH) // _MICROSECOND)


def numeric(units: int, places: int) -> bytes:
    """A numeric of ``units`` times ten to minus ``places``, from 0 to under 10,000, with six places at most."""
    integer, rest = divmod(units, 10**places)
    fraction = rest * 10 ** (8 - places)
    return field(struct.pack(">hhhhhhh", 3, 0, 0, places, integer, fraction // 10_000, fraction % 10_000))


def array_head(kind: int, length: int) -> bytes:
    """What stands before the elements of an array of ``length``."""
    return struct.pack(">iiiii", 1, 1, kind, length, 1)


def texts(items: Iterable[bytes]) -> bytes:
    """A field that is an array of texts, which may be empty."""
    found = list(items)
    return field(array_head(TEXT, len(found)) + b"".join(found)) if found else EMPTY_TEXTS
