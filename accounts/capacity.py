"""How many accounts of a tier one person may work (FMEA-2.6 to 2.8, FMEA-7.1, MNA-1.2, AMB-62). Pure.

A tier says ``{"csm": {"min": 0, "max": 3}}``. A maximum that stands alone (minimum absent or 0) is firm for the
owner: one more is refused unless a leader gives a reason. A range (minimum above 0), and any limit of another
role, only warns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWNER_ROLE = "csm"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What taking one more account means: ``count`` afterwards, and whether that is refused or only remarked on."""

    count: int
    low: int | None
    high: int | None
    refused: bool
    message: str

    @property
    def warns(self) -> bool:
        return bool(self.message) and not self.refused


def judge(capacity: Mapping[str, Any], role: str, count: int) -> Verdict:
    """The verdict on a person of ``role`` who would then work ``count`` accounts of a tier with ``capacity``."""
    limit = capacity.get(role) or {}
    low, high = limit.get("min"), limit.get("max")
    if high is not None and count > high:
        firm = role == OWNER_ROLE and not low
        word = "a maximum of" if firm else "at most"
        return Verdict(count, low, high, firm, f"This would be account {count}; the tier allows {word} {high}.")
    if low and count < low and role != OWNER_ROLE:
        return Verdict(count, low, high, False, f"This is account {count}; the tier expects at least {low}.")
    return Verdict(count, low, high, False, "")
