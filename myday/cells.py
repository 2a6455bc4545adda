"""How a row of the day is written, and what the page shows around the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from html import escape
from textwrap import shorten
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.queries.day import Line
from accounts.queries.stand_ins import lent_words
from health.book.cells import band_name, tone
from health.book.portfolio import Month
from health.book.trend import Trend, book_trend
from health.pages.portfolio_charts import bands
from myday.book import RAG_WORDS, Book, book_of
from myday.queries import SHOWN, Day, Entry, my_day, next_up
from ui import atoms, formats
from ui.charts import Chart

# ARR by colour at the end of each month.
Figures = tuple[tuple[date, tuple[tuple[str, Decimal], ...]], ...]

NAMES = {
    "cta": "CTAs",
    "call": "Renewal calls",
    "task": "Tasks",
    "step": "Meetings and next steps",
    "account": "Changes",
    "notice": "Messages",
}
ICONS = {
    "cta": "flag",
    "call": "refresh-cw",
    "task": "circle-check",
    "step": "arrow-right",
    "account": "heart-pulse",
    "notice": "bell",
}
SPOKEN = {
    "cta": "CTA",
    "call": "Renewal",
    "task": "Task",
    "step": "Next step",
    "account": "Account changed",
    "notice": "Message",
}
# kind: its address, and the verbs its rows have: key, name in the address, icon, words, whether a form opens.
DONE = ("e", "done", "check")
VERBS: dict[str, tuple[str, tuple[tuple[str, str, str, str, bool], ...]]] = {
    "cta": ("ctas", ((*DONE, "Close", True), ("s", "snooze", "clock", "Snooze", True),
                     ("r", "reassign", "user-check", "Hand over", True))),
    "task": ("tasks", ((*DONE, "Done", False), ("s", "snooze", "clock", "Not now", True),
                       ("r", "reassign", "user-check", "Hand the CTA over", True))),
    "step": ("steps", ((*DONE, "Done", False), ("s", "snooze", "clock", "Put off", True),
                       ("r", "reassign", "user-check", "Hand over", True))),
    "account": ("accounts", ((*DONE, "Looked at", False), ("s", "snooze", "clock", "Not now", True),
                             ("r", "reassign", "user-check", "Hand the account over", True))),
    "notice": ("notices", ((*DONE, "Read", False), ("s", "snooze", "clock", "Not now", True))),
}  # fmt: skip


# A call is made on its own page, where the row leads.
NO_VERBS: tuple[str, tuple[tuple[str, str, str, str, bool], ...]] = ("", ())


class DayCells:
    """Writes rows for one reader's today. ``may_log`` and verbs follow the policy by the addresses they lead to."""

    def __init__(self, today: date, *, grouped: bool = False) -> None:
        self.today, self.grouped = today, grouped
        self.base = reverse("myday:day")

    def ranked(self, entries: Sequence[Entry]) -> str:
        """One list in the order of the ranks."""
        rows = "".join(self.row(number, entry) for number, entry in enumerate(entries, start=1))
        return f'<ol class="day" role="list">{rows}</ol>'

    def by_account(self, entries: Sequence[Entry]) -> str:
        """A list for each account, the account with the most pressing row first; each row keeps its rank's number."""
        groups: dict[UUID | None, list[tuple[int, Entry]]] = {}
        for number, entry in enumerate(entries, start=1):
            groups.setdefault(entry.account["pk"], []).append((number, entry))
        return "".join(self._group(key, rows) for key, rows in groups.items())

    def _group(self, key: UUID | None, numbered: list[tuple[int, Entry]]) -> str:
        account = numbered[0][1].account
        rows = "".join(self.row(number, entry) for number, entry in numbered)
        name, facts = "Not about one account", ""
        if key is not None:
            name = f'<a href="/accounts/{key}/">{escape(account["name"])}</a>'
            facts = f'{self.health(account)}<span class="num dim">{self.money(account)}</span>{self.renewal(account)}'
        return (
            f'<section aria-labelledby="g-{key}"><div class="row-flex"><h2 id="g-{key}">{name}</h2>{facts}'
            f'<span class="count end hide-m">{len(numbered)}</span></div>'
            f'<ol class="day" role="list">{rows}</ol></section>'
        )

    def health(self, account: dict[str, Any]) -> str:
        shown = account["health__shown"]
        number = None if shown is None else str(shown).removesuffix(".0")
        band = band_name(account["health__current_band"])
        return atoms.health(number, tone(account["health__current_rag"]), band)

    def money(self, account: dict[str, Any]) -> str:
        return formats.money(account["arr"], account["currency"], compact=True)

    def renewal(self, account: dict[str, Any]) -> str:
        if account["renewal_on"] is None:
            return ""
        return f'<span class="dim nowrap">renews {formats.day(account["renewal_on"], today=self.today)}</span>'

    def row(self, number: int, entry: Entry) -> str:
        line, account = entry.line, entry.account
        key = f"{line.kind}-{line.pk}"
        reasons = escape(", ".join(entry.place.reasons))
        icon = "calendar" if line.kind == "step" and line.moment else ICONS[line.kind]
        return (
            f'<li data-item id="{key}"><span class="day-n num" aria-hidden="true">{number}</span>'
            f'<span class="day-kind">{atoms.icon(icon)}<span class="vh">{SPOKEN[line.kind]}: </span></span>'
            f'<div class="t"><a href="{escape(self.address(line))}" id="open-{key}">{self.title(line, account)}</a>'
            f'{self.under(line, account)}<p class="reasons">{reasons[:1].upper()}{reasons[1:]}</p></div>'
            f'<div class="r">{self.marks(line, account)}</div>{self.verbs(line, account)}</li>'
        )

    def address(self, line: Line) -> str:
        if line.kind == "cta":
            return f"/ctas/{line.pk}/"
        if line.kind == "task":
            return f"/ctas/{line.ref}/"
        if line.kind == "step":
            return f"/accounts/{line.account}/timeline/"
        if line.kind == "call":
            return f"/health/renewals/{line.pk}/call/"
        if line.kind == "notice":
            # SECURITY: notices hold paths; anything else is not followed.
            return (
                line.ref
                if line.ref and line.ref.startswith("/") and not line.ref.startswith("//")
                else "/notifications/"
            )
        return f"/accounts/{line.account}/health/"

    def title(self, line: Line, account: dict[str, Any]) -> str:
        if line.kind != "account":
            return escape(line.title)
        return "Changed since yesterday" if self.grouped else escape(account["name"])

    def under(self, line: Line, account: dict[str, Any]) -> str:
        """The account it is about (a group names it once), and what it belongs to."""
        parts = []
        if account["name"] and line.kind != "account" and not self.grouped:
            parts.append(f'<a href="/accounts/{line.account}/">{escape(account["name"])}</a>')
        if line.kind == "task":
            parts.append(f"for {escape(line.note)}")
        elif line.kind == "step":
            parts.append(f"agreed in “{escape(line.note)}”")
        elif line.note and line.kind == "account":
            parts.append(f"by {escape(line.note)}")
        elif line.note and line.kind in {"cta", "notice"}:
            parts.append(escape(shorten(line.note, 110, placeholder=" …")))
        return f'<p class="about">{" · ".join(parts)}</p>' if parts else ""

    def marks(self, line: Line, account: dict[str, Any]) -> str:
        marks = []
        if lent := account["lent"] if line.kind == "account" else line.lent:
            marks.append(atoms.badge(lent_words(lent, self.today), "info"))
        if account["name"] and not self.grouped:
            marks.append(self.health(account))
            marks.append(f'<span class="num dim hide-m">{self.money(account)}</span>')
        if line.due_on is not None:
            late = ' class="warn nowrap"' if line.due_on < self.today else ' class="dim nowrap"'
            words = formats.day(line.due_on, today=self.today)
            if line.kind == "step" and line.moment:
                words += f" {timezone.localtime(line.moment):%H:%M}"
            marks.append(f"<span{late}>{words}</span>")
        return "".join(marks)

    def verbs(self, line: Line, account: dict[str, Any]) -> str:
        folder, verbs = VERBS.get(line.kind, NO_VERBS)
        name = escape(line.title or account["name"] or "")
        base = f"{self.base}{folder}/{line.pk}/"
        parts = [self._verb(f"{line.kind}-{line.pk}", base, verb, name) for verb in verbs]
        if line.account and account["name"]:
            log = ("l", "log", "phone", "Log a touch", True)
            base = f"{self.base}accounts/{line.account}/"
            parts.append(self._verb(f"{line.kind}-{line.pk}", base, log, escape(account["name"])))
        return f'<div class="verbs">{"".join(parts)}</div>'

    @staticmethod
    def _verb(key: str, base: str, verb: tuple[str, str, str, str, bool], name: str) -> str:
        letter, word, icon, label, opens = verb
        common = (
            f'class="btn" data-size="sm" data-icon data-variant="ghost" data-verb="{letter}" id="{word}-{key}"'
            f' title="{label} ({letter})" aria-label="{label}: {name}"'
        )
        url = f"{base}{word}/"
        if opens:
            opening = f'href="{url}" hx-get="{url}" hx-target="#panel-body" hx-swap="innerHTML"'
            return f"<a {common} {opening}>{atoms.icon(icon)}</a>"
        return f'<button {common} type="submit" formaction="{url}" hx-post="{url}">{atoms.icon(icon)}</button>'


