"""How an incident's row is written, in the list and in its CSV."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import escape

from support import lifecycle
from support.choices import Impact, IncidentStatus
from support.words import severity_tone
from ui import atoms, formats
from ui.tables import Column, Row

STATUS_TONES = {IncidentStatus.OPEN: "watch", IncidentStatus.RESOLVED: "info", IncidentStatus.CLOSED: "good"}
CSV_HEADINGS = (
    "Number", "Title", "Status", "Stage", "Severity", "Impact", "Component", "Commander", "Accounts", "Tickets",
    "Opened", "First notice", "Next update", "Resolved", "Closed", "Reviewed",
)  # fmt: skip


class IncidentCells:
    """Writes the cells of rows of ``queries.incidents.COLUMNS``, as of one moment."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def title(self, row: Row) -> str:
        url = reverse("support:incident-detail", args=[row["pk"]])
        component = f" · {escape(row['component'])}" if row["component"] else ""
        opened = formats.ago(row["opened_at"], self.at)
        return (
            f'<span class="cell-name"><span><a href="{url}">{escape(row["title"])}</a>'
            f'<span class="sub sub-d">INC-{row["number"]}{component} · opened {opened}</span>'
            f'<span class="sub sub-m">INC-{row["number"]} · {escape(row["severity__name"] or _stage(row))}</span>'
            "</span></span>"
        )

    def severity(self, row: Row) -> str:
        name = row["severity__name"]
        shown = atoms.badge(name, severity_tone(row["severity__rank"])) if name else '<span class="faint">–</span>'
        return f'{shown}<span class="sub faint">{Impact(row["impact"]).label}</span>'

    def stage(self, row: Row) -> str:
        place = lifecycle.place_of(row["stages"], row["stage"]) + 1
        status = IncidentStatus(row["status"])
        badge = atoms.badge(status.label, STATUS_TONES[status])
        return f'{badge}<span class="sub faint">{escape(_stage(row))}, {place} of {len(row["stages"])}</span>'

    def accounts(self, row: Row) -> str:
        tickets = row["ticket_count"]
        return f'{row["account_count"]:,}<span class="sub faint">{tickets:,} ticket{"" if tickets == 1 else "s"}</span>'

    def due(self, row: Row) -> str:
        """When the next word is promised; of a resolved one, whether its review is written."""
        if row["status"] != IncidentStatus.OPEN:
            return self._review(row)
        due = row["next_update_at"]
        if due is None:
            return '<span class="faint">no update promised</span>'
        text = formats.ago(due, self.at)
        return (
            f'<span class="late nowrap">word due {text}</span>'
            if row["is_late"]
            else f'<span class="nowrap">{text}</span>'
        )

    def _review(self, row: Row) -> str:
        if row["reviewed"]:
            return str(atoms.badge("Reviewed", "good"))
        if not row["review_required"]:
            return '<span class="faint">no review asked for</span>'
        due = row["next_due_at"]
        text = f"review due {formats.ago(due, self.at)}" if due else "to be reviewed"
        return f'<span class="{"late " if row["is_late"] else ""}nowrap">{text}</span>'

    def commander(self, row: Row) -> str:
        name = row["commander__name"] or row["commander__email"]
        return escape(name) if name else '<span class="faint">Nobody</span>'

    def columns(self, view: str) -> list[Column]:
        """The columns of the list."""
        sort = "due" if view != "closed" else ""
        return [
            Column("Incident", self.title, sort="-number", heading=True),
            Column("Severity", self.severity, sort="priority", css="c-p1"),
            Column("Stage", self.stage, css="c-p1"),
            Column("Accounts", self.accounts, css="c-p2 n"),
            Column("Next word or review", self.due, sort=sort),
            Column("Led by", self.commander, css="c-p2"),
        ]


def _stage(row: Row) -> str:
    return str(lifecycle.stage_of(row["stages"], row["stage"])["title"])


def csv_row(row: Row) -> list[Any]:
    """One line of the CSV, as CSV_HEADINGS names them."""
    moments = [row[name].isoformat() if row[name] else "" for name in ("resolved_at", "closed_at")]
    told = [row[name].isoformat() if row[name] else "" for name in ("opened_at", "first_notice_at", "next_update_at")]
    return [
        f"INC-{row['number']}", row["title"], IncidentStatus(row["status"]).label, _stage(row),
        row["severity__name"] or "", Impact(row["impact"]).label, row["component"],
        row["commander__name"] or row["commander__email"] or "", row["account_count"], row["ticket_count"], *told,
        *moments, "yes" if row["reviewed"] else "no",
    ]  # fmt: skip
