"""How an escalation's row is written."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.html import escape

from support.choices import EscalationOutcome, EscalationStatus
from ui import atoms, formats
from ui.tables import Column, Row

STATUS_TONES = {
    EscalationStatus.OPEN: "risk",
    EscalationStatus.ACKNOWLEDGED: "watch",
    EscalationStatus.IN_PROGRESS: "info",
    EscalationStatus.PASSED_ON: "neutral",
    EscalationStatus.RESOLVED: "good",
}


class EscalationCells:
    """Writes the cells of rows of ``queries.escalations.COLUMNS``, as of one moment."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def reason(self, row: Row) -> str:
        url = reverse("support:escalation-detail", args=[row["pk"]])
        raised = "the product" if row["is_automatic"] else row["raised_by__name"] or row["raised_by__email"] or "nobody"
        about = f"#{row['ticket__number']} · " if row["ticket__number"] else ""
        return (
            f'<span class="cell-name"><span><a href="{url}">{escape(row["reason"])}</a>'
            f'<span class="sub sub-d">{about}raised {formats.ago(row["raised_at"], self.at)} by {escape(raised)}</span>'
            f'<span class="sub sub-m">{escape(row["account__name"])} · {escape(row["level_name"])}</span></span></span>'
        )

    def level(self, row: Row) -> str:
        return f'<span>{escape(row["level_name"])}</span><span class="sub faint">Step {row["rank"]}</span>'

    def account(self, row: Row) -> str:
        return f'<a href="/accounts/{row["account"]}/">{escape(row["account__name"])}</a>'

    def status(self, row: Row) -> str:
        return str(atoms.badge(EscalationStatus(row["status"]).label, STATUS_TONES[row["status"]]))

    def owner(self, row: Row) -> str:
        name = row["owner__name"] or row["owner__email"]
        return escape(name) if name else '<span class="faint">Nobody</span>'

    def due(self, row: Row) -> str:
        due = row["next_due_at"]
        if due is None:
            return '<span class="faint">Nothing due</span>'
        text = formats.ago(due, self.at)
        return (
            f'<span class="late nowrap">due {text}</span>' if row["is_late"] else f'<span class="nowrap">{text}</span>'
        )

    def outcome(self, row: Row) -> str:
        ended = formats.ago(row["resolved_at"], self.at)
        return f'{escape(EscalationOutcome(row["outcome"]).label)}<span class="sub faint">{ended}</span>'

    def columns(self, view: str) -> list[Column]:
        """The columns of the list; ended ones tell how they ended."""
        last = Column("Outcome", self.outcome) if view == "ended" else Column("Next due", self.due)
        return [
            Column("Escalation", self.reason, heading=True),
            Column("Level", self.level, css="c-p1"),
            Column("Account", self.account, css="c-p2"),
            Column("Status", self.status, css="c-p1"),
            last,
            Column("Owner", self.owner, css="c-p2"),
        ]
