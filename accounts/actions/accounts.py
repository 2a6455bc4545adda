"""Verbs on accounts: create, update, archive, hand over, and the names other systems have for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.actions.changes import mark_changed
from accounts.actions.locking import differences, locked
from accounts.actions.own_fields import clean_custom
from accounts.actions.ownership import check_owner
from accounts.audit import record
from accounts.choices import AccountStatus
from accounts.errors import RuleViolated
from accounts.models import Account, Contract, ExternalId
from accounts.models.account import MAX_DEPTH
from accounts.queries.workspace import workspace_day
from accounts.quotas import check_account
from accounts.record_fields import ACCOUNT, DERIVED

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def create_account(
    *,
    actor: User | None,
    at: datetime,
    name: str,
    owner: User | None = None,
    external_ids: Mapping[str, str] | None = None,
    reason: str = "",
    **fields: Any,
) -> Account:
    """Create an account and return it. ``external_ids`` is {source: id}; ``fields`` are those of ``record_fields``.

    Raises RuleViolated naming the field: an empty name, an unknown field, an owner who may not own or is at
    the tier's maximum (CapacityExceeded, unless a leader gives ``reason``), an external id in use. QuotaReached
    when the workspace has as many accounts as it may.
    """
    _check_known(fields)
    if "custom" in fields:
        fields["custom"] = clean_custom(fields["custom"], {})
    check_account()
    account = Account(name=name.strip(), owner=owner, created_at=at, updated_at=at, **fields)
    _check(account, at=at)
    if account.stage_id is not None:
        account.stage_since_on = workspace_day(at)
    warning = check_owner(owner, account.tier, account=account, actor=actor, reason=reason) if owner else ""
    account.save(force_insert=True)
    for source, external_id in (external_ids or {}).items():
        _name_account(account, source, external_id)
    mark_changed([account.pk], at=at)
    after = {"name": account.name, **{key: value for key, value in fields.items() if value}}
    if owner:
        after |= {"owner": owner.pk, "remark": warning or reason}
    record("account.created", account, actor=actor, at=at, after=after)
    return account


@transaction.atomic
def update_account(
    account: Account, *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> Account:
    """Change fields of ``account`` and return it, its version counted up; unchanged when nothing differs.

    ``owner`` passes through the rules of ``assign_owner`` (``reason`` too); ``custom`` says what own fields shall hold,
    None for nothing, and leaves the others. Raises StaleVersion when somebody
    was faster than ``expected_version``, RuleViolated naming the field.
    """
    reason = changes.pop("reason", "")
    _check_known(changes, also={"owner"})
    account = locked(account, expected_version=expected_version)
    if "custom" in changes:
        changes["custom"] = clean_custom(changes["custom"], account.custom)
    before, after = differences(account, changes)
    if not after:
        return account
    for name in after:
        setattr(account, name, changes[name])
    _check(account, at=at, changed=set(after))
    if "stage" in after:
        account.stage_since_on = workspace_day(at) if account.stage_id is not None else None
    if "status" in after or "churned_on" in after:
        after["churned_on"] = account.churned_on
    if account.owner is not None and ({"owner", "tier"} & after.keys()):
        remark = check_owner(account.owner, account.tier, account=account, actor=actor, reason=reason)
        after["remark"] = remark or reason
    account.version += 1
    account.updated_at = at
    account.save()
    mark_changed([account.pk], at=at)
    record("account.updated", account, actor=actor, at=at, before=before, after=after)
    return account


def assign_owner(
    account: Account,
    owner: User | None,
    *,
    actor: User | None,
    at: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Account:
    """Hand ``account`` to ``owner`` (None: to nobody). Returns it.

    Raises CapacityExceeded when the tier's firm maximum would be passed and no leader gives a ``reason``
    (AMB-62); RuleViolated for somebody who cannot own accounts.
    """
    return update_account(account, actor=actor, at=at, expected_version=expected_version, owner=owner, reason=reason)


@transaction.atomic
def archive_account(
    account: Account, *, actor: User | None, at: datetime, expected_version: int | None = None
) -> Account:
    """Take ``account`` out of every list; its history stays. Returns it; archived before, it keeps its moment."""
    account = locked(account, expected_version=expected_version)
    if account.archived_at is not None:
        return account
    account.archived_at = account.updated_at = at
    account.version += 1
    account.save(update_fields=["archived_at", "updated_at", "version"])
    mark_changed([account.pk], at=at)
    record("account.archived", account, actor=actor, at=at)
    return account


@transaction.atomic
def restore_account(account: Account, *, actor: User | None, at: datetime) -> Account:
    """Bring an archived account back. Returns it. Raises QuotaReached when there is no place for it."""
    account = locked(account, expected_version=None)
    if account.archived_at is None:
        return account
    check_account()
    account.archived_at, account.updated_at = None, at
    account.version += 1
    account.save(update_fields=["archived_at", "updated_at", "version"])
    mark_changed([account.pk], at=at)
    record("account.restored", account, actor=actor, at=at)
    return account


@transaction.atomic
def set_external_id(account: Account, source: str, external_id: str, *, actor: User | None, at: datetime) -> ExternalId:
    """Say that ``source`` calls ``account`` by ``external_id``. Returns the name; the same again changes nothing.

    An account may have several names in one source. Raises RuleViolated when another account has this one.
    Usage parked under the name finds the account from then on.
    """
    present = ExternalId.objects.filter(account=account, source=source, external_id=external_id).first()
    if present is not None:
        return present
    name = _name_account(account, source, external_id)
    mark_changed([account.pk], at=at)
    record("account.named", account, actor=actor, at=at, after={"source": source, "external_id": external_id})
    return name


def _name_account(account: Account, source: str, external_id: str) -> ExternalId:
    if not source.strip() or not external_id.strip() or len(source) > 40 or len(external_id) > 120:
        raise RuleViolated(
            "account.external_id", "A source of up to 40 and an id of up to 120 characters.", "external_ids"
        )
    try:
        with transaction.atomic():
            return ExternalId.objects.create(account=account, source=source, external_id=external_id)
    except IntegrityError as error:
        text = f"Another account is called {external_id} in {source}."
        raise RuleViolated("account.external_id_taken", text, "external_ids") from error


def _check_known(fields: Mapping[str, Any], *, also: frozenset[str] | set[str] = frozenset()) -> None:
    unknown = sorted(set(fields) - ACCOUNT.keys() - set(also))
    if unknown:
        raise RuleViolated("unknown_field", "There is no such field.", unknown[0])


def _check(account: Account, *, at: datetime, changed: set[str] | None = None) -> None:
    if not account.name.strip():
        raise RuleViolated("required", "An account needs a name.", "name")
    if changed is None or "parent" in changed:
        check_parent(account.pk, account.parent_id)
    existing = changed is not None
    if existing and (changed & DERIVED or (changed & {"status", "currency"})):  # type: ignore[operator]
        check_follows_contracts(account, changed or set())
    if account.status == AccountStatus.CHURNED:
        account.churned_on = account.churned_on or workspace_day(at)
    elif changed is None or "status" in changed:
        account.churned_on = None
    elif account.churned_on is not None:
        raise RuleViolated("account.churned_on", "Only a churned account has a day of churn.", "churned_on")


def check_follows_contracts(account: Account, changed: set[str]) -> None:
    """Raise RuleViolated when ``changed`` names a field that the account's contracts decide. One query."""
    contracts = list(Contract.objects.filter(account=account.pk).values_list("currency", flat=True)[:1])
    if not contracts:
        return
    derived = sorted(changed & DERIVED)
    if derived:
        raise RuleViolated("account.follows_contracts", "This follows from the contracts; change them.", derived[0])
    if "currency" in changed and account.currency != contracts[0]:
        raise RuleViolated("account.follows_contracts", f"The contracts are in {contracts[0]}.", "currency")
    if "status" in changed and account.status != AccountStatus.ACTIVE and account.arr > 0:
        text = "Contracts are in force. End them, or mark them churned with their last day."
        raise RuleViolated("account.contracts_in_force", text, "status")


def check_parent(account_id: UUID, parent_id: UUID | None, parents: Mapping[UUID, UUID | None] | None = None) -> None:
    """Raise RuleViolated when ``parent_id`` is the account itself or lies below it.

    ``parents`` is {account: parent} where the caller has it; otherwise one query per level, 20 at most.
    """
    for _level in range(MAX_DEPTH):
        if parent_id is None:
            return
        if parent_id == account_id:
            raise RuleViolated("account.parent_cycle", "An account cannot stand above itself.", "parent")
        if parents is not None:
            parent_id = parents.get(parent_id)
        else:
            parent_id = Account.objects.filter(pk=parent_id).values_list("parent_id", flat=True).first()
    raise RuleViolated("account.parent_depth", f"At most {MAX_DEPTH} levels.", "parent")
