"""What may be uploaded to an account or attached to a message: known kinds of file, of bounded size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import IO, Any

from accounts.errors import RuleViolated

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 5
TEXT = "text/plain; charset=utf-8"
_OFFICE = "application/vnd.openxmlformats-officedocument."
# Extension: what it is served as, and the bytes it begins with (none: readable text).
KINDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "pdf": ("application/pdf", (b"%PDF-",)),
    "zip": ("application/zip", (b"PK\x03\x04",)),
    "docx": (_OFFICE + "wordprocessingml.document", (b"PK\x03\x04",)),
    "xlsx": (_OFFICE + "spreadsheetml.sheet", (b"PK\x03\x04",)),
    "pptx": (_OFFICE + "presentationml.presentation", (b"PK\x03\x04",)),
    "txt": (TEXT, ()),
    "log": (TEXT, ()),
    "csv": ("text/csv; charset=utf-8", ()),
    "json": ("application/json", ()),
}
ACCEPT = ",".join(f".{name}" for name in KINDS)
HINT = f"Up to {MOST_FILES} files of 10 MB: {', '.join(KINDS)}."


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its safe name, its kind, its bytes."""

    name: str
    content_type: str
    content: bytes


def check(uploads: list[Any]) -> list[Checked]:
    """Every upload (``name``, ``size``, ``read()``) as it may be kept. Raises RuleViolated naming the first bad one."""
    if len(uploads) > MOST_FILES:
        raise RuleViolated("files", f"At most {MOST_FILES} files.", "files")
    return [_check(upload) for upload in uploads]


def _check(upload: Any) -> Checked:
    name = _safe_name(upload.name)
    extension = PurePath(name).suffix.lower().removeprefix(".")
    if extension not in KINDS:
        raise RuleViolated("file_type", f"{name}: attach one of {', '.join(KINDS)}.", "files")
    if not upload.size:
        raise RuleViolated("file_empty", f"{name} is empty.", "files")
    if upload.size > MOST_BYTES:
        raise RuleViolated("file_size", f"{name} is larger than 10 MB.", "files")
    content_type, starts = KINDS[extension]
    content = _read(upload)
    if not (content.startswith(starts) if starts else _is_text(content)):
        raise RuleViolated("file_content", f"{name} is not what its name says.", "files")
    return Checked(name, content_type, content)


def _read(upload: IO[bytes]) -> bytes:
    upload.seek(0)
    return upload.read(MOST_BYTES + 1)


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _safe_name(name: str) -> str:
    """The last part of a path, without anything a header or a file system would take for something else."""
    last = re.split(r"[\\/]", str(name))[-1]
    kept = re.sub(r"[^\w.,()+ -]", "_", last).strip(" .")
    stem, suffix = PurePath(kept).stem[:150], PurePath(kept).suffix[:10]
    return f"{stem}{suffix}" or "file"


def check_content(name: str, content: bytes) -> Checked | str:
    """A file that came by mail as it may be kept, or the sentence that says why it may not."""
    upload = BytesIO(content)
    upload.name, upload.size = name, len(content)  # type: ignore[attr-defined]
    try:
        return _check(upload)
    except RuleViolated as refused:
        return str(refused)
