"""One field of many accounts set at once, and taken back.

Every account keeps the rules that ``update_account`` has; the number of statements does not depend on theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from accounts.actions.editable import Column, OwnValue, editable
from accounts.actions.ownership import check_may_own, enforce
from accounts.audit import Change, record, record_many
from accounts.capacity import OWNER_ROLE, judge
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Account, BulkEdit, BulkEditRow, Contract, User

if TYPE_CHECKING:
    from accounts.models.account import AccountQuerySet

MOST_AT_ONCE = 20_000
BATCH = 2000


class Refusal(NamedTuple):
    """An account that was left as it was, and why."""

    account_id: UUID
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Edited:
    """What a call did: the edit (None: nothing differed), how many accounts changed, and those it refused."""

    edit: BulkEdit | None
    changed: int
    refused: list[Refusal]


@transaction.atomic
def edit_accounts(
    accounts: AccountQuerySet,
    field: str,
    value: Any,
    *,
    actor: User,
    at: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Edited:
    """Set ``field`` of ``accounts`` (those that ``actor`` may change) to ``value``: a row, text, a day or None.

    ``field`` is a column of ``editable.FIELDS``, or ``custom.`` and the key of an own field, whose value is read by
    its kind.

    One audit entry an account, one ``BulkEdit`` that ``undo_edit`` takes back. An account that a rule keeps from
    it is refused with the reason and the others are changed. Eleven statements (per 2,000 accounts).
    Raises RuleViolated for a field that is not edited this way, an owner who may not own, more than 20,000;
    StaleVersion when an account that would change is not at ``expected_version`` any more.
    """
    slot = editable(field)
    if field == "owner" and value is not None:
        check_may_own(value)
    wanted = slot.wanted(value)
    differing = [row for row in _locked(accounts, actor) if not slot.is_same(slot.of(row), wanted)]
    for row in differing:
        if expected_version is not None and row.version != expected_version:
            raise StaleVersion(expected=expected_version, actual=row.version)
    allowed, refused = _sorted_out(differing, slot, value, wanted, actor=actor, reason=reason)
    if not allowed:
        return Edited(None, 0, refused)
    edit = BulkEdit.objects.create(
        actor=actor,
        at=at,
        field=field,
        value=slot.kept(wanted),
        label=slot.label(value, wanted),
        accounts=len(allowed),
    )
    kept = [
        BulkEditRow(edit=edit, account=row, before=slot.kept(slot.of(row)), base=row.version, version=row.version + 1)
        for row in allowed
    ]
    BulkEditRow.objects.bulk_create(kept, batch_size=BATCH)
    slot.write({row.pk: wanted for row in allowed}, at)
    after = {field: slot.told(wanted), "edit": edit.pk} | ({"remark": reason} if reason else {})
    changes = [Change("account.updated", row, {field: slot.told(slot.of(row))}, after) for row in allowed]
    record_many(changes, actor=actor, at=at)
    return Edited(edit, len(allowed), refused)


@transaction.atomic
def undo_edit(edit: BulkEdit, *, actor: User, at: datetime) -> Edited:
    """Give every account of ``edit`` back what it had before. Returns what was restored and what was not, and why.

    An account that anybody changed since is left alone. Nothing is restored twice; edits on top of each
    other are undone newest first. Eleven statements.
    Raises RuleViolated for an edit that was undone completely.
    """
    edit = BulkEdit.objects.select_for_update(of=("self",)).get(pk=edit.pk)
    kept = list(BulkEditRow.objects.filter(edit=edit, restored_at=None).order_by("account_id"))
    if edit.undone_at is not None or not kept:
        raise RuleViolated("edit.undone", "This was undone before.")
    current = {row.pk: row for row in _locked(Account.objects.filter(pk__in=[row.account_id for row in kept]), actor)}
    gone = editable(edit.field).missing({row.before for row in kept})
    restored, refused = [], []
    for row in kept:
        account = current.get(row.account_id)
        if account is None:
            refused.append(Refusal(row.account_id, "An account", "you may not change it any more"))
        elif account.version != row.version:
            refused.append(Refusal(account.pk, account.name, "somebody changed it since"))
        elif row.before in gone:
            refused.append(Refusal(account.pk, account.name, "what it had before is gone"))
        else:
            restored.append((row, account))
    if restored:
        _restore(edit, restored, actor=actor, at=at)
    return Edited(edit, len(restored), refused)


def _restore(edit: BulkEdit, pairs: Sequence[tuple[BulkEditRow, Account]], *, actor: User, at: datetime) -> None:
    slot = editable(edit.field)
    values = {account.pk: slot.revived(row.before) for row, account in pairs}
    slot.write(values, at)
    _hand_back([row.pk for row, _account in pairs])
    BulkEditRow.objects.filter(pk__in=[row.pk for row, _account in pairs]).update(restored_at=at)
    BulkEdit.objects.filter(pk=edit.pk).update(undone_at=at, undone_by=actor)
    changes = [
        Change("account.updated", account, {edit.field: slot.told(slot.of(account))},
               {edit.field: slot.told(values[account.pk]), "edit": edit.pk})
        for _row, account in pairs
    ]  # fmt: skip
    record_many(changes, actor=actor, at=at)
    record("edit.undone", edit, actor=actor, at=at, after={"accounts": len(pairs)})


def _hand_back(keys: Sequence[int]) -> None:
    """Let the edits below these be undone in turn: the accounts are again as those left them, at a later version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_bulkeditrow o SET version = r.version + 1 FROM accounts_bulkeditrow r"
            " WHERE r.id = ANY(%s) AND o.account_id = r.account_id AND o.version = r.base AND o.restored_at IS NULL",
            [list(keys)],
        )


