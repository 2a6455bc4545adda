"""Which phase of growth a number of customers stands for. No Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def phase_of(phases: Sequence[Mapping[str, Any]], customers: int) -> Mapping[str, Any] | None:
    """The phase whose band holds ``customers``: its lower bound belongs to it, its upper one does not (AMB-41)."""
    for phase in phases:
        low, high = phase["customers"]["min"], phase["customers"]["max"]
        if customers >= (low or 0) and (high is None or customers < high):
            return phase
    return None
