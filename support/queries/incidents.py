"""Reads of incidents for their list, their page, a ticket's and an account's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject

from accounts.keys import is_key
from support import lifecycle
from support.choices import Clock, EntryKind, IncidentStatus
from support.models import Incident, IncidentAccount, IncidentEntry, IncidentReview, SlaClock, Ticket
from support.models.clocks import past_due
from support.models.incidents import IncidentQuerySet
from support.queries.incident_clocks import NAMES
from support.queries.incident_said import letters_said
from support.queries.record import ClockLine, line_of
from ui import keyset

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
EXPORT_LIMIT = 20_000
MOST_ENTRIES = 500
MOST_ALIKE = 5
VIEWS = {
    "active": "Being worked",
    "mine": "Mine",
    "overdue": "Word overdue",
    "review": "To be reviewed",
    "closed": "Closed",
    "all": "All",
}
COLUMNS = (
    "pk", "number", "title", "component", "status", "stage", "stages", "priority", "impact", "severity__key",
    "severity__name", "severity__rank", "commander__name", "commander__email", "opened_at", "resolved_at", "closed_at",
    "next_update_at", "next_due_at", "first_notice_at", "review_required", "account_count", "ticket_count", "reviewed",
)  # fmt: skip
SORTS = {
    "due": ("next_due_at", False), "-opened": ("opened_at", True), "opened": ("opened_at", False),
    "priority": ("priority", False), "-number": ("number", True), "number": ("number", False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IncidentFilters:
    """What the list is narrowed to, as it stands in the address; unknown words count as empty."""

    view: str = "active"
    severity: str = ""
    commander: str = ""
    component: str = ""
    account: str = ""
    q: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> IncidentFilters:
        """The filters of a query string."""
        given = {field.name: query.get(field.name, "").replace("\x00", "").strip()[:100] for field in fields(cls)}
        commander = given["commander"]
        return cls(
            view=given["view"] if given["view"] in VIEWS else "active",
            severity=given["severity"],
            commander=commander if commander in {"me", "none"} or is_key(commander) else "",
            component=given["component"],
            account=given["account"] if is_key(given["account"]) else "",
            q=given["q"],
        )

    def parameters(self) -> dict[str, str]:
        """Only what differs from the list's beginning, for addresses."""
        beginning = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != beginning[name]}

    def incidents(self, user: User, at: datetime) -> IncidentQuerySet:
        """Matching incidents that ``user`` may see. No query yet."""
        rows = self._of_view(Incident.objects.visible_to(user), user, at)
        if self.severity:
            rows = rows.filter(severity__key=self.severity)
        if self.component:
            rows = rows.filter(component__iexact=self.component)
        if self.commander:
            rows = rows.filter(commander={"me": user.pk, "none": None}.get(self.commander, self.commander))
        if self.account:
            present = IncidentAccount.objects.present().visible_to(user).filter(account=self.account)
            rows = rows.filter(pk__in=present.values("incident"))
        return rows.filter(_matching(self.q)) if self.q else rows

    def _of_view(self, rows: IncidentQuerySet, user: User, at: datetime) -> IncidentQuerySet:
        narrowed = {
            "active": rows.open,
            "mine": lambda: rows.unclosed().filter(commander=user.pk),
            "overdue": lambda: rows.filter(_word_overdue(at)),
            "review": lambda: rows.filter(_to_review()),
            "closed": lambda: rows.filter(status=IncidentStatus.CLOSED),
        }
        return narrowed[self.view]() if self.view in narrowed else rows


def _to_review() -> Q:
    return Q(status=IncidentStatus.RESOLVED, review_required=True) & ~Q(
        pk__in=IncidentReview.objects.exclude(published_at=None).values("incident")
    )


def _word_overdue(at: datetime) -> Q:
    return Q(status=IncidentStatus.OPEN) & past_due(at, "incident", by="next_update_at")


def _is_late(at: datetime) -> Any:
    """Whether the next word is overdue or, of one that is not worked any more, its review."""
    review = ~Q(status=IncidentStatus.OPEN) & past_due(at, "incident")
    return ExpressionWrapper(_word_overdue(at) | review, BooleanField())


