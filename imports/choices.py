"""The words of an import."""

from django.db.models import TextChoices


class ImportState(TextChoices):
    """Where an import stands. A check is the import without writing; settling waits for usage to be counted."""

    MAPPING = "mapping", "Columns to be chosen"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked"
    RUNNING = "running", "Running"
    SETTLING = "settling", "Being counted"
    DONE = "done", "Done"
    FAILED = "failed", "Stopped by an error"
    CANCELLED = "cancelled", "Cancelled"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


WORKING = (ImportState.CHECKING, ImportState.RUNNING, ImportState.SETTLING, ImportState.UNDOING)
# What was brought in and stays until it is undone; an undone one may have rows left that were refused.
UNDOABLE = (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED, ImportState.UNDONE)


class TargetKey(TextChoices):
    """What the rows of a file become."""

    ACCOUNTS = "accounts", "Accounts"
    CONTACTS = "contacts", "Contacts"
    CONTRACTS = "contracts", "Contracts"
    METRICS = "metrics", "Metrics"
    EVENTS = "events", "Usage events"
    TICKETS = "tickets", "Support tickets"
    CHURN = "churn", "Churn and returns"


class DateOrder(TextChoices):
    """How days are written in the file."""

    ISO = "iso", "2026-11-24"
    DMY = "dmy", "24.11.2026 or 24/11/2026"
    MDY = "mdy", "11/24/2026"
