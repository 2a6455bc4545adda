"""How a CTA's row is written: the cells of the list."""

from __future__ import annotations

from datetime import date
from textwrap import shorten
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.queries.stand_ins import lent_words
from playbooks.choices import CtaKind, CtaStatus, Outcome, Priority
from ui import atoms, formats
from ui.tables import Column, Row

FAINT_DASH = '<span class="faint">–</span>'
PRIORITY_TONES = {Priority.HIGH: "risk", Priority.MEDIUM: "watch", Priority.LOW: "neutral"}


class CtaCells:
    """Writes the cells of rows of ``queries.COLUMNS``, for one reader's today."""

    def __init__(self, today: date) -> None:
        self.today = today
        marker = "00000000-0000-7000-8000-000000000000"
        self._cta = reverse("playbooks:cta-detail", args=[marker]).replace(marker, "%s")
        self._list = reverse("playbooks:cta-list")

    def title(self, row: Row) -> str:
        under = row["reason"] or CtaKind(row["kind"]).label
        return (
            f'<span class="cell-name"><span><a href="{self._cta % row["pk"]}">{escape(row["title"])}</a>'
            f'<span class="sub sub-d">{escape(shorten(under, 90, placeholder=" …"))}</span>{self.whose(row)}'
            f'<span class="sub sub-m">{escape(row["account__name"])} · due {self._day(row["due_on"])}'
            f"</span></span></span>"
        )

    def _day(self, day: date) -> str:
        return formats.day(day, today=self.today)

    def account(self, row: Row) -> str:
        return f'<a href="/accounts/{row["account"]}/">{escape(row["account__name"])}</a>'

    def kind(self, row: Row) -> str:
        return escape(CtaKind(row["kind"]).label)

    def priority(self, row: Row) -> str:
        return atoms.badge(Priority(row["priority"]).label, PRIORITY_TONES[row["priority"]])

    def due(self, row: Row) -> str:
        if row["status"] == CtaStatus.CLOSED:
            return self.closed(row)
        if row["status"] == CtaStatus.SNOOZED:
            return self.snoozed(row)
        day = self._day(row["due_on"])
        late = (self.today - row["due_on"]).days
        note = f'<span class="sub warn">{late} day{"" if late == 1 else "s"} late</span>' if late > 0 else ""
        return f'<span class="nowrap">{day}</span>{note}'

    def closed(self, row: Row) -> str:
        """How it ended, when and by whom."""
        day = self._day(timezone.localtime(row["closed_at"]).date())
        who = escape(row["closed_by__name"] or row["closed_by__email"] or "a rule")
        return f'{escape(Outcome(row["outcome"]).label)}<span class="sub faint">{day} by {who}</span>'

    def snoozed(self, row: Row) -> str:
        """Until when it is put off, and why."""
        until = self._day(row["snoozed_until_on"])
        return f'<span class="nowrap">Until {until}</span><span class="sub faint">{escape(row["snooze_reason"])}</span>'

    def owner(self, row: Row) -> str:
        name = row["owner__name"] or row["owner__email"]
        return f'<span class="nowrap">{escape(name)}</span>' if name else '<span class="faint">Nobody</span>'

    def whose(self, row: Row) -> str:
        """That the reader does it for somebody else, and until when."""
        words = lent_words(row["lent"], self.today)
        return f'<span class="sub">{atoms.badge(words, "info")}</span>' if words else ""

    def tasks(self, row: Row) -> str:
        if not row["tasks_all"]:
            return FAINT_DASH
        return f'<span class="num">{row["tasks_done"]}/{row["tasks_all"]}</span>'

    def arr(self, row: Row) -> str:
        return f'<span class="num">{formats.money(row["account__arr"], row["account__currency"], compact=True)}</span>'

    def columns(self, status: str = "open") -> list[Column]:
        """The columns of the list; the histories of closed and snoozed CTAs tell how they came there."""
        end = {
            "closed": Column("Outcome", self.closed, sort="-closed", css="c-p1"),
            "snoozed": Column("Snoozed", self.snoozed, sort="until", css="c-p1"),
        }
        return [
            Column("CTA", self.title, heading=True),
            Column("Account", self.account, sort="account", css="c-p1"),
            Column("ARR", self.arr, sort="-arr", css="n c-p2"),
            Column("Priority", self.priority, sort="priority"),
            end.get(status) or Column("Due", self.due, sort="due", css="c-p1"),
            Column("Tasks", self.tasks, css="n c-p3"),
            Column("Owner", self.owner, css="c-p2"),
        ]


def csv_row(row: dict[str, Any]) -> list[Any]:
    """One line of the export, in the order of CSV_HEADINGS."""
    return [row[name] for name in CSV_HEADINGS]


CSV_HEADINGS = (
    "pk",
    "account__name",
    "title",
    "kind",
    "priority",
    "status",
    "due_on",
    "owner__email",
    "opened_at",
    "snoozed_until_on",
    "snooze_reason",
    "closed_at",
    "closed_by__email",
    "outcome",
    "tasks_done",
    "tasks_all",
    "trigger_key",
    "reason",
)
