"""What an action raises when it refuses. Views, the API and imports turn these into answers."""

from __future__ import annotations


class RuleViolated(Exception):
    """A rule of the domain refused the change; nothing was changed.

    ``rule`` is a stable code such as ``account.parent_cycle``, ``message`` is for the person, and ``field``
    names the field it belongs to (empty: the whole request).
    """

    def __init__(self, rule: str, message: object, field: str = "") -> None:
        super().__init__(rule, message, field)
        self.rule = rule
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class StaleVersion(RuleViolated):
    """Somebody else changed the row since ``expected`` was read; ``actual`` is its version now."""

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__("stale_version", "Somebody changed this in the meantime. Load it again and repeat.", "")
        self.expected = expected
        self.actual = actual


class QuotaReached(RuleViolated):
    """The workspace has as many of something as it may (``tenants.quotas``)."""


class CapacityExceeded(RuleViolated):
    """The person would work more accounts of a tier than its methodology allows (AMB-62)."""
