"""The words CTAs and their tasks are described with."""

from __future__ import annotations

from django.db.models import TextChoices


class CtaKind(TextChoices):
    """Why somebody should act: the four reasons of the field, and work that a person opened."""

    RISK = "risk", "Risk"
    OPPORTUNITY = "opportunity", "Opportunity"
    LIFECYCLE = "lifecycle", "Lifecycle"
    RENEWAL = "renewal", "Renewal"
    ACTIVITY = "activity", "Activity"


class Priority(TextChoices):
    """How soon; it sets the due date where nobody gave one (``DUE_BUSINESS_DAYS``)."""

    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


DUE_BUSINESS_DAYS = {Priority.HIGH: 2, Priority.MEDIUM: 5, Priority.LOW: 10}


class CtaStatus(TextChoices):
    """Open: to be worked. Snoozed: put off until a day, with a reason. Closed: done with, with an outcome."""

    OPEN = "open", "Open"
    SNOOZED = "snoozed", "Snoozed"
    CLOSED = "closed", "Closed"


class Outcome(TextChoices):
    """How a CTA ended."""

    RESOLVED = "resolved", "Resolved"
    UNRESOLVED = "unresolved", "Not resolved"
    NO_ACTION = "no_action", "No action was needed"
    INVALID = "invalid", "False alarm"


class DayUnit(TextChoices):
    """How a task's days are counted from the day the CTA was opened."""

    BUSINESS = "business", "Business days"
    CALENDAR = "calendar", "Calendar days"
