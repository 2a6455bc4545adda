"""How an entry of the audit log is sealed. Pure, so that a receipt can be checked far from the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any


def chain_hash(content: Sequence[Any]) -> str:
    """SHA-256 over an entry's content, the hash of the entry before it first, as canonical JSON."""
    text = json.dumps(list(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
