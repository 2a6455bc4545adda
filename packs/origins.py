"""Whose value it is: the methodology's own, or a default that Tenure set where its text is silent. No Django."""

from __future__ import annotations

OURS = "resolved:"


def is_ours(origin: str) -> bool:
    """Whether a value was settled by us (``resolved:AMB-12``) and may be changed without leaving the method."""
    return origin.startswith(OURS)


def reference(origin: str) -> str:
    """The note that explains the decision, such as ``AMB-12``."""
    return origin.removeprefix(OURS)
