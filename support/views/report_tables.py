"""The tables of the support reports: headings, cells with the address of what is behind them, words about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from support.choices import TICKET_CLOCKS, Channel, Clock, TicketType, Verdict
from support.models import Escalation, SlaClock, Ticket
from support.queries.reports import desk
from support.queries.reports.desk import Figures
from support.queries.reports.period import Period
from support.queries.reports.promises import Kept
from support.words import duration
from ui import formats

BY = {
    "tier": "Tier", "severity": "Severity", "team": "Team", "agent": "Agent", "customer": "Customer", "month": "Month",
}  # fmt: skip
# Which of the desk's channels a methodology's channel stands for; what it calls by our own key needs no entry.
STANDS_FOR = {
    "chat-teams": (Channel.CHAT, Channel.SLACK), "slack-teams": (Channel.SLACK,),
    "ticketing": (Channel.PORTAL, Channel.API, Channel.MONITORING),
}  # fmt: skip
DASH = "–"
BOUNDS = {"<": "under", "<=": "at most"}


class Cell(NamedTuple):
    """What stands in a cell, and where it leads."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report. The first cell of a row names it; ``words`` say what is counted."""

    key: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    words: str = ""
    empty: str = "Nothing in this period."


def behind(period: Period, what: str, **narrow: Any) -> str:
    """The address of the list behind a number."""
    values = {**period.parameters(), "what": what, **{name: value for name, value in narrow.items() if value != ""}}
    return f"{reverse('support:report-tickets')}?{urlencode(values)}"


def page_of(name: str, *keys: Any) -> str:
    """The address of a page, empty where this host serves no such page."""
    try:
        return reverse(name, args=keys)
    except NoReverseMatch:
        return ""


def pct(value: float | None) -> str:
    """``93.8 %``, a dash for None."""
    return formats.percent(value, 1)


def hours(value: float | None) -> str:
    """``5.3 h``, or days from two on; a dash for None."""
    if value is None:
        return DASH
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} days"


def kept_table(lines: Sequence[Kept], total: Kept, period: Period, by: str) -> Table:
    """Promises kept: a line each, the whole last."""
    heads = [BY[by], "Kept", "Met", "Missed", *(Clock(clock).label for clock in TICKET_CLOCKS)]
    rows = [_kept(line, period, by) for line in lines if line.total or by == "month"]
    if rows:
        rows.append(_kept(total, period, ""))
    words = (
        "Share of promises kept. One counts on the day it was kept or broken; a withdrawn one, or one of a cancelled "
        "ticket, counts nowhere. Each number leads to its tickets."
    )
    return Table("promises", f"Promises kept by {BY[by].lower()}", heads, rows, words, "No promise was judged.")


def _kept(line: Kept, period: Period, by: str) -> list[Cell]:
    narrow = {"by": by, "key": line.key} if by else {}
    met, missed = sum(line.met.values()), sum(line.missed.values())
    return [
        Cell(line.label),
        Cell(pct(line.pct()), behind(period, "judged", **narrow)),
        Cell(f"{met:,}", behind(period, "met", **narrow)),
        Cell(f"{missed:,}", behind(period, "missed", **narrow)),
        *(Cell(pct(line.pct(clock)), behind(period, "judged", clock=clock, **narrow)) for clock in TICKET_CLOCKS),
    ]


def figures_table(f: Figures, period: Period) -> Table:
    """The KPIs of the desk with what each counts (FMEA-14.5, FMEA-15.4)."""
    share = formats.share
    rows = [
        (Cell("First response"), Cell(hours(f.response_hours), behind(period, "answered")),
         Cell("mean time from opening to the first answer, of tickets first answered in the period")),
        (Cell("Resolution"), Cell(hours(f.resolution_hours), behind(period, "resolved")),
         Cell(f"mean time from opening to the resolution, of {f.resolved:,} resolved")),
        (Cell("First-contact resolution"), Cell(share(f.first_contact), behind(period, "first_contact")),
         Cell("resolved by the first line, never escalated, never reopened / resolved")),
        (Cell("CSAT"), Cell(share(f.csat), behind(period, "rated")), Cell(f"answers of 4 or 5 / {f.rated:,} answers")),
        (Cell("Knowledge base"), Cell(share(f.knowledge), page_of("knowledge:article-list")),
         Cell("questions an article answered / questions looked up, since the period began")),
        (Cell("Tickets per customer"), Cell(_ratio(f.per_customer), behind(period, "opened")),
         Cell(f"{f.opened:,} opened / accounts you see")),
        (Cell("Tickets per user"), Cell(_ratio(f.per_user), behind(period, "opened")),
         Cell(f"{f.opened:,} opened / people with access")),
        (Cell("Team utilization"), Cell(share(f.utilization)),
         Cell("time logged / 8 hours on each weekday of everybody with a seat on a team or who logged time")),
        (Cell("Escalation rate"), Cell(share(f.escalation_rate), behind(period, "escalated")),
         Cell(f"{f.escalated:,} escalated / {f.opened:,} opened")),
    ]  # fmt: skip
    return Table("figures", "Figures", ["Figure", "Value", "What is counted"], rows)