def _matching(text: str) -> Q:
    number = text.upper().removeprefix("INC-").lstrip("#")
    found = Q(title__icontains=text) | Q(component__icontains=text)
    return found | Q(number=int(number)) if number.isascii() and number.isdigit() and len(number) < 9 else found


def incident_list(user: User, filters: IncidentFilters, sort: str, cursor: str, at: datetime) -> tuple[Any, int, str]:
    """(page of rows, how many match, sort): two queries at most, whatever the number of rows."""
    sort = sort if sort in SORTS else default_sort(filters)
    path, descending = SORTS[sort]
    rows = filters.incidents(user, at)
    field: Any = Incident._meta.get_field(path)
    shown = counted(rows, user).values(*COLUMNS, is_late=_is_late(at))
    page = keyset.page(shown, keyset.Order(path, descending), field, cursor, PAGE_SIZE)
    total = len(page.rows) if not (page.next or page.previous) else rows.order_by().count()
    return page, total, sort


def all_rows(user: User, filters: IncidentFilters, sort: str, at: datetime) -> list[dict[str, Any]]:
    """Matching rows for the CSV, at most EXPORT_LIMIT. One query."""
    path, descending = SORTS.get(sort, SORTS[default_sort(filters)])
    rows = counted(filters.incidents(user, at), user).values(*COLUMNS)
    return list(rows.order_by(*keyset.Order(path, descending).expressions(backwards=False))[:EXPORT_LIMIT])


def default_sort(filters: IncidentFilters) -> str:
    """Those being worked by the next deadline, the others newest first."""
    return "due" if filters.view in {"active", "mine", "overdue", "review"} else "-opened"


def counted(rows: IncidentQuerySet, user: User) -> Any:
    """``rows`` with the number of accounts and tickets ``user`` may see, and whether the review is published."""
    present = IncidentAccount.objects.present().visible_to(user).filter(incident=OuterRef("pk"))
    tickets = Ticket.objects.visible_to(user).filter(incident=OuterRef("pk"))
    published = IncidentReview.objects.filter(incident=OuterRef("pk")).exclude(published_at=None)
    return rows.annotate(
        account_count=_number(present, "incident"),
        ticket_count=_number(tickets, "incident"),
        reviewed=Exists(published),
    )


def _number(rows: Any, by: str) -> Any:
    return Coalesce(Subquery(rows.order_by().values(by).annotate(n=Count("pk")).values("n")), 0)


def view_counts(user: User, filters: IncidentFilters, at: datetime) -> dict[str, int]:
    """How many each tab of the unclosed ones holds, the other filters kept. One query."""
    rows = replace(filters, view="all").incidents(user, at).unclosed()
    return rows.order_by().aggregate(
        active=Count("pk", filter=Q(status=IncidentStatus.OPEN)),
        mine=Count("pk", filter=Q(commander=user.pk)),
        overdue=Count("pk", filter=_word_overdue(at)),
        review=Count("pk", filter=_to_review()),
    )


def waiting_incidents(user: User) -> IncidentQuerySet:
    """Incidents being worked that ``user`` may see: counted in the side bar."""
    return Incident.objects.visible_to(user).open()


