"""The weekly digest: what moved, what is due. Once a person and week, from the workspace's Monday morning on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q, Window

from accounts.choices import Role
from accounts.models import User, Workspace
from engagement.actions import notify
from engagement.choices import Kind
from health.book.compare import Bridge, Comparison, compare
from health.book.figures import AT_RISK
from health.book.keeping import kept
from health.book.portfolio import LIST_LENGTH, movers
from health.book.scope import Scope
from health.book.sentences import sentence
from health.models import DigestWeek
from playbooks.response import due_until
from ui import formats

MORNING = 7
READERS = (Role.VP_CS, Role.CSM)
LINES = 5


class Digest(NamedTuple):
    """A person's week in words: sums, then (heading, lines) of what moved, renews and is due."""

    title: str
    sums: list[str]
    sections: list[tuple[str, list[str]]]
    url: str

    @property
    def body(self) -> str:
        """As plain text, for the mail and the notice."""
        parts = ([f"{title}:", *(f"• {line}" for line in lines)] for title, lines in self.sections)
        return "\n\n".join("\n".join(part) for part in (self.sums, *parts))


@transaction.atomic
def send_digests(*, at: datetime) -> int:
    """Tell every VP and CSM of their week, unless that week's were sent; how many were told.

    Nobody is told before seven on the workspace's Monday. What could not be sent that day is sent on Tuesday; later
    nobody wants it. The week's row commits with the messages: however often and wherever this runs, once or not yet.
    """
    workspace = Workspace.objects.get()
    local = at.astimezone(ZoneInfo(workspace.timezone))
    if local.weekday() > 1 or (local.weekday() == 0 and local.hour < MORNING):
        return 0
    year, number, _day = local.isocalendar()
    week = f"{year}-W{number:02}"
    # RACE: two workers at once would both write a digest; the second waits here for the first's row and finds it.
    _row, is_new = DigestWeek.objects.get_or_create(week=week, defaults={"sent_at": at})
    if not is_new:
        return 0
    people = User.objects.active().filter(role__in=READERS).order_by("pk")
    return sum(_send(person, f"digest:{week}", workspace, local.date(), at) for person in people)


def _send(person: User, key: str, workspace: Workspace, today: date, at: datetime) -> int:
    digest = digest_of(person, workspace.currency, today)
    if digest is None:
        return 0
    return notify(
        [person], kind=Kind.WEEKLY_DIGEST, title=digest.title, body=digest.body, url=digest.url, at=at, dedupe_key=key
    )


def digest_of(person: User, currency: str, today: date) -> Digest | None:
    """What ``person`` is told on ``today``: a VP of everything, a CSM of their own book. None for an empty book.

    The week compared with is the seven days before; what of it does not change by the hour is kept while the
    portfolio's data is unchanged. Nine queries at most.
    """
    mine = "me" if person.role == Role.CSM else ""
    scope = Scope.read({"owner": mine, "since": (today - timedelta(days=7)).isoformat()}, today)
    if not scope.customers(person).exists():
        return None
    week = kept("digest", person, scope, lambda: _week(person, scope, currency))
    due = ("Due this week", _due(person, today, everybody=not mine))
    told = [section for section in (*week.sections, due) if section[1]]
    nothing = [] if told else ["No score moved, nothing renews within 30 days and nothing is due this week."]
    return week._replace(sums=[*week.sums, *nothing], sections=told)


def _week(person: User, scope: Scope, currency: str) -> Digest:
    """All but what is due. In words: the accounts behind them would be most of what is kept."""
    found = compare(person, scope, currency)
    whose, link = (
        ("your book", f"/portfolio/?owner={scope.owner}") if scope.owner else ("the portfolio", "/portfolio/?view=all")
    )
    return Digest(
        _title(found, whose, currency),
        [_money("ARR", found.arr, currency, found), _money("ARR at risk", found.risk, currency, found)],
        [
            ("Why the money moved", _reasons(found, currency)),
            ("What moved", [_mover(mover.row, mover.change) for mover in movers(person, scope)[:LINES]]),
            ("Renewing within 30 days", _renewals(person, scope)),
        ],
        link,
    )


def next_digest_at(workspace: Workspace, at: datetime) -> datetime:
    """The next Monday, seven o'clock in the workspace's zone, at or after ``at``."""
    local = at.astimezone(ZoneInfo(workspace.timezone))
    monday = (local - timedelta(days=local.weekday())).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return monday if monday >= local else monday + timedelta(days=7)


def _title(found: Comparison, whose: str, currency: str) -> str:
    change = found.risk.change
    verb = "rose" if change > 0 else "fell"
    told = f"{verb} by {formats.money(abs(change), currency, compact=True)}" if change else "did not change"
    return f"Your week: ARR at risk in {whose} {told}"


def _money(label: str, bridge: Bridge, currency: str, found: Comparison) -> str:
    change = bridge.change if found.known else Decimal(0)
    moved = f" ({'+' if change > 0 else ''}{formats.money(change, currency)} in 7 days)" if change else ""
    return f"{label}: {formats.money(bridge.after, currency)}{moved}"


def _reasons(found: Comparison, currency: str) -> list[str]:
    """What made ARR and ARR at risk what they are, a sentence each; none where nothing moved."""
    if not found.known:
        return []

    def write(amount: Decimal) -> str:
        return formats.money(amount, currency, compact=True)

    named = (("ARR", found.arr), ("ARR at risk", found.risk))
    return [sentence(label, bridge, write) for label, bridge in named if bridge.moved]


def _mover(row: dict[str, Any], change: Any) -> str:
    reason = change.sentence(1) if change is not None else ""
    moved = formats.signed(round(row["change"], 1), 1)
    return f"{row['name']} {moved} to {row['shown']}{f': {reason}' if reason else ''}"


def _renewals(person: User, scope: Scope) -> list[str]:
    soon = scope.customers(person).filter(renewal_on__range=(scope.today, scope.today + timedelta(days=30)))
    rows = soon.order_by("renewal_on", "pk").values_list(
        "name", "renewal_on", "arr", "currency", "health__current_rag", Window(Count("pk"))
    )
    found = list(rows[:LIST_LENGTH])
    named = [
        f"{name} on {formats.day(day, today=scope.today)}, {formats.money(arr, money)}"
        f"{', at risk' if rag in AT_RISK else ''}"
        for name, day, arr, money, rag, _total in found
    ]
    more = found[0][-1] - len(found) if found else 0
    return [*named, f"and {more:,} more"] if more else named


def _due(person: User, today: date, *, everybody: bool) -> list[str]:
    """CTAs to be done by Sunday: one's own with their names, a leader's as a number."""
    until = today + timedelta(days=6 - today.weekday())
    ctas = due_until(person, until, own=not everybody)
    overdue = ctas.filter(Q(due_on__lt=today)).count()
    total = ctas.count()
    if not total:
        return []
    if everybody:
        return [f"{total} CTA{'' if total == 1 else 's'} in all, {overdue} overdue"]
    first = [f"{cta.account.name}: {cta.title}, {formats.day(cta.due_on, today=today)}" for cta in ctas[:LINES]]
    return [*first, f"and {total - LINES} more"] if total > LINES else first
