"""How a ticket's row is written: the cells of the queue and the lines of its CSV."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import escape

from support.choices import Channel, Clock, Impact, Level, Status, TicketType
from support.words import STATUS_TONES, duration, severity_tone
from ui import atoms, formats
from ui.tables import Column, Row

# Due at closing and not answered: in time until somebody works again.
AT_OPENING = "due at opening"
FAINT_DASH = '<span class="faint">–</span>'


class TicketCells:
    """Writes the cells of rows of ``queries.listing.COLUMNS``, as of one moment. ``place`` goes along to the ticket."""

    def __init__(self, at: datetime, place: str = "") -> None:
        self.at = at
        marker = "00000000-0000-7000-8000-000000000000"
        self._ticket = reverse("support:ticket-detail", args=[marker]).replace(marker, "%s")
        self._place = escape(f"?{place}") if place else ""

    def subject(self, row: Row) -> str:
        who = row["requester__name"] or row["requester__email"] or Channel(row["channel"]).label
        tags = "".join(f" {atoms.badge(tag)}" for tag in row["tags"][:3])
        return (
            f'<span class="cell-name"><span><a href="{self._ticket % row["pk"]}{self._place}">'
            f"{escape(row['subject'])}</a>"
            f'<span class="sub sub-d">#{row["number"]} · {escape(who)}{tags}</span>'
            f'<span class="sub sub-m">#{row["number"]} · {escape(row["account__name"])} · {self._left(row)}</span>'
            f"</span></span>"
        )

    def account(self, row: Row) -> str:
        return f'<a href="/accounts/{row["account"]}/">{escape(row["account__name"])}</a>'

    def status(self, row: Row) -> str:
        return str(atoms.badge(Status(row["status"]).label, STATUS_TONES[row["status"]]))

    def severity(self, row: Row) -> str:
        name = row["severity__name"]
        shown = atoms.badge(name, severity_tone(row["severity__rank"])) if name else FAINT_DASH
        return f'{shown}<span class="sub faint">Priority {row["priority"]}</span>'

    def _left(self, row: Row) -> str:
        seconds = row["left_seconds"]
        if seconds is None:
            return "nothing due"
        clock = Clock(row["next_due_clock"]).label
        if row["is_late"]:
            return f'<span class="late">{clock} {duration(-seconds)} late</span>'
        return f"{clock} {AT_OPENING}" if row["next_due_at"] < self.at else f"{clock} in {duration(seconds)}"

    def due(self, row: Row) -> str:
        """The next deadline: which promise, and how much of its time is left; red once it was missed."""
        if row["left_seconds"] is None:
            return self.ended(row)
        clock = Clock(row["next_due_clock"]).label
        moment = escape(formats.ago(row["next_due_at"], self.at))
        if row["is_late"]:
            late = f"{duration(-row['left_seconds'])} late"
            return f'<span class="late nowrap">{late}</span><span class="sub">{clock} · {moment}</span>'
        left = AT_OPENING if row["next_due_at"] < self.at else f"{duration(row['left_seconds'])} left"
        return f'<span class="nowrap">{left}</span><span class="sub">{clock} · {moment}</span>'

    def ended(self, row: Row) -> str:
        if row["resolved_at"]:
            rated = f"Rated {row['csat_score']} of 5" if row["csat_score"] else "Not rated"
            return f'{formats.ago(row["resolved_at"], self.at)}<span class="sub faint">{rated}</span>'
        return '<span class="faint">Nothing due</span>'

    def assignee(self, row: Row) -> str:
        name = row["assignee__name"] or row["assignee__email"]
        under = row["team__name"] or Level(row["level"]).label
        shown = f'<span class="nowrap">{escape(name)}</span>' if name else '<span class="faint">Nobody</span>'
        return f'{shown}<span class="sub faint">{escape(under)}</span>'

    def columns(self, view: str = "active") -> list[Column]:
        """The columns of the queue; histories tell when it ended."""
        ended = view == "resolved"
        end = Column("Resolved" if ended else "Due", self.due, sort="-resolved" if ended else "due", css="c-p1")
        return [
            Column("Ticket", self.subject, heading=True),
            Column("Account", self.account, sort="account", css="c-p2"),
            Column("Status", self.status),
            Column("Severity", self.severity, sort="priority", css="c-p1"),
            end,
            Column("Assignee", self.assignee, css="c-p2"),
        ]


CSV_HEADINGS = (
    "id", "number", "subject", "account", "requester", "status", "severity", "impact", "priority", "type", "component",
    "channel", "level", "team", "assignee", "tags", "created_at", "next_due_at", "next_due_clock", "breached_at",
    "resolved_at", "reopened_count", "csat_score",
)  # fmt: skip


def csv_row(row: dict[str, Any]) -> list[Any]:
    """One line of the export, in the order of CSV_HEADINGS."""
    words = {
        "id": row["pk"],
        "account": row["account__name"],
        "requester": row["requester__email"],
        "severity": row["severity__key"],
        "impact": Impact(row["impact"]).label,
        "type": TicketType(row["type"]).label,
        "team": row["team__name"],
        "assignee": row["assignee__email"],
        "tags": " ".join(row["tags"]),
    }
    return [words[name] if name in words else row[name] for name in CSV_HEADINGS]
