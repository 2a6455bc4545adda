"""How the desk says things: lengths of time, tones of statuses, severities and verdicts."""

from __future__ import annotations

from support.choices import Status, Verdict

STATUS_TONES = {
    Status.NEW: "info",
    Status.OPEN: "watch",
    Status.WAITING_CUSTOMER: "neutral",
    Status.WAITING_VENDOR: "neutral",
    Status.RESOLVED: "good",
    Status.CLOSED: "good",
    Status.CANCELLED: "neutral",
}
VERDICT_TONES = {
    Verdict.RUNNING: "info",
    Verdict.PAUSED: "neutral",
    Verdict.MET: "good",
    Verdict.MISSED: "risk",
    Verdict.CANCELLED: "neutral",
}
# Why a stretch of time counted or did not.
REASONS = {
    "counted": "Counted",
    "closed": "Outside business hours",
    "holiday": "Holiday",
    "done": "The ticket was done",
    Status.WAITING_CUSTOMER: "Waiting on the customer",
    Status.WAITING_VENDOR: "Waiting on a third party",
}


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``, ``52 h``: minutes are left out from ten hours on."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours:,} h"


def severity_tone(rank: int | None) -> str:
    """The tone of a severity by its rank; 1 is worst."""
    return {1: "risk", 2: "watch"}.get(rank or 0, "neutral")