class Tab(NamedTuple):
    """A link that narrows the list to one kind."""

    label: str
    count: int
    url: str
    current: bool


def day_context(request: HttpRequest, query: Any) -> dict[str, Any]:
    """What the list shows, narrowed by ``query``: six queries, one more on an empty day."""
    user: Any = request.user
    today = timezone.localdate()
    kind = query.get("kind", "") if query.get("kind", "") in NAMES else ""
    grouped = query.get("by", "") == "account"
    book = book_of(user, today)
    day = my_day(user, today, largest=book.largest)
    entries = [entry for entry in day.entries if not kind or entry.line.kind == kind]
    most = len(entries) if query.get("all") else SHOWN
    cells = DayCells(today, grouped=grouped)
    lists = cells.by_account(entries[:most]) if grouped else cells.ranked(entries[:most])
    return {
        "lists": SafeString(lists),
        "orders": _orders(kind, grouped=grouped),
        "shown": min(len(entries), most),
        "more": len(entries) - most if len(entries) > most else 0,
        "more_url": _url(kind, grouped=grouped, all="1"),
        "kind": kind,
        "day": day,
        "headline": headline(day),
        "tabs": _tabs(day, kind, grouped=grouped),
        "kept": request.session.get("day_undo", []),
        "book": book,
        "largest_load": max((load.accounts for load in book.loads), default=0),
        "next": None if day.total else _next(user, today, book),
        "today": today,
    }


