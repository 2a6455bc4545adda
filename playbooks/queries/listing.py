"""Reads of CTAs for the list, its CSV, the record, an account's panel and the side bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.keys import is_key
from accounts.models import User
from accounts.models.stand_ins import worked_by
from accounts.queries.stand_ins import lent
from playbooks.choices import CtaKind, CtaStatus, Outcome, Priority
from playbooks.models import Cta, CtaQuerySet, Playbook, Task
from ui import keyset

if TYPE_CHECKING:
    from django.db.models import Field

PAGE_SIZE = 50
EXPORT_LIMIT = 20_000
STATUSES = {"open": "Open", "snoozed": "Snoozed", "unclosed": "Open and snoozed", "closed": "Closed", "all": "All"}
DUES = {"overdue": "Overdue", "today": "Due today", "week": "Due within 7 days", "later": "Later"}
RANKS = {Priority.HIGH: 1, Priority.MEDIUM: 2, Priority.LOW: 3}
# Sort key in the address: (path, descending).
SORTS = {
    "due": ("due_on", False),
    "-due": ("due_on", True),
    "priority": ("priority_rank", False),
    "-priority": ("priority_rank", True),
    "account": ("account__name", False),
    "-account": ("account__name", True),
    "arr": ("account__arr", False),
    "-arr": ("account__arr", True),
    "opened": ("opened_at", False),
    "-opened": ("opened_at", True),
    "closed": ("closed_at", False),
    "-closed": ("closed_at", True),
    "until": ("snoozed_until_on", False),
    "-until": ("snoozed_until_on", True),
}
DEFAULT_SORT = "due"
# Histories begin with what is nearest: the last closed, the first to come back.
DEFAULT_SORTS = {"closed": "-closed", "snoozed": "until"}
COLUMNS = (
    "pk",
    "title",
    "kind",
    "priority",
    "priority_rank",
    "status",
    "due_on",
    "opened_at",
    "snoozed_until_on",
    "snooze_reason",
    "closed_at",
    "closed_by__name",
    "closed_by__email",
    "outcome",
    "reason",
    "trigger_key",
    "owner",
    "owner__name",
    "owner__email",
    "lent",
    "account",
    "account__name",
    "account__arr",
    "account__currency",
)


@dataclass(frozen=True, slots=True)
class CtaFilters:
    """What the list is narrowed to, as it stands in the address; unknown words count as empty."""

    status: str = "open"
    kind: str = ""
    priority: str = ""
    owner: str = ""
    due: str = ""
    account: str = ""
    trigger: str = ""
    outcome: str = ""
    q: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> CtaFilters:
        """The filters of a query string."""
        owner, account = query.get("owner", ""), query.get("account", "")
        return cls(
            status=_known(query.get("status", ""), STATUSES) or "open",
            kind=_known(query.get("kind", ""), CtaKind.values),
            priority=_known(query.get("priority", ""), Priority.values),
            owner=owner if owner in {"me", "none"} or is_key(owner) else "",
            due=_due_words(query.get("due", "")),
            account=account if is_key(account) else "",
            trigger=query.get("trigger", "").replace("\x00", "").strip()[:80],
            outcome=_known(query.get("outcome", ""), Outcome.values),
            q=query.get("q", "").replace("\x00", "").strip()[:100],
        )

    def parameters(self) -> dict[str, str]:
        """Only what differs from the list's beginning, for addresses."""
        beginning = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != beginning[name]}

    def ctas(self, user: User, today: date) -> CtaQuerySet:
        """Matching CTAs that ``user`` may see; ``lent`` says of which they do somebody else's work."""
        rows = Cta.objects.visible_to(user).annotate(lent=lent(user, "owner"))
        if self.status == "unclosed":
            rows = rows.unclosed()
        elif self.status != "all":
            rows = rows.filter(status=self.status)
        for name in ("kind", "priority", "outcome"):
            if wanted := getattr(self, name):
                rows = rows.filter(**{name: wanted})
        if self.account:
            rows = rows.filter(account=self.account)
        if self.trigger:
            rows = rows.filter(trigger_key=self.trigger)
        if self.owner:
            rows = rows.filter(_owner(self.owner, user))
        if self.q:
            rows = rows.filter(Q(title__icontains=self.q) | Q(account__name__icontains=self.q))
        return rows.filter(**_due(self.due, today))


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows (``tasks_done`` and ``tasks_all`` added) and how many match in all."""

    page: keyset.Page
    total: int
    sort: str


def cta_list(user: User, filters: CtaFilters, sort: str, cursor: str, today: date) -> Listing:
    """One page of CTAs: three queries, whatever the number of rows (two on a single page)."""
    sort = sort if sort in SORTS else default_sort(filters)
    path, descending = SORTS[sort]
    rows = ranked(filters.ctas(user, today))
    page = keyset.page(rows.values(*COLUMNS), keyset.Order(path, descending), _field(path), cursor, PAGE_SIZE)
    add_tasks(page.rows)
    total = len(page.rows) if not (page.next or page.previous) else rows.order_by().count()
    return Listing(page, total, sort)


def all_rows(user: User, filters: CtaFilters, sort: str, today: date) -> list[dict[str, Any]]:
    """Matching rows in order for the CSV, at most EXPORT_LIMIT: two queries."""
    path, descending = SORTS.get(sort, SORTS[default_sort(filters)])
    order = keyset.Order(path, descending)
    rows = ranked(filters.ctas(user, today)).values(*COLUMNS).order_by(*order.expressions(backwards=False))
    listed = list(rows[:EXPORT_LIMIT])
    add_tasks(listed)
    return listed


def default_sort(filters: CtaFilters) -> str:
    """How the list is sorted until its reader says otherwise."""
    return DEFAULT_SORTS.get(filters.status, DEFAULT_SORT)


def status_counts(user: User, filters: CtaFilters, today: date) -> dict[str, int]:
    """How many match in each status, the other filters kept: the tabs' numbers. One query."""
    everything = CtaFilters(**{**asdict(filters), "status": "all"}).ctas(user, today)
    counts = dict(everything.order_by().values_list("status").annotate(Count("pk")))
    return {status: counts.get(status, 0) for status in CtaStatus.values}


