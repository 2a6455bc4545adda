"""What changed on an account since a person last looked at it, without what they did themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Exists, OuterRef, Q

from accounts.choices import TOUCH_KINDS, ActivityKind, ContractStatus, Influence, Sentiment, StakeholderRole
from accounts.models import Account, Activity, AuditEntry
from accounts.own_values import PREFIX, FieldDefinition, as_text, held, in_words, same
from accounts.queries.own_fields import live_fields
from health.book.change import change_between
from health.cards import compiled
from health.models import AccountHealth, AccountVisit, BandChange, HealthScore
from ui import formats

if TYPE_CHECKING:
    from accounts.models import User

MOST = 3
MOST_READ = 200
# What of the account, a contract or a contact is told, and in which words.
FACTS = {"owner": "Owner", "tier": "Tier", "stage": "Stage", "segment": "Segment", "status": "Status", "name": "Name"}
TERMS = {"arr": "ARR", "end_on": "last day", "start_on": "first day", "status": "status", "auto_renew": "auto-renewal"}
PARTS = {"stakeholder_role": StakeholderRole, "influence": Influence, "sentiment": Sentiment}
OF_RECORD = ("account", "contract", "contact")
GROUPS = (
    ("people", "People"),
    ("money", "Contracts"),
    ("facts", "Facts"),
    ("touches", "Touches"),
    ("tickets", "Tickets"),
    ("ctas", "CTAs"),
    ("other", "Other"),
)
OF_KIND: dict[str, str] = {
    **dict.fromkeys((*TOUCH_KINDS, ActivityKind.NOTE), "touches"),
    ActivityKind.TICKET: "tickets",
    ActivityKind.CTA: "ctas",
}
# What the audit log and the score say already.
TOLD_ELSEWHERE = (ActivityKind.CONTRACT, ActivityKind.PEOPLE, ActivityKind.HEALTH)


class News(NamedTuple):
    """One change."""

    at: datetime
    what: str
    detail: str
    by: str


class ScoreNews(NamedTuple):
    """The score then and now, with the reasons where one version made both."""

    before: HealthScore | None
    after: AccountHealth
    band_before: str
    band_after: str
    moved: Decimal | None
    words: list[str]


class Group(NamedTuple):
    """The news of one kind, newest first: the first few, and how many there are."""

    label: str
    lines: list[News]
    total: int


@dataclass(frozen=True, slots=True)
class Since:
    """Everything new; ``score`` is None where it did not move."""

    since: datetime
    score: ScoreNews | None
    groups: list[Group]

    @property
    def is_news(self) -> bool:
        return self.score is not None or bool(self.groups)

    @property
    def words(self) -> str:
        """In one line: ``score −4.2, Touches 2, Tickets 1``."""
        parts = []
        if self.score is not None and self.score.moved is not None:
            parts.append(f"score {formats.signed(round(self.score.moved, 1), 1)}")
        elif self.score is not None:
            parts.append("a score")
        parts += [f"{group.label} {group.total}" for group in self.groups]
        return ", ".join(parts)


def last_look(user: User, account: Account, at: datetime) -> datetime | None:
    """When ``user`` looked at the account before this visit; None on the first. One query."""
    visit = AccountVisit.objects.filter(user=user, account=account).first()
    return visit.since(at) if visit else None


def changed_since(user: User, account: Account, since: datetime) -> Since:
    """What is new to ``user``, who looked last at ``since``. Four queries, whatever happened."""
    news: dict[str, list[News]] = {}
    for key, line in [*_record(user, account, since), *_timeline(user, account, since)]:
        news.setdefault(key, []).append(line)
    groups = []
    for key, label in GROUPS:
        lines = sorted(news.get(key, []), key=lambda line: line.at, reverse=True)
        if lines:
            groups.append(Group(label, lines[:MOST], len(lines)))
    return Since(since, _score(account, since), groups)


def _score(account: Account, since: datetime) -> ScoreNews | None:
    """The score that stood then and the one of now, if they differ. Two queries."""
    after = AccountHealth.objects.select_related("version__scorecard").filter(account=account).first()
    if after is None or after.computed_at <= since:
        return None
    rows = HealthScore.objects.filter(account=account, computed_at__lte=since).order_by("-computed_on")
    before = rows.select_related("version__scorecard").first()
    if before is not None and (before.score, before.band) == (after.score, after.band):
        return None
    both = before is not None and before.score is not None and after.score is not None
    change = change_between(before, after) if both and before is not None else None
    moved = after.score - before.score if both else None  # type: ignore[operator, union-attr]
    names = _band(before) if before is not None else ""
    return ScoreNews(before, after, names, _band(after), moved, change.words if change else [])


def _band(row: Any) -> str:
    bands = compiled(row.version).card.bands
    return next((band.name for band in bands if band.key == row.band), "Not enough data")


def _record(user: User, account: Account, since: datetime) -> Iterator[tuple[str, News]]:
    """What others changed on the record. One query."""
    rows = AuditEntry.objects.filter(account_id=account.pk, at__gt=since, object_type__in=OF_RECORD)
    entries = rows.exclude(actor=user.pk).order_by("-at", "-pk")[:MOST_READ]
    for entry in entries:
        told = _TELL[entry.object_type](entry)
        if told is not None:
            key, what, detail = told
            yield key, News(entry.at, what, detail, entry.actor_label)


def _of_account(entry: AuditEntry) -> tuple[str, str, str] | None:
    before, after = entry.before or {}, entry.after or {}
    names = [label for name, label in FACTS.items() if name in before and name in after]
    own = _own(before, after)
    if not names and not own:
        return None
    what = " and ".join([*names, *(label for label, _moved in own)])
    return "facts", f"{what} changed", "; ".join(moved for _own_label, moved in own)


def _own(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    """(label, what it held → what it holds) of own fields: edited by themselves, or all of them written at once."""
    pairs = {name.removeprefix(PREFIX): (before[name], after.get(name)) for name in before if name.startswith(PREFIX)}
    old, new = before.get("custom"), after.get("custom")
    if isinstance(old, dict) and isinstance(new, dict):
        pairs |= {key: (old.get(key), new.get(key)) for key in {*old, *new} if not same(old.get(key), new.get(key))}
    if not pairs:
        return []
    fields = {key: field for key, field in live_fields().items() if key in pairs}
    return [(field.label, " → ".join(_said(field, value) for value in pairs[key])) for key, field in fields.items()]


def _said(field: FieldDefinition, value: Any) -> str:
    found = held(field, {field.key: value})
    return (in_words(found.value) if found.fits else as_text(found.value)) or formats.DASH


def _of_contract(entry: AuditEntry) -> tuple[str, str, str] | None:
    before, after = entry.before or {}, entry.after or {}
    verb = entry.action.removeprefix("contract.")
    if verb == "updated":
        terms = [
            f"{word} {_term(name, before[name])} → {_term(name, after[name])}"
            for name, word in TERMS.items()
            if name in before and name in after
        ]
        return "money", f"Contract {entry.object_label} was changed", "; ".join(terms)
    words = {"created": "was added", "churned": "was lost", "deleted": "was deleted"}
    if verb not in words:
        return None
    amount = formats.money(Decimal(after.get("arr") or 0), after.get("currency") or "").strip()
    worth = f"{amount} ARR" if after.get("arr") else ""
    return "money", f"Contract {entry.object_label} {words[verb]}", worth


def _term(name: str, value: Any) -> str:
    """What a contract said, as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, ""):
        return formats.DASH
    if name == "arr":
        return formats.number(Decimal(value))
    return formats.day(date.fromisoformat(value)) if name.endswith("_on") else _label(ContractStatus, value)


