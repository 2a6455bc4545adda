"""Renewals ahead with both signals, as one person sees them; what a checkpoint is made of; who was right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value

from accounts.choices import ContractStatus
from accounts.models import Account, Contract
from accounts.models.stand_ins import worked_by
from accounts.queries.day import lines
from accounts.queries.stand_ins import lent
from health.backtest.outcomes import EARLY_DAYS, GRACE_DAYS, Term, outcomes_of
from health.backtest.outcomes import Account as Standing
from health.book.filters import MINE, NOBODY
from health.choices import RenewalState
from health.models import AccountHealth, RenewalPlan, RenewalReview
from health.renewals import checkpoints_of, verdict_of, was_right
from playbooks.choices import CtaKind
from playbooks.queries import open_ctas

if TYPE_CHECKING:
    from accounts.models import User

# Of accounts and people their names: whole rows of them would be sorted along.
SHOWN = (
    "contract", "ends_on", "days_before", "is_latest", "signal", "reasons", "scored_on", "call_due_on", "call",
    "first_call", "call_reason", "called_at", "side", "side_reason", "decided_at", "outcome", "state", "account__name",
    "account__owner__name", "account__owner__email", "contract__number", "contract__arr", "contract__currency",
    "contract__auto_renew", "called_by__name", "called_by__email", "decided_by__name", "decided_by__email",
)  # fmt: skip
MOST_HISTORY = 60
PEOPLE = ("account__owner", "contract", "called_by", "decided_by")


@dataclass(frozen=True, slots=True)
class RenewalFilters:
    """What the reader asked for: whose (me, none or a key), tier, state, and the days on which terms end."""

    owner: str = ""
    tier: str = ""
    state: str = ""
    from_on: date | None = None
    until_on: date | None = None

    def applied(self, rows: QuerySet[Any], user: User) -> QuerySet[Any]:
        """``rows`` of RenewalReview narrowed to everything but the state."""
        if self.owner:
            whose = {MINE: user.pk, NOBODY: None}.get(self.owner, self.owner)
            rows = rows.filter(account__owner=whose)
        if self.tier:
            rows = rows.filter(account__tier=self.tier)
        if self.from_on:
            rows = rows.filter(ends_on__gte=self.from_on)
        if self.until_on:
            rows = rows.filter(ends_on__lte=self.until_on)
        return rows


class StateSum(NamedTuple):
    """How many renewals are in a state, and their ARR by currency."""

    number: int
    arr: dict[str, Decimal]


class Record(NamedTuple):
    """Of ``number`` renewals at a checkpoint the system's signal was right of ``system`` and the call of ``call``."""

    days_before: int
    number: int
    system: int
    call: int

    @property
    def verdict(self) -> str:
        return verdict_of(self.number, self.system, self.call)


class Known(NamedTuple):
    """What is known of one account on the day of a checkpoint."""

    health: AccountHealth | None
    risks: list[str]


def checkpoints_in_use() -> tuple[int, ...]:
    """Days before a renewal at which signals are taken, the earliest first. One query."""
    plans = dict(RenewalPlan.objects.values_list("pack", "checkpoints"))
    own = plans.pop("", ())
    return checkpoints_of(own, plans.values())


def not_renewed(rows: QuerySet[Any], *, contract: str = "") -> QuerySet[Any]:
    """``rows`` whose term no other contract of the account follows; ``contract`` is the path to it.

    A follower begins from 60 days before to 30 days after the last day, as outcomes are judged.
    """
    end = OuterRef(f"{contract}end_on")
    followers = Contract.objects.filter(
        Q(end_on=None) | Q(end_on__gt=end),
        account=OuterRef(f"{contract}account"),
        start_on__gt=OuterRef(f"{contract}start_on"),
        start_on__range=(end - timedelta(days=EARLY_DAYS), end + timedelta(days=GRACE_DAYS)),
    ).exclude(status=ContractStatus.DRAFT)
    return rows.exclude(Exists(followers))


def terms_ending(today: date, within: int) -> list[tuple[UUID, UUID, date]]:
    """(contract, account, last day) of every term that ends within ``within`` days and nothing follows. One query."""
    rows = Contract.objects.filter(
        status=ContractStatus.ACTIVE, start_on__lte=today, account__archived_at=None,
        end_on__range=(today, today + timedelta(days=within)),
    )  # fmt: skip
    return list(not_renewed(rows).order_by("end_on", "pk").values_list("pk", "account", "end_on"))


