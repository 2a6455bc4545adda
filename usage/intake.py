"""Reads batches of events and metrics, item by item, without Django.

A good batch is decoded once into typed structs. When that fails, each item is decoded alone, so that one bad
item costs its own place in the batch and no other. What comes out is text for ``COPY`` and a list of refusals.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

MAX_ITEMS = 5000
MAX_BYTES = 16 * 1024 * 1024
MAX_PROPERTIES_BYTES = 4096
MAX_QUANTITY = 1_000_000
AHEAD = dt.timedelta(days=1)

Id = Annotated[str, Meta(min_length=1, max_length=200)]
AccountRef = Annotated[str, Meta(min_length=1, max_length=120)]
EventName = Annotated[str, Meta(min_length=1, max_length=80)]
At = Annotated[dt.datetime, Meta(tz=True)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
UserRef = Annotated[str, Meta(min_length=1, max_length=200)]
MetricKey = Annotated[str, Meta(min_length=1, max_length=60)]
SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}", re.ASCII)


class Event(msgspec.Struct, gc=False):
    """One event as it is sent. ``at`` carries an offset; ``quantity`` is how many times it happened."""

    id: Id
    account: AccountRef
    event: EventName
    at: At
    user: UserRef | None = None
    quantity: Quantity = 1
    properties: dict[str, Any] | None = None


class Observation(msgspec.Struct):
    """One metric value as it is sent; a choice sends its option's key."""

    account: AccountRef
    metric: MetricKey
    on: dt.date
    value: str | int | float