def _ratio(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def channel_table(rows: Sequence[Mapping[str, Any]], guides: Sequence[Mapping[str, Any]], period: Period) -> Table:
    """Channels beside what the methodology says of each: its channels first, then the rest (BIS-2.5)."""
    left = {row["channel"]: row for row in rows}
    lines = []
    for guide in guides:
        if "resolution_pct" not in guide:
            continue
        names = STANDS_FOR.get(guide["key"], (guide["key"],))
        parts = [left.pop(name) for name in names if name in left]
        lines.append(_channel(guide["name"], [str(name) for name in names], parts, guide, period))
    lines += [_channel(row["label"], [name], [row], {}, period) for name, row in left.items()]
    heads = [
        "Channel", "Opened", "Resolved", "Expected", "First response", "Expected response", "CSAT", "Satisfaction",
        "Cost efficiency",
    ]  # fmt: skip
    words = (
        "Resolved is the share of the period's tickets that are resolved now, beside the share the methodology "
        "expects of the channel."
    )
    return Table("channels", "Channel effectiveness", heads, lines, words)


def average_table(rows: Sequence[desk.Average], period: Period) -> Table:
    """Waiting times that are promised on average and not to each customer (FLEET-10.7)."""
    verdicts = {True: "Kept", False: "Missed", None: DASH}
    lines = [
        [
            Cell(row.name),
            Cell(DASH if row.seconds is None else duration(row.seconds),
                 behind(period, "opened", channel=",".join(row.channels))),
            Cell(f"{BOUNDS[row.promise.get('op', '<=')]} {row.promise['value']} {row.promise['unit']}"),
            Cell(verdicts[row.kept]),
        ]
        for row in rows
    ]  # fmt: skip
    heads = ["Service level", "Average wait", "Promised", "Verdict"]
    return Table("averages", "Waiting times on average", heads, lines, "The mean of the period's first answers.")


def _channel(
    label: str, names: list[str], parts: Sequence[Mapping[str, Any]], guide: Mapping[str, Any], period: Period
) -> list[Cell]:
    opened, resolved = sum(part["opened"] for part in parts), sum(part["resolved"] for part in parts)
    rated, satisfied = sum(part["rated"] for part in parts), sum(part["satisfied"] for part in parts)
    timed = [(part["length"].total_seconds() / 3600, part["opened"]) for part in parts if part["length"] is not None]
    mean = sum(length * count for length, count in timed) / sum(count for _l, count in timed) if timed else None
    expected = guide.get("resolution_pct")
    listed = [name for name in names if name in Channel.values]
    return [
        Cell(label),
        Cell(f"{opened:,}", behind(period, "opened", channel=",".join(listed)) if listed else ""),
        Cell(pct(100 * resolved / opened if opened else None)),
        Cell(formats.percent(expected, None)),
        Cell(hours(mean)),
        Cell(_promised(guide)),
        Cell(pct(100 * satisfied / rated if rated else None)),
        Cell(str(guide.get("satisfaction", DASH))),
        Cell(str(guide.get("cost_efficiency", DASH))),
    ]


def _promised(guide: Mapping[str, Any]) -> str:
    span = guide.get("response_hours")
    if not span:
        return str(guide.get("response", DASH))
    if guide.get("response_op") == "<":
        return f"under {span['max']} h"
    return f"{span['min']} to {span['max']} h"


def level_table(rows: Iterable[Mapping[str, Any]], period: Period) -> Table:
    """Escalations by level: volume, time, satisfaction."""
    lines = [
        [
            Cell(f"{row['level_name']}"),
            Cell(f"{row['count']:,}", behind(period, "escalations", level=row["level"])),
            Cell(f"{row['automatic']:,}"),
            Cell(f"{row['ended']:,}"),
            Cell(hours(row["length"].total_seconds() / 3600 if row["length"] else None)),
            Cell(f"{row['satisfaction']:.1f} of 5" if row["satisfaction"] is not None else DASH),
            Cell(f"{row['minutes']:.0f} min"),
        ]
        for row in rows
    ]
    heads = ["Level", "Raised", "Automatic", "Ended", "Mean time to the end", "Satisfaction", "Work each"]
    return Table("levels", "Volume, time and satisfaction by level", heads, lines, empty="Nothing was escalated.")


def type_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Escalations by path and by what their ticket is about."""
    lines = [
        [
            Cell(row["path"].replace("_", " ").capitalize()),
            Cell(TicketType(row["ticket__type"]).label if row["ticket__type"] else "No ticket"),
            Cell(f"{row['count']:,}"),
        ]
        for row in rows
    ]
    return Table("types", "Volume by type", ["Path", "About", "Raised"], lines, empty="Nothing was escalated.")


def outcome_table(rows: Iterable[tuple[str, str, int]], period: Period) -> Table:
    """How they ended."""
    lines = [
        [Cell(label), Cell(f"{count:,}", behind(period, "escalations", outcome=key))] for key, label, count in rows
    ]
    return Table("outcomes", "Outcome", ["Outcome", "Escalations"], lines)


def pattern_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """What came more than once."""
    lines = [
        [Cell(_pattern(row)), Cell(f"{row['count']:,}"), Cell(f"{row['accounts']:,}")]
        for row in rows
    ]  # fmt: skip
    words = "The printed reason, the category and the component that came more than once in the period."
    return Table(
        "patterns", "Patterns", ["Reason", "Escalations", "Accounts"], lines, words, "Nothing came more than once."
    )


def _pattern(row: Mapping[str, Any]) -> str:
    parts = [row["trigger"], row["ticket__category"], row["ticket__component"]]
    return " · ".join(str(part) for part in parts if part) or "No reason of the list"


def backlog_table(rows: Iterable[tuple[str, int, int]], period: Period) -> Table:
    """Active tickets by age, as of now."""
    lines = [
        [Cell(words.capitalize()), Cell(f"{count:,}", behind(period, "backlog", age=place)), Cell(f"{late:,}")]
        for place, (words, count, late) in enumerate(rows)
    ]
    return Table("backlog", "Backlog by age", ["Age", "Active tickets", "Overdue"], lines, "As of now.")


def rising_table(rows: Iterable[Mapping[str, Any]], query: str) -> Table:
    """Accounts whose tickets rose twice."""
    lines = [
        [
            Cell(row["account__name"], f"{reverse('support:report-volume')}?{query}&account={row['account_id']}"),
            *(Cell(f"{row[name]:,}") for name in ("m0", "m1", "m2")),
        ]
        for row in rows
    ]
    heads = ["Account", "Three months ago", "Two months ago", "Last month"]
    words = "More tickets in each of the last two whole months than in the one before."
    return Table("rising", "Accounts with rising volume", heads, lines, words, "No account's tickets rose twice.")


def behind_table(rows: Iterable[Any]) -> Table:
    """The rows behind a number."""
    listed = list(rows)
    heads = ["Ticket", "Account", "Severity", "Agent", "Opened", "Resolved"]
    if listed and isinstance(listed[0], Escalation):
        heads = ["Escalation", "Account", "Level", "Owner", "Raised", "Ended", "Outcome"]
    elif listed and isinstance(listed[0], SlaClock):
        heads = [*heads, "Promise", "Due", "Verdict"]
    return Table("rows", "", heads, [_behind(row) for row in listed], empty="No ticket is behind this number.")


def _behind(row: Any) -> list[Cell]:
    if isinstance(row, Escalation):
        return [
            Cell(row.reason, page_of("support:escalation-detail", row.pk)), _account(row.account), Cell(row.level_name),
            Cell(row.owner.name if row.owner else "Nobody"), Cell(_when(row.raised_at)), Cell(_when(row.resolved_at)),
            Cell(row.get_outcome_display() or "Open"),
        ]  # fmt: skip
    if isinstance(row, SlaClock):
        assert row.ticket is not None
        verdict = Verdict(row.verdict).label
        return [*_ticket(row.ticket), Cell(row.get_kind_display()), Cell(_when(row.due_at)), Cell(verdict)]
    return _ticket(row)


def _ticket(ticket: Ticket) -> list[Cell]:
    return [
        Cell(str(ticket), page_of("support:ticket-detail", ticket.pk)),
        _account(ticket.account),
        Cell(ticket.severity.name if ticket.severity else DASH),
        Cell(ticket.assignee.name if ticket.assignee else "Nobody"),
        Cell(_when(ticket.created_at)),
        Cell(_when(ticket.resolved_at)),
    ]


def _account(account: Any) -> Cell:
    return Cell(account.name, page_of("accounts:account-detail", account.pk))


def _when(at: datetime | None) -> str:
    return formats.moment(at) if at else DASH