def days_of(accounts: Collection[UUID], today: date) -> dict[UUID, tuple[set[int], set[int]]]:
    """The days on which terms of each account were renewed and those on which it was lost, by its contracts.

    Two queries.
    """
    terms: dict[UUID, list[Term]] = {key: [] for key in accounts}
    signed = Contract.objects.filter(account__in=accounts).exclude(status=ContractStatus.DRAFT)
    for account, start, end, arr, status in signed.values_list("account", "start_on", "end_on", "arr", "status"):
        terms[account].append(Term(start.toordinal(), _ordinal(end), float(arr), status == ContractStatus.CHURNED))
    rows = Account.objects.filter(pk__in=accounts).values_list("pk", "customer_since_on", "churned_on")
    known = [(key, Standing(terms[key], _ordinal(since), _ordinal(left))) for key, since, left in rows]
    found = outcomes_of([standing for _key, standing in known], [], today=today.toordinal())
    days: dict[UUID, tuple[set[int], set[int]]] = {key: (set(), set()) for key, _standing in known}
    for place, on in found.renewals:
        days[known[place][0]][0].add(on)
    for loss in found.losses:
        days[known[loss.account][0]][1].add(loss.on)
    return days


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def track_record(user: User) -> list[Record]:
    """How often each side was right of the terms that are over, by checkpoint, the earliest first. One query.

    Only renewals on which both said something before either knew the other count.
    """
    rows: Any = RenewalReview.objects.visible_to(user).exclude(outcome="").exclude(first_call="").order_by()
    found: dict[int, Record] = {}
    grouped = rows.values_list("days_before", "signal", "first_call", "outcome").annotate(Count("pk"))
    for days, signal, call, outcome, number in grouped:
        system, person = was_right(signal, outcome), was_right(call, outcome)
        if system is None or person is None:
            continue
        known = found.get(days, Record(days, 0, 0, 0))
        found[days] = Record(days, known.number + number, known.system + number * system, known.call + number * person)
    return [found[days] for days in sorted(found, reverse=True)]


def history_of(account: Account) -> list[RenewalReview]:
    """Every checkpoint of an account's terms, the newest first, with who called and decided. One query."""
    rows = RenewalReview.objects.filter(account=account).select_related("contract", "called_by", "decided_by")
    return list(rows.order_by("-ends_on", "contract", "days_before")[:MOST_HISTORY])


def known_of(accounts: Iterable[UUID]) -> dict[UUID, Known]:
    """Scores as computed and titles of open CTAs for a risk, by account. Two queries."""
    wanted = set(accounts)
    found = {key: Known(None, []) for key in wanted}
    for row in AccountHealth.objects.filter(account__in=wanted).defer("values", "observed_at", "sources"):
        found[row.account_id] = Known(row, [])
    ctas = open_ctas().filter(account__in=wanted, kind=CtaKind.RISK).order_by("opened_at", "pk")
    for account, title in ctas.values_list("account", "title"):
        found[account].risks.append(title)
    return found


def renewals_ahead(user: User, asked: RenewalFilters, today: date) -> QuerySet[Any]:
    """Renewals ahead of accounts ``user`` may see, the nearest first, with account, owner and contract. One query."""
    rows = asked.applied(_ahead(user, today), user)
    if asked.state:
        rows = rows.filter(state=asked.state)
    return rows.select_related(*PEOPLE).only(*SHOWN).order_by("ends_on", "pk")


def state_sums(user: User, asked: RenewalFilters, today: date) -> dict[str, StateSum]:
    """Renewals ahead in each state, whatever state was asked for. One query."""
    rows = asked.applied(_ahead(user, today), user).order_by().values("state", currency=F("contract__currency"))
    found = {state.value: StateSum(0, {}) for state in RenewalState}
    for row in rows.annotate(n=Count("pk"), arr=Sum("contract__arr")).order_by("currency"):
        known = found[row["state"]]
        found[row["state"]] = StateSum(known.number + row["n"], {**known.arr, row["currency"]: row["arr"]})
    return found


def total_of(sums: Mapping[str, StateSum]) -> StateSum:
    """All states together."""
    arr: dict[str, Decimal] = {}
    for each in sums.values():
        for currency, amount in each.arr.items():
            arr[currency] = arr.get(currency, Decimal(0)) + amount
    return StateSum(sum(each.number for each in sums.values()), dict(sorted(arr.items())))


def day_calls(user: User, today: date) -> QuerySet[Any]:
    """Renewals whose call waits for ``user`` or whom they stand in for, as ``Line`` values."""
    rows = _ahead(user, today).filter(call="", account__owner__in=worked_by(user))
    fields = {"due_on": "call_due_on", "account": "account", "ref": "ends_on", "lent": lent(user, "account__owner")}
    return lines(rows, "call", "call_due_on", pk="pk", title=Value("Make the renewal call"), **fields)


def _ahead(user: User, today: date) -> QuerySet[Any]:
    rows: Any = RenewalReview.objects.visible_to(user)
    return not_renewed(rows.ahead(today), contract="contract__")
