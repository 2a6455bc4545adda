"""A mail read from its bytes: who, what about, the words, the files. Pure.

Whatever the bytes are, ``read`` returns or raises ``Unreadable``: a header that the library cannot make sense of is
taken as plain text, a part in an unknown or wrong charset is read as well as it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from typing import Any

from support.mail import text as words

MOST_PARTS = 200
MOST_TEXT = 90_000  # characters; what a message may have, with room for a remark
# What is looked at; the rest of such a mail is in the mail. Keeps the time it takes within bounds.
MOST_READ, MOST_HEADER = 1_000_000, 20_000
_ID = re.compile(r"<[^<>\s]{1,250}>")
_ADDRESS = re.compile(r"[^@\s<>()\",;:]{1,64}@[^@\s<>()\",;:]{1,190}")
TO_US = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")


class Unreadable(ValueError):
    """The bytes cannot be taken for a mail; the message says why."""


@dataclass(frozen=True, slots=True)
class File:
    """A part that is no text of the mail: an attachment, or a picture in it."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A notice about the delivery of a mail of ours: which, and whether it failed for good."""

    message_ids: tuple[str, ...]
    failed: bool
    error: str


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. ``headers`` by small name, each from the top down; ``body`` is plain, ``html`` safe."""

    headers: dict[str, list[str]]
    message_id: str
    senders: tuple[tuple[str, str], ...]
    recipients: tuple[str, ...]
    subject: str
    references: tuple[str, ...]
    body: str
    quoted: str
    html: str
    files: tuple[File, ...]
    report: Report | None

    def header(self, name: str) -> str:
        """The topmost value of ``name``, or nothing."""
        return next(iter(self.headers.get(name, ())), "")

    @property
    def sender(self) -> str:
        """The one address it says it is from; empty where there is none or more than one."""
        return self.senders[0][1] if len(self.senders) == 1 else ""


def read(raw: bytes) -> Mail:
    """The mail in ``raw``. Raises Unreadable for what has no headers, or more parts than a person sends."""
    try:
        # The old policy keeps headers as they came; the new one raises from within on many hostile ones.
        message = message_from_bytes(raw, policy=policy.compat32)
        headers = _headers(message)
        if not headers:
            raise Unreadable("It has no headers.")
        parts = _parts(message)
        return _mail(headers, parts, message)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as wrong:
        # SECURITY: the standard library raises all of these on crafted input; none may stop the mail room.
        if isinstance(wrong, Unreadable):
            raise
        raise Unreadable(f"It cannot be read ({type(wrong).__name__}).") from wrong


def _mail(headers: dict[str, list[str]], parts: list[Message[str, str]], message: Message[str, str]) -> Mail:
    plain, html, files = _sorted(parts)
    plain, html = plain[:MOST_READ], html[:MOST_READ]
    shown = "" if plain.strip() else words.safe_html(html)
    body, quoted = words.fold(plain if plain.strip() else words.plain_text(html))
    references = [*_ids(headers, "in-reply-to"), *_ids(headers, "references")]
    return Mail(
        headers=headers,
        message_id=next(iter(_ids(headers, "message-id")), "")[:255],
        senders=_addresses(headers, ("from",)),
        recipients=tuple(dict.fromkeys(address for _name, address in _addresses(headers, TO_US))),
        subject=" ".join(_decoded("".join(headers.get("subject", [])[:1])).split())[:300],
        references=tuple(dict.fromkeys(references))[:50],
        body=body[:MOST_TEXT],
        quoted=quoted[:MOST_TEXT],
        html=shown[:MOST_TEXT] if len(shown) <= MOST_TEXT else "",
        files=tuple(files),
        report=_report(message, parts),
    )


def _headers(message: Message[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        found.setdefault(name.lower(), []).append(_clean(str(value)))
    return found


def _clean(value: str) -> str:
    """A header on one line. Bytes that are no ASCII came as surrogates: they are read as UTF-8 or as Western.

    SECURITY: encoded words stay as they are, or a name could decode to an address and a verdict to another one.
    """
    value = value[:MOST_HEADER]
    readable = value if value.isascii() else _text(value.encode("ascii", "surrogateescape"), "utf-8")
    return re.sub(r"[\x00-\x08\x0a-\x1f\x7f]+", " ", readable).strip()


def _decoded(value: str) -> str:
    """Words for people, with encoded ones decoded."""
    with suppress(ValueError, LookupError, MessageError):
        value = str(make_header(decode_header(value)))
    return _clean(value.encode("utf-8", "replace").decode("utf-8"))


def _parts(message: Message[str, str]) -> list[Message[str, str]]:
    found: list[Message[str, str]] = []
    for part in _leaves(message):
        found.append(part)
        if len(found) > MOST_PARTS:
            raise Unreadable(f"It has more than {MOST_PARTS} parts.")
    return found


def _leaves(message: Message[str, str]) -> Iterator[Message[str, str]]:
    """The parts that hold something. A mail within the mail stays one part."""
    if message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        for part in message.get_payload():
            yield from _leaves(part)  # type: ignore[arg-type]
    else:
        yield message


def _sorted(parts: Sequence[Message[str, str]]) -> tuple[str, str, list[File]]:
    """(plain text, HTML, files). Texts that are not offered as files are the mail's words."""
    plain, html, files = [], [], []
    for number, part in enumerate(parts, start=1):
        kind = part.get_content_type()
        if kind in {"text/plain", "text/html"} and not _is_file(part):
            (plain if kind == "text/plain" else html).append(_text(_content(part), part.get_param("charset", "")))
        elif kind not in {"message/delivery-status", "text/rfc822-headers"}:
            files.append(File(_name(part, number), kind, _content(part)))
    return "\n".join(filter(None, plain)), "\n".join(filter(None, html)), files