def _of_contact(entry: AuditEntry) -> tuple[str, str, str] | None:
    before, after = entry.before or {}, entry.after or {}
    name = entry.object_label
    if entry.action == "contact.created":
        return "people", f"{name} was added", _label(StakeholderRole, after.get("stakeholder_role"))
    if entry.action == "contact.deleted":
        return "people", f"{name} was deleted", ""
    if after.get("left_on"):
        return "people", f"{name} left", formats.day(date.fromisoformat(after["left_on"]))
    moved = [
        f"{_label(choices, before[field])} → {_label(choices, after[field])}"
        for field, choices in PARTS.items()
        if field in before and field in after
    ]
    return ("people", f"{name} was changed", "; ".join(moved)) if moved else None


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else ""


_TELL = {"account": _of_account, "contract": _of_contract, "contact": _of_contact}


def _timeline(user: User, account: Account, since: datetime) -> Iterator[tuple[str, News]]:
    """Entries of others that happened since, or reached us since. One query."""
    rows = Activity.objects.visible_to(user).filter(_new(since), account=account).exclude(kind__in=TOLD_ELSEWHERE)
    rows = rows.exclude(actor=user.pk).select_related("actor").order_by("-at", "-pk")[:MOST_READ]
    for entry in rows:
        yield OF_KIND.get(entry.kind, "other"), News(entry.at, entry.title, "", str(entry.actor or entry.source))


def _new(since: Any) -> Q:
    return Q(recorded_at=None, at__gt=since) | Q(recorded_at__gt=since)


def changed_since_looked(user: User) -> Q:
    """Accounts on which something happened after ``user`` last looked at them; those never looked at are not among."""
    seen = OuterRef("seen_at")
    of_account = OuterRef("account_id")
    audit = AuditEntry.objects.filter(account_id=of_account, at__gt=seen, object_type__in=OF_RECORD)
    news = Activity.objects.filter(_new(seen), account=of_account)
    bands = BandChange.objects.filter(account=of_account, changed_at__gt=seen)
    others = [Exists(rows.exclude(actor=user.pk)) for rows in (audit, news)]
    visits = AccountVisit.objects.filter(others[0] | others[1] | Exists(bands), user=user)
    return Q(pk__in=visits.values("account"))