def cta_record(user: User, pk: UUID) -> Cta | None:
    """One CTA with account, people, playbook and tasks, or None where ``user`` may not see it. Two queries.

    ``score_now`` and ``rag_now`` are the account's, to be held against what the evidence says; ``workable`` says
    whether ``user`` may change it.
    """
    people = ("account", "owner", "playbook", "opened_by", "closed_by")
    tasks = Prefetch("tasks", Task.objects.select_related("completed_by"))
    rows = Cta.objects.visible_to(user).annotate(
        score_now=F("account__health__shown"),
        rag_now=F("account__health__current_rag"),
        workable=Exists(Cta.objects.workable_by(user).filter(pk=OuterRef("pk"))),
    )
    return rows.select_related(*people).prefetch_related(tasks).filter(pk=pk).first()


def ctas_of_account(user: User, account_id: UUID, limit: int = 20) -> list[Cta]:
    """An account's CTAs that are not closed, soonest first, each with its tasks. Two queries."""
    rows = Cta.objects.visible_to(user).unclosed().filter(account=account_id).select_related("owner")
    return list(rows.prefetch_related("tasks").order_by("due_on", "id")[:limit])


class CtaSpan(NamedTuple):
    """An account's CTAs between two moments; ``open_before`` and ``open_after`` count those not closed then."""

    opened: list[Cta]
    closed: list[Cta]
    open_before: int
    open_after: int


def ctas_between(user: User, account_id: UUID, begin: datetime, end: datetime) -> CtaSpan:
    """CTAs opened or closed from ``begin`` up to ``end``, and how many stood at each. One query."""
    rows = Cta.objects.visible_to(user).filter(Q(closed_at=None) | Q(closed_at__gte=begin), opened_at__lt=end)
    found = list(rows.filter(account=account_id).select_related("owner").order_by("opened_at", "id"))
    closed = [cta for cta in found if cta.closed_at is not None and cta.closed_at < end]
    opened = [cta for cta in found if cta.opened_at >= begin]
    return CtaSpan(opened, closed, len(found) - len(opened), len(found) - len(closed))


def waiting_ctas(user: User) -> CtaQuerySet:
    """Open CTAs that are ``user``'s to work and due, or nearly (within a week): counted in the side bar."""
    soon = timezone.localdate() + timedelta(days=7)
    return Cta.objects.visible_to(user).open().filter(_owner("me", user), due_on__lte=soon)


