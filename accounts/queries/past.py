"""An account, its contracts, its people and its team as of a past day.

Nothing is stored twice for it: the audit log undoes later edits, and what has days of its own (a contract's term, the
day somebody left) counts from them. ``AsOf.as_known`` leaves out what reached us after the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import CharField, Model, Sum, Value
from django.db.models.functions import Coalesce, NullIf

from accounts.choices import AccountStatus
from accounts.commercial import ChurnFact, Term, state_of
from accounts.history import AsOf, Record
from accounts.models import Account, Activity, Contact, Contract, ContractLine, LifecycleStage, Tier, User
from accounts.own_values import PREFIX

PLAIN = ("name", "segment", "industry", "country", "website", "currency", "assigned_users", "customer_since_on")
MONEY = ("arr", "seats", "renewal_on")
ROWS: dict[str, type[Model]] = {"tier": Tier, "stage": LifecycleStage, "owner": User, "parent": Account}
OF_CONTRACT = ("number", "status", "start_on", "end_on", "arr", "notice_days", "auto_renew", "billing", "currency")
OF_ENTRY = (
    "kind", "title", "body", "visibility", "attendees", "next_step", "next_step_on", "next_step_at",
    "next_step_done_at",
)  # fmt: skip
OF_CONTACT = ("name", "email", "phone", "title", "stakeholder_role", "sentiment", "influence")
_ABSENT = object()


class Past:
    """An account's past day with what its pages share: the record read backwards and the contracts of then."""

    def __init__(self, account: Account, asked: AsOf) -> None:
        self.asked, self.account = asked, account
        self.record = Record(account.pk, asked.day)
        signed = list(account.contracts.annotate(seats=Sum("lines__seats")).order_by("-start_on", "pk"))
        self.has_contracts = bool(signed)
        self.contracts = _contracts(signed, asked, self.record)

    @property
    def is_known(self) -> bool:
        """Whether the account was on record by the end of the day."""
        return self.account.created_at < self.asked.end

    @property
    def is_customer(self) -> bool:
        """Whether it was a customer already, as far as a first day is known."""
        since = self.account.customer_since_on
        return since is None or since <= self.asked.day

    def reword(self, entry: dict[str, Any]) -> None:
        """Give an entry of the timeline, as a row of values, the words of then. No query."""
        for name in OF_ENTRY:
            held = self.record.value(entry["pk"], name, self.asked.day, _ABSENT)
            if held is not _ABSENT:
                entry[name] = Activity._meta.get_field(name).to_python(held)  # type: ignore[union-attr]
        for name in ("edited_at", "next_step_done_at"):
            if entry[name] is not None and entry[name] >= self.asked.end:
                entry[name] = None

    def removed(self, kind: str) -> int:
        """How many contacts, contracts or entries were deleted since and are gone still: what they said is too."""
        verbs = self.record.of(f"{kind}.deleted", f"{kind}.restored")
        last = {entry["object_id"]: entry["action"] for entry in verbs}
        return sum(action == f"{kind}.deleted" for action in last.values())


def past_of(account: Account, asked: AsOf) -> Past:
    """Turn ``account``, which is never saved afterwards, into what it was. Two or three queries."""
    past = Past(account, asked)
    _set_plain(account, asked, past.record, PLAIN)
    _set_own(account, past.record)
    _set_rows(account, asked, past.record)
    _set_standing(account, asked, past.record)
    _set_money(account, past)
    return past


def _set_plain(row: Any, asked: AsOf, record: Record, names: Iterable[str]) -> None:
    for name in names:
        held = record.value(row.pk, name, asked.day, _ABSENT)
        if held is not _ABSENT:
            field = row._meta.get_field(name)
            setattr(row, name, field.to_python(held))


def _set_own(account: Account, record: Record) -> None:
    """What it held in own fields: the newest change is undone first, of one field or of all at once."""
    custom = dict(account.custom)
    for entry in reversed(record.entries):
        if entry["object_id"] != str(account.pk):
            continue
        before = entry["before"] or {}
        if isinstance(before.get("custom"), dict):
            custom = dict(before["custom"])
        for name, value in before.items():
            key = name.removeprefix(PREFIX)
            if name.startswith(PREFIX) and value is None:
                custom.pop(key, None)
            elif name.startswith(PREFIX):
                custom[key] = value
    account.custom = custom


def _set_rows(account: Account, asked: AsOf, record: Record) -> None:
    """The tier, stage, owner and parent of then, as they are called today."""
    held = {name: record.value(account.pk, name, asked.day, _ABSENT) for name in ROWS}
    names = _names({name: key for name, key in held.items() if key not in {_ABSENT, None}})
    for name, key in held.items():
        if key is _ABSENT:
            continue
        found = names.get(name)
        setattr(account, name, None if found is None else ROWS[name](pk=UUID(str(key)), name=found))
    entry = record.change(account.pk, "stage", asked.day)
    if entry is not None:
        account.stage_since_on = None