class Refused(ValueError):
    """The whole batch cannot be read. ``status`` is the HTTP status, ``pointer`` the place in the body."""

    def __init__(self, status: int, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.pointer = status, code, detail, pointer


class Rejection(msgspec.Struct, frozen=True):
    """Why the item at ``index`` was not taken: the field, a code for programs and a sentence for people."""

    index: int
    code: str
    detail: str
    field: str = ""


class _Moment(msgspec.Struct, gc=False):
    at: str


Item = TypeVar("Item", Event, Observation)


class Batch(msgspec.Struct, Generic[Item]):
    """The readable items with their places in the batch, and the others with the reason.

    ``moments`` holds the events' ``at`` as they were written, when the whole batch was read at once: writing
    them out again costs as much as everything else about an event.
    """

    received: int
    source: str
    items: list[Item]
    places: Sequence[int]
    rejected: list[Rejection]
    moments: list[_Moment] = []


class _Events(msgspec.Struct, forbid_unknown_fields=True):
    events: list[Event]
    source: str = ""


class _Metrics(msgspec.Struct, forbid_unknown_fields=True):
    metrics: list[Observation]
    source: str = ""


class _Moments(msgspec.Struct):
    events: list[_Moment]


class _RawEvents(msgspec.Struct, forbid_unknown_fields=True):
    events: list[msgspec.Raw]
    source: str = ""


class _RawMetrics(msgspec.Struct, forbid_unknown_fields=True):
    metrics: list[msgspec.Raw]
    source: str = ""


_WHOLE = {"events": msgspec.json.Decoder(_Events), "metrics": msgspec.json.Decoder(_Metrics)}
_RAW = {"events": msgspec.json.Decoder(_RawEvents), "metrics": msgspec.json.Decoder(_RawMetrics)}
_ONE = {"events": msgspec.json.Decoder(Event), "metrics": msgspec.json.Decoder(Observation)}
_TYPE = {"events": Event, "metrics": Observation}
_MOMENTS = msgspec.json.Decoder(_Moments)
_encode = msgspec.json.Encoder().encode

# Every escape in a text of JSON, so that a backslash before a backslash opens none; caught: half a surrogate pair.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_NO_TEXT = "control characters and halves of surrogate pairs are not allowed"
_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<field>\w+)`")
_CODES: tuple[tuple[str, str], ...] = (
    ("missing required field", "missing"),
    ("of length >=", "too_short"),
    ("of length <=", "too_long"),
    ("with a timezone component", "no_offset"),
    ("Invalid RFC3339", "invalid_time"),
    ("Invalid", "invalid"),
    (">= ", "out_of_range"),
    ("<= ", "out_of_range"),
    ("out of range", "out_of_range"),
    ("Expected", "wrong_type"),
)


def read_body(body: bytes, kind: str, *, default_source: str = "api") -> Batch[Any]:
    """Read a JSON body ``{"events": […]}`` or ``{"metrics": […]}``. Raises Refused when it is no such thing.

    ``source`` beside the list names the sender; the same id from two sources is two events.
    """
    try:
        whole = _WHOLE[kind].decode(body)
    except msgspec.ValidationError:
        return _read_singly(body, kind, default_source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_singly(body, kind, default_source)
    items = getattr(whole, kind)
    _check_length(items)
    plain = b"\\" not in body
    moments = _MOMENTS.decode(body).events if kind == "events" else []
    source = _source(whole.source, default_source)
    batch: Batch[Any] = Batch(len(items), source, items, range(len(items)), [], moments)
    return batch if plain else without_control_characters(batch)


def read_rows(rows: Iterable[dict[str, Any]], kind: str, *, source: str) -> Batch[Any]:
    """Read rows of text, as from a CSV file: numbers and times may be text, an empty cell is no value."""
    items, places, rejected, count = [], [], [], 0
    for index, row in enumerate(rows):
        count += 1
        try:
            given = {name: value for name, value in row.items() if value not in ("", None)}
            items.append(msgspec.convert(given, _TYPE[kind], strict=False))
            places.append(index)
        except (msgspec.ValidationError, RecursionError) as error:
            rejected.append(rejection(index, error))
    return without_control_characters(Batch(count, _source(source, source), items, places, rejected))


def _read_singly(body: bytes, kind: str, default_source: str) -> Batch[Any]:
    try:
        raw = _RAW[kind].decode(body)
    except msgspec.ValidationError as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown:
            raise Refused(422, "unknown_field", "There is no such field.", f"/{unknown['field'][:60]}") from error
        field, detail = _field_and_detail(error)
        raise Refused(400, "invalid_body", detail, f"/{field.replace('.', '/')}" if field else "") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = _ESCAPE.sub(_nul_for_half, body)
        if whole == body:
            raise Refused(400, "malformed", str(error)) from error
        return _read_singly(whole, kind, default_source)
    except RecursionError as error:
        raise Refused(400, "too_deep", "the JSON is nested too deeply") from error
    entries = getattr(raw, kind)
    _check_length(entries)
    items, places, rejected = [], [], []
    decode = _ONE[kind].decode
    for index, entry in enumerate(entries):
        try:
            items.append(decode(entry))
            places.append(index)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            rejected.append(rejection(index, error))
    return without_control_characters(Batch(len(entries), _source(raw.source, default_source), items, places, rejected))


def _nul_for_half(escape: re.Match[bytes]) -> bytes:
    """NUL in the place of half a surrogate pair: no decoder reads one, and NUL costs its own item only."""
    return rb"\u0000" if escape[1] else escape[0]


def _check_length(entries: Sequence[Any]) -> None:
    if len(entries) > MAX_ITEMS:
        raise Refused(413, "too_many_items", f"{len(entries)} items; a call takes at most {MAX_ITEMS}")


def _source(given: str, default: str) -> str:
    source = given or default
    if not SOURCE.fullmatch(source):
        raise Refused(422, "invalid_source", "a source is 1–40 of a–z, 0–9, dot, dash and underscore", "/source")
    return source


def rejection(index: int, error: Exception) -> Rejection:
    """The refusal of one item from what the decoder said about it."""
    if isinstance(error, RecursionError):
        return Rejection(index, "too_deep", "the item is nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return Rejection(index, "malformed", str(error))
    field, detail = _field_and_detail(error)
    code = next((code for text, code in _CODES if text in detail), "invalid")
    return Rejection(index, code, f"{field}: {detail}" if field else detail, field)


def _field_and_detail(error: msgspec.ValidationError) -> tuple[str, str]:
    text = str(error)
    place = _PLACE.search(text)
    missing = _MISSING.search(text)
    field = place["path"] if place else missing["field"] if missing else ""
    return field, _PLACE.sub("", text).replace("`", "")


