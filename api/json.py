"""JSON in and out: strict where it comes from outside, quick where it leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

# Deeper than anything the API takes; orjson itself stops at 1,024 levels.
MAX_DEPTH = 32
LARGEST = 2**63 - 1
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS


class BadJson(ValueError):
    """The text is not JSON as we take it; the message says what is wrong."""


def loads(raw: bytes) -> Any:
    """The value ``raw`` holds. Raises BadJson for anything but UTF-8 JSON of at most 32 levels."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"This is not valid JSON in UTF-8: {error.msg} at byte {error.pos}.") from error
    if not _shallow(value):
        raise BadJson(f"At most {MAX_DEPTH} levels of nesting.")
    return value


def _shallow(value: Any) -> bool:
    """Whether ``value`` nests at most ``MAX_DEPTH`` levels; walks level by level, without recursion."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return True
    return False


def dumps(value: Any) -> bytes:
    """``value`` as UTF-8 JSON: decimals as text, moments in UTC with ``Z``."""
    try:
        return orjson.dumps(value, default=_plain, option=OPTIONS)
    except TypeError:
        return orjson.dumps(_shortened(value), default=_plain, option=OPTIONS)


def _shortened(value: Any) -> Any:
    """``value`` with whole numbers of more than 64 bits as floats: a column of JSON gives 1e30 back as one."""
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -LARGEST <= value <= LARGEST:
        return float(value) if abs(value) < 10**300 else str(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return str(value)