def open_ctas() -> CtaQuerySet:
    """Every CTA to be worked now, to be counted by queries of other domains."""
    return Cta.objects.open()


def unclosed_cta(pk: UUID | None) -> Cta | None:
    """The CTA of this key for whoever opened it by a rule; None once it is closed, and for no key. One query."""
    return Cta.objects.unclosed().filter(pk=pk).first() if pk else None


def fired_ctas(user: User, *, since: date) -> QuerySet[Any]:
    """CTAs that a trigger opened from ``since`` on and that ``user`` may see, the newest first.

    Rows of key, trigger, account, opening, closing, outcome and the playbook's name.
    """
    begin = timezone.make_aware(datetime.combine(since, time.min))  # a moment, so that the index of openings serves
    rows = Cta.objects.visible_to(user).exclude(trigger_key="").filter(opened_at__gte=begin)
    names = ("pk", "trigger_key", "account", "opened_at", "closed_at", "outcome", "playbook__name")
    return rows.order_by("-opened_at", "pk").values_list(*names)


def most_urgent(account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The title of the most urgent open CTA of each of these accounts. One query."""
    rows = ranked(open_ctas().filter(account__in=account_ids))
    newest = rows.order_by("account_id", "priority_rank", "due_on", "pk").distinct("account_id")
    return dict(newest.values_list("account_id", "title"))


def assignees() -> list[tuple[str, str]]:
    """(key, name) of active staff, for owner choices. One query."""
    people = User.objects.active().staff().order_by("name", "email")
    return [(str(user.pk), str(user)) for user in people]


def playbook_list(*, retired: bool = False) -> QuerySet[Playbook]:
    """Live playbooks (or those that are not any more) by name with ``task_count`` and ``open_ctas``. One query."""
    unclosed = ~Q(ctas__status=CtaStatus.CLOSED) & Q(ctas__isnull=False)
    return Playbook.objects.filter(retired_at__isnull=not retired).annotate(
        task_count=Count("tasks", distinct=True), open_ctas=Count("ctas", filter=unclosed, distinct=True)
    )


def ranked(rows: CtaQuerySet) -> CtaQuerySet:
    """``rows`` with ``priority_rank``, by which they sort: 1 is high."""
    ranks = [When(priority=priority, then=Value(rank)) for priority, rank in RANKS.items()]
    return rows.annotate(priority_rank=Case(*ranks, output_field=IntegerField()))


def _field(path: str) -> Field[Any, Any]:
    if path == "priority_rank":
        return IntegerField()
    if path.startswith("account__"):
        account = Cta._meta.get_field("account").related_model
        return account._meta.get_field(path.removeprefix("account__"))  # type: ignore[return-value]
    return Cta._meta.get_field(path)  # type: ignore[return-value]


def add_tasks(rows: list[dict[str, Any]]) -> None:
    """``tasks_done`` and ``tasks_all`` of each row, counted for all of them in one query."""
    counted = (
        Task.objects.filter(cta__in=[row["pk"] for row in rows])
        .order_by()
        .values("cta")
        .annotate(everything=Count("pk"), done=Count("completed_at"))
    )
    counts = {row["cta"]: (row["done"], row["everything"]) for row in counted} if rows else {}
    for row in rows:
        row["tasks_done"], row["tasks_all"] = counts.get(row["pk"], (0, 0))


def due_range(due: str) -> tuple[date, date] | None:
    """First and last day of ``2026-11-28`` or ``2026-11-01..2026-11-30``; None for any other text."""
    first, _dots, last = due.partition("..")
    try:
        span = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        return None
    return span if due == (span[0].isoformat() + (f"..{span[1].isoformat()}" if last else "")) else None


def _due_words(due: str) -> str:
    return due if due in DUES or due_range(due) else ""


def _due(due: str, today: date) -> dict[str, Any]:
    week = today + timedelta(days=7)
    ranges: dict[str, dict[str, Any]] = {
        "": {},
        "overdue": {"due_on__lt": today},
        "today": {"due_on": today},
        "week": {"due_on__range": (today, week)},
        "later": {"due_on__gt": week},
    }
    return ranges[due] if due in ranges else {"due_on__range": due_range(due)}


def _owner(owner: str, user: User) -> Q:
    if owner == "me":
        return Q(owner__in=worked_by(user))
    return Q(owner=None if owner == "none" else owner)


def _known(value: str, known: Any) -> str:
    return value if value in known else ""