def without_control_characters(batch: Batch[Any]) -> Batch[Any]:
    """Refuse items whose names hold what no database text may: a control character or half a surrogate pair."""
    return keep(batch, _control_character)


def _control_character(item: Event | Observation) -> Rejection | None:
    for field in item.__struct_fields__:
        value = getattr(item, field)
        if isinstance(value, str) and _CONTROL.search(value):
            return Rejection(0, "control_character", f"{field}: {_NO_TEXT}", field)
    return None


def keep(batch: Batch[Any], judge: Callable[[Any], Rejection | None]) -> Batch[Any]:
    """The batch with the items that ``judge`` refuses moved to the rejected, in order of their places."""
    if not any(map(judge, batch.items)):
        return batch
    items, places, rejected = [], [], list(batch.rejected)
    for item, place in zip(batch.items, batch.places, strict=True):
        refused = judge(item)
        if refused is None:
            items.append(item)
            places.append(place)
        else:
            rejected.append(Rejection(place, refused.code, refused.detail, refused.field))
    rejected.sort(key=lambda one: one.index)
    return Batch(batch.received, batch.source, items, places, rejected)


def within_window(batch: Batch[Event], *, floor: dt.datetime, now: dt.datetime) -> Batch[Event]:
    """Refuse events before ``floor`` (``too_old``) and more than a day after ``now`` (``in_future``)."""
    ceiling = now + AHEAD
    moments = [event.at for event in batch.items]
    if not moments or (min(moments) >= floor and max(moments) <= ceiling):
        return batch

    def judge(event: Event) -> Rejection | None:
        if event.at < floor:
            return Rejection(0, "too_old", f"at: events before {floor.isoformat()} are refused", "at")
        if event.at > ceiling:
            return Rejection(0, "in_future", f"at: more than {AHEAD.days} day ahead of the server's clock", "at")
        return None

    return keep(batch, judge)


def copy_lines(batch: Batch[Event], receipt: str) -> tuple[bytes, Batch[Event]]:
    """Text for ``COPY usage_inbox FROM STDIN`` and the batch without the events whose properties are refused.

    Columns: receipt, source, id, account, user, event, at, quantity, properties.
    """
    if any(event.properties for event in batch.items):
        batch = keep(batch, _bad_properties)
    head = f"{receipt}\t{batch.source}\t"
    moments = [moment.at for moment in batch.moments] or [event.at.isoformat() for event in batch.items]
    lines = [
        f"{head}{event.id}\t{event.account}\t{event.user or _NULL}\t{event.event}\t{at}"
        f"\t{event.quantity}\t{_encode(event.properties).decode() if event.properties else _NULL}"
        for event, at in zip(batch.items, moments, strict=True)
    ]
    text = "\n".join(lines)
    # A backslash means something to COPY. The marker for NULL becomes one after the text's own are doubled.
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return (text.replace(_NULL, "\\N") + "\n").encode() if lines else b"", batch


_NULL = "\x01"


def _bad_properties(event: Event) -> Rejection | None:
    if not event.properties:
        return None
    encoded = _encode(event.properties)
    if len(encoded) > MAX_PROPERTIES_BYTES:
        return Rejection(0, "too_long", f"properties: over {MAX_PROPERTIES_BYTES} bytes of JSON", "properties")
    if b"\\u0000" in encoded:
        return Rejection(0, "control_character", f"properties: {_NO_TEXT}", "properties")
    return None