def book_over_time(user: Any, today: date) -> dict[str, Any]:
    """The chart of the reader's own accounts by month, and how their mean score moved. One query."""
    currency = user.workspace_settings.currency
    trend = book_trend(user, today, currency)
    moved = None if trend.score is None or trend.score_before is None else trend.score - trend.score_before
    since = formats.day(trend.months[-2].day) if len(trend.months) > 1 else ""
    return {
        # One month is no course of things.
        "trend": _drawn(_figures(trend), currency) if len(trend.months) > 1 else None,
        "trend_score": trend.score,
        "trend_moved": None if moved is None else round(moved, 1),
        "trend_since": f"since {since}",
    }


def _figures(trend: Trend) -> Figures:
    return tuple((month.day, tuple(month.arr.items())) for month in trend.months)


@lru_cache(maxsize=256)
def _drawn(figures: Figures, currency: str) -> Chart | None:
    """The chart of these figures, which move once a night and are looked at all day. About 15 kB each."""
    return bands([Month(day, dict(arr)) for day, arr in figures], RAG_WORDS, currency)


def _url(kind: str, *, grouped: bool, **more: str) -> str:
    """The address of the list as it is asked for, without what is so anyhow."""
    asked = {"kind": kind, "by": "account" if grouped else "", **more}
    return f"?{urlencode({name: value for name, value in asked.items() if value})}"


def _orders(kind: str, *, grouped: bool) -> list[dict[str, Any]]:
    """Ranked, or by account."""
    return [
        {"label": label, "url": _url(kind, grouped=by), "current": by == grouped}
        for by, label in ((False, "By rank"), (True, "By account"))
    ]


def _tabs(day: Day, kind: str, *, grouped: bool) -> list[Tab]:
    tabs = [Tab("All", day.total, _url("", grouped=grouped), not kind)]
    return tabs + [
        Tab(label, day.counts[name], _url(name, grouped=grouped), kind == name)
        for name, label in NAMES.items()
        if day.counts[name] or kind == name
    ]


def headline(day: Day) -> str:
    """How much waits, in one sentence."""
    if not day.total:
        return "Nothing waits for you."
    parts = [f"{count} {word}" for count, word in ((day.late, "late"), (day.today, "due today")) if count]
    things = f"{formats.number(day.total)} thing{'' if day.total == 1 else 's'} to look at"
    return f"{things}: {', '.join(parts)}." if parts else f"{things}, nothing late."


def _next(user: Any, today: date, book: Book) -> str:
    """What comes next, in one sentence; empty when nothing does."""
    line = next_up(user, today)
    if line is not None and line.due_on is not None:
        return f"Next: {line.title}, due {formats.day(line.due_on, today=today)}."
    if book.renewals:
        first = book.renewals[0]
        day = formats.day(first["renewal_on"], today=today)
        return f"Next: {first['name']} renews on {day}."
    return ""