def _names(wanted: dict[str, Any]) -> dict[str, str]:
    """What these rows are called. One query for all of them, none for none."""
    parts = []
    for name, key in wanted.items():
        nameless = "email" if name == "owner" else Value("")
        shown = Coalesce(NullIf("name", Value("")), nameless, output_field=CharField())
        rows = ROWS[name]._default_manager.filter(pk=key).order_by()
        parts.append(rows.annotate(what=Value(name, CharField()), said=shown).values_list("what", "said"))
    if not parts:
        return {}
    return dict(parts[0].union(*parts[1:], all=True))


def _set_standing(account: Account, asked: AsOf, record: Record) -> None:
    """Status, churn and archive. A churn that was reported late counts from its own day, unless nobody knew of it."""
    held = record.value(account.pk, "status", asked.day, account.status)
    churned_on = account.churned_on
    if asked.as_known:
        since = record.value(account.pk, "churned_on", asked.day, churned_on)
        churned_on = _day(since) if held == AccountStatus.CHURNED else None
    elif churned_on is not None:
        held = AccountStatus.CHURNED if churned_on <= asked.day else AccountStatus.ACTIVE
    account.status = held
    account.churned_on = churned_on if held == AccountStatus.CHURNED else None
    moved = next(iter(record.of("account.archived", "account.restored")), None)
    was = moved["action"] == "account.restored" if moved else account.archived_at is not None
    account.archived_at = (account.archived_at or asked.end) if was else None


def _set_money(account: Account, past: Past) -> None:
    """ARR, seats and renewal follow from the contracts of then; an account without any has what was entered."""
    if not past.has_contracts:
        _set_plain(account, past.asked, past.record, MONEY)
        return
    terms = [Term(each.status, each.start_on, each.end_on, each.arr, each.seats) for each in past.contracts]
    facts = [ChurnFact(account.churned_on, returned=False)] if account.churned_on else []
    state = state_of(terms, facts, past.asked.day)
    account.arr, account.seats, account.renewal_on = state.arr, state.seats, state.renewal_on


def _contracts(signed: Iterable[Contract], asked: AsOf, record: Record) -> list[Contract]:
    """Those of ``signed`` that had begun, and those to come that were entered by then."""
    found = []
    for contract in signed:
        entered = contract.created_at < asked.end
        if entered or (not asked.as_known and contract.start_on <= asked.day):
            found.append(_contract_then(contract, asked, record))
    return found


def _contract_then(contract: Any, asked: AsOf, record: Record) -> Contract:
    ended = record.change(contract.pk, "end_on", asked.day)
    late = not asked.as_known and _is_churn_by(ended, asked.day)
    names = [name for name in OF_CONTRACT if not (late and name in {"status", "end_on"})]
    _set_plain(contract, asked, record, names)
    lines = record.value(contract.pk, "lines", asked.day, None)
    contract.lines_then = lines
    if lines is not None:
        contract.seats = sum(line.get("seats") or 0 for line in lines) or None
    return contract


def _is_churn_by(entry: dict[str, Any] | None, day: date) -> bool:
    """Whether an entry reports the end of a contract on ``day`` or before."""
    if entry is None or entry["action"] != "contract.churned":
        return False
    ended_on = _day((entry["after"] or {}).get("end_on"))
    return ended_on is not None and ended_on <= day


def lines_then(past: Past) -> list[Contract]:
    """The contracts of then, each with ``shown_lines``. One query."""
    now: dict[Any, list[ContractLine]] = {}
    rows = ContractLine.objects.filter(contract__in=[each.pk for each in past.contracts]).order_by("pk")
    for line in rows:
        now.setdefault(line.contract_id, []).append(line)
    for contract in past.contracts:
        kept = contract.lines_then
        contract.shown_lines = now.get(contract.pk, []) if kept is None else kept
    return past.contracts


def contacts_then(past: Past) -> list[Contact]:
    """The people on record by then, as they were recorded: by name. One query.

    Somebody entered later is left out: since when they were there is not kept. The last touch that was entered by
    hand has no history; touches come from the timeline.
    """
    asked, found = past.asked, []
    for contact in past.account.contacts.filter(created_at__lt=asked.end).order_by("name", "pk"):
        _set_plain(contact, asked, past.record, OF_CONTACT)
        left_on = contact.left_on
        if asked.as_known:
            left_on = _day(past.record.value(contact.pk, "left_on", asked.day, left_on))
        contact.left_on = left_on if left_on is not None and left_on <= asked.day else None
        contact.last_touch_at = None
        found.append(contact)
    return found


def team_then(past: Past) -> list[tuple[str, str]]:
    """(colleague, role) on the account's team by then, as they are called today, or by what the log kept. One query."""
    first: dict[tuple[str, str], str] = {}
    for entry in past.record.of("account.team_joined", "account.team_left"):
        facts = entry["after"] or entry["before"]
        first.setdefault((facts["user"], facts["role"]), entry["action"])
    team = past.account.team.select_related("user", "role").order_by("role__name", "user__name", "pk")
    now = {(each.user.email, each.role.key): (str(each.user), str(each.role)) for each in team}
    stayed = [shown for place, shown in now.items() if first.get(place) != "account.team_joined"]
    # Whoever's next move was to leave had been there.
    gone = [place for place, action in first.items() if action == "account.team_left" and place not in now]
    return stayed + gone


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
