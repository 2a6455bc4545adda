"""Time zones made for a test: their clocks change at a moment of its choosing."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOUR = 3600
DAY = 24 * HOUR


def changing(path: Path, at: datetime, *, wall: timedelta, by: int) -> None:
    """Write a zone (RFC 8536) whose clocks show ``wall`` when they change ``by`` seconds at ``at``."""
    moment = int(at.timestamp())
    before = (int(wall.total_seconds()) - moment + DAY // 2) % DAY - DAY // 2
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_block(b"2", "l", moment, before, by) + _block(b"2", "q", moment, before, by) + b"\n\n")


def next_minute(seconds: float) -> datetime:
    """The first whole minute at least ``seconds`` away."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _block(version: bytes, width: str, moment: int, before: int, by: int) -> bytes:
    names = b"OLD\0NEW\0"
    header = b"TZif" + version + bytes(15) + struct.pack(">6l", 0, 0, 0, 1, 2, len(names))
    kinds = struct.pack(">lbb", before, 0, 0) + struct.pack(">lbb", before + by, by > 0, 4)
    return header + struct.pack(">" + width, moment) + b"\x01" + kinds + names