def incident_record(user: User, pk: UUID, at: datetime) -> Incident | None:
    """One incident with its people and review, or None where ``user`` may not see it. One query.

    ``is_workable`` says whether ``user`` may work it, ``said`` which letters were sent when, ``is_late`` whether the
    next word, or the review, is overdue at ``at``.
    """
    related = ("severity", "commander", "opened_by", "calendar", "review__author")
    rows = Incident.objects.visible_to(user).select_related(*related)
    workable = Exists(Incident.objects.workable_by(user).filter(pk=OuterRef("pk")))
    found = rows.annotate(is_workable=workable, said=letters_said("pk"), is_late=_is_late(at))
    return found.filter(pk=pk).first()


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage as the page shows it: passed (with who and when), current or to come."""

    key: str
    title: str
    detail: str
    state: str
    at: datetime | None = None
    actor: Any = None


def stage_lines(incident: Incident, entries: list[IncidentEntry]) -> list[StageLine]:
    """The stages in order, each with the last time it was entered. No query."""
    stamps: dict[str, tuple[datetime, Any]] = {incident.stages[0]["key"]: (incident.opened_at, incident.opened_by)}
    for entry in reversed(entries):
        if entry.kind == EntryKind.STAGE:
            stamps[entry.data["to"]] = (entry.at, entry.actor)
    here = lifecycle.place_of(incident.stages, incident.stage)
    found = []
    for place, stage in enumerate(incident.stages):
        state = "current" if place == here else "passed" if place < here else "ahead"
        moment, actor = stamps.get(stage["key"], (None, None)) if state != "ahead" else (None, None)
        found.append(StageLine(stage["key"], stage["title"], stage.get("detail", ""), state, moment, actor))
    return found


@dataclass(frozen=True, slots=True)
class Word:
    """One of the four words customers get, in order (FMEA-8.4): when it was said; empty: not yet."""

    label: str
    at: datetime | None
    count: int


def words_said(letters: Iterable[Mapping[str, str]], first_notice_at: datetime | None) -> list[Word]:
    """First notice, updates, resolution, post-mortem, each with its last moment, of ``letters_said``. No query."""
    said: dict[str, list[datetime]] = {}
    for letter in letters:
        said.setdefault(lifecycle.kind_of(letter["key"]), []).append(datetime.fromisoformat(letter["at"]))
    if first_notice_at and lifecycle.NOTICE not in said:
        said[lifecycle.NOTICE] = [first_notice_at]
    return [
        Word(label, moments[-1] if moments else None, len(moments))
        for kind, label in lifecycle.STEPS
        for moments in [said.get(kind, [])]
    ]


def affected(user: User, incident: Incident) -> list[IncidentAccount]:
    """The accounts it affects or did that ``user`` may see, by name. One query."""
    rows = incident.affected.visible_to(user)
    related = ("account__tier", "account__owner", "account__health", "added_by")
    return list(rows.select_related(*related).order_by("account__name", "pk"))


def tickets_near(user: User, incident: Incident, entries: list[IncidentEntry]) -> list[Ticket]:
    """Tickets ``user`` may see that are linked, were named in ``entries``, or wait for the same service. One query.

    ``is_workable`` says whether ``user`` may work each.
    """
    numbers = {entry.data.get("number") for entry in entries if entry.kind == EntryKind.TICKET}
    numbers |= {number for entry in entries for number in entry.data.get("tickets", ())}
    every = Ticket.objects.order_by()
    # Each by its index; conditions joined by "or" would read every ticket.
    near = [every.filter(incident=incident.pk), every.filter(number__in=numbers - {None})]
    if incident.component and incident.status == IncidentStatus.OPEN:
        alike = every.active().filter(incident=None, component__iexact=incident.component)
        near.append(alike.order_by("-number")[:MOST_ALIKE])
    first, *others = [rows.values("pk") for rows in near]
    workable = Exists(Ticket.objects.workable_by(user).filter(pk=OuterRef("pk")))
    rows = Ticket.objects.visible_to(user).filter(pk__in=first.union(*others)).annotate(is_workable=workable)
    return list(rows.select_related("account", "requester", "severity").order_by("-number"))


def clock_lines(incident: Incident, at: datetime) -> list[tuple[str, ClockLine]]:
    """Its promises with their names, those that run first. One query."""
    clocks = incident.clocks.select_related("calendar").order_by("started_at", "kind")
    lines = [(_name(clock), line_of(clock, at)) for clock in clocks]
    return sorted(lines, key=lambda line: (line[1].clock.stopped_at is not None, line[1].clock.due_at is None))


def _name(clock: SlaClock) -> str:
    """``Next update`` while it is owed, ``Update 3`` once it was given."""
    if clock.kind == Clock.UPDATE and clock.stopped_at is not None:
        return f"Update {clock.cycle}"
    return NAMES.get(Clock(clock.kind), clock.get_kind_display())


def entries_of(incident: Incident) -> list[IncidentEntry]:
    """What happened, newest first. One query."""
    return list(incident.entries.select_related("actor").order_by("-at", "-pk")[:MOST_ENTRIES])


def timeline(
    incident: Incident, entries: list[IncidentEntry], rows: list[IncidentAccount], tickets: list[Ticket]
) -> list[tuple[IncidentEntry, str]]:
    """``entries`` in words, naming only the accounts of ``rows`` (``affected``) and ``tickets``. No query."""
    seen = {str(row.account_id) for row in rows}
    subjects = {ticket.number: ticket.subject for ticket in tickets}
    return [(entry, _in_words(entry, incident.stages, seen, subjects)) for entry in entries]


def words_of(user: User, keys: list[int]) -> dict[int, str]:
    """Lines of one incident's timeline by key, in words, naming only what ``user`` may see. Three queries."""
    entries = list(IncidentEntry.objects.filter(pk__in=keys).select_related("incident"))
    if not entries:
        return {}
    incident = entries[0].incident
    rows, tickets = list(incident.affected.visible_to(user)), tickets_near(user, incident, entries)
    return {entry.pk: words for entry, words in timeline(incident, entries, rows, tickets)}