def _locked(accounts: AccountQuerySet, actor: User) -> list[Account]:
    """Those of ``accounts`` that ``actor`` may change, locked in the order of their keys."""
    keys = accounts.filter(pk__in=Account.objects.editable_by(actor).values("pk")).order_by().values("pk")
    rows = Account.objects.select_for_update(of=("self",)).select_related("tier").filter(pk__in=keys).order_by("pk")
    found = list(rows[: MOST_AT_ONCE + 1])
    if len(found) > MOST_AT_ONCE:
        raise RuleViolated("too_many", f"At most {MOST_AT_ONCE:,} accounts at once. Narrow the list first.")
    return found


def _sorted_out(
    rows: Sequence[Account], slot: Column | OwnValue, value: Any, wanted: Any, *, actor: User, reason: str
) -> tuple[list[Account], list[Refusal]]:
    if slot.name == "renewal_on":
        contracted = set(Contract.objects.filter(account__in=rows).values_list("account_id", flat=True))
        text = "its renewal follows from its contracts"
        return _split(rows, {row.pk: text for row in rows if row.pk in contracted})
    if slot.name in {"owner", "tier"} and value is not None:
        return _split(rows, _over_capacity(rows, slot.name, value, actor=actor, reason=reason))
    return _split(rows, {row.pk: why for row in rows if (why := slot.too_much(row, wanted))})


def _split(rows: Iterable[Account], refusals: Mapping[UUID, str]) -> tuple[list[Account], list[Refusal]]:
    allowed = [row for row in rows if row.pk not in refusals]
    return allowed, [Refusal(row.pk, row.name, refusals[row.pk]) for row in rows if row.pk in refusals]


def _over_capacity(rows: Sequence[Account], field: str, value: Any, *, actor: User, reason: str) -> dict[UUID, str]:
    """Accounts whose owner would have more of a tier than its firm maximum (AMB-62), with the reason."""
    owners = {value.pk} if field == "owner" else {row.owner_id for row in rows if row.owner_id}
    # Two hand-overs at once would each see room for one more.
    people = {user.pk: user for user in User.objects.select_for_update(of=("self",)).filter(pk__in=owners)}
    moving = [row.pk for row in rows]
    have = Account.objects.live().filter(owner__in=owners).exclude(pk__in=moving).order_by().values("owner", "tier")
    counts = {(row["owner"], row["tier"]): row["n"] for row in have.annotate(n=Count("pk"))}
    refused = {}
    for row in rows:
        owner = value if field == "owner" else people.get(row.owner_id)
        tier = value if field == "tier" else row.tier
        if owner is None or tier is None:
            continue
        number = counts.get((owner.pk, tier.pk), 0) + 1
        try:
            if tier.capacity:
                enforce(judge(tier.capacity, OWNER_ROLE, number), owner, tier, actor=actor, reason=reason)
        except RuleViolated as broken:
            refused[row.pk] = str(broken)
        else:
            counts[owner.pk, tier.pk] = number
    return refused