def _is_file(part: Message[str, str]) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _name(part: Message[str, str], number: int) -> str:
    name = _decoded(_clean(str(part.get_filename() or "")))
    return name[:200] or f"part-{number}.{part.get_content_subtype()[:10]}"


def _content(part: Message[str, str]) -> bytes:
    payload: Any = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    inner = part.get_payload()
    mails = [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []
    return b"\n".join(mail.as_bytes() for mail in mails)


def _text(raw: bytes, charset: Any) -> str:
    """``raw`` in the charset it names, or in UTF-8, or in Western, whichever can be."""
    for name in (charset if isinstance(charset, str) else "", "utf-8"):
        try:
            return _printable(raw.decode(name)) if name else _printable(raw.decode("utf-8"))
        except (LookupError, UnicodeError, ValueError):
            continue
    return _printable(raw.decode("cp1252", "replace"))


def _printable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")


def _ids(headers: dict[str, list[str]], name: str) -> list[str]:
    return [found for value in headers.get(name, ()) for found in _ID.findall(value)]


def _addresses(headers: dict[str, list[str]], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(name, address in small letters) of every address in these headers; a name that looks like one is none."""
    values = [value for name in names for value in headers.get(name, ())]
    found = [(_decoded(name)[:160], address.lower()) for name, address in getaddresses(values)]
    return tuple(pair for pair in found if _ADDRESS.fullmatch(pair[1]))


def _report(message: Message[str, str], parts: Sequence[Message[str, str]]) -> Report | None:
    """What a delivery report says; None for any other mail."""
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None or message.get_content_type() != "multipart/report":
        return None
    told = _content(status).decode("utf-8", "replace")
    about = [part for part in parts if part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}]
    text = b"\n".join(_content(part) for part in about).decode("utf-8", "replace")
    ids = [found for line in re.findall(r"(?im)^message-id:(.*(?:\n[ \t].*)?)", text) for found in _ID.findall(line)]
    failed = bool(re.search(r"(?im)^action:\s*failed", told)) or bool(re.search(r"(?im)^status:\s*5\.", told))
    error = re.search(r"(?im)^diagnostic-code:\s*(.{1,250})", told) or re.search(r"(?im)^status:\s*(\S+)", told)
    return Report(tuple(dict.fromkeys(ids)), failed, " ".join(error.group(1).split()) if error else "")