def _in_words(entry: IncidentEntry, stages: list[Any], seen: set[str], subjects: Mapping[int, str]) -> str:
    data = entry.data
    match entry.kind:
        case EntryKind.STAGE:
            before = lifecycle.stage_of(stages, data["from"])["title"]
            return f"{before} → {data['title']}"
        case EntryKind.ACCOUNTS:
            verb = "added" if "added" in data else "removed"
            return f"{_names(data[verb], seen)} {verb}"
        case EntryKind.TICKET:
            known = data["number"] in subjects
            what = f"#{data['number']} {subjects[data['number']]}" if known else "a ticket"
            return f"{what} {'linked' if data['linked'] else 'unlinked'}"
        case EntryKind.LETTER if "tickets" in data:
            numbers = [f"#{number}" for number in data["tickets"] if number in subjects]
            return f"answered {', '.join(numbers) or 'tickets'}"
        case EntryKind.LETTER:
            return f"{data['name']}, to {_many(data['people'], 'person', 'people')}"
        case EntryKind.DETAILS:
            return ", ".join(name.replace("_", " ") for name in data.get("after", {}))
        case EntryKind.REVIEW:
            return "published" if data.get("published") else "begun"
        case EntryKind.ACTION:
            return "taken away" if data.get("dropped") else f"due {data['due_on']}"
    return ""


def _names(rows: list[dict[str, str]], seen: set[str]) -> str:
    shown = [row["name"] for row in rows if row["id"] in seen]
    named = ", ".join(shown[:5])
    more = len(shown) - 5
    return f"{named} and {more} more" if more > 0 else named or "Accounts"


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def account_notices() -> Any:
    """Incidents being worked that affect the account of the row, for the head of its page: a subquery, no query."""
    rows = IncidentAccount.objects.present().filter(account=OuterRef("pk"), incident__status=IncidentStatus.OPEN)
    severity = "incident__severity"
    worst = Case(When(**{f"{severity}__rank": 1}, then=Value("risk")), default=Value("watch"))
    kind = Case(
        When(**{f"{severity}__isnull": True}, then=Value("Incident")),
        default=Concat(f"{severity}__name", Value(" incident"), output_field=CharField()),
        output_field=CharField(),
    )
    number = Cast("incident__number", CharField())
    named = Concat(kind, Value(" INC-"), number, Value(": "), "incident__title", output_field=CharField())
    shown = JSONObject(tone=worst, text=named, page=Value("support:incident-detail"), key="incident")
    return ArraySubquery(rows.order_by("-incident__opened_at").values(shown=shown)[:5])


def called(user: User, words: str) -> Incident | None:
    """The incident ``user`` may work whose number is ``words``, as in INC-4, #4 or 4. One query, or none."""
    number = words.strip().upper().removeprefix("INC-").lstrip("#")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        return None
    return Incident.objects.workable_by(user).filter(number=int(number)).first()
