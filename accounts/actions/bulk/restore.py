"""Taking a bulk upsert back: what its rows were before, and giving them exactly that again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import JSONField, Model

from accounts.actions.activity import LOGGED_BY_HAND
from accounts.actions.changes import mark_changed
from accounts.actions.refresh import refresh_from_contracts
from accounts.audit import Change, plain, record_many
from accounts.models import Account, Activity, ChangedAccount, Contact, Contract, ContractLine, ExternalId

if TYPE_CHECKING:
    from accounts.models import User

State = dict[str, Any]
KINDS: Mapping[str, Any] = {"account": Account, "contact": Contact, "contract": Contract}
# What an upsert of contracts changes of their accounts.
FOLLOWS = ("currency", "arr", "seats", "renewal_on", "status", "churned_on")
# Columns of accounts that days and contracts move without anybody.
STAGE = ("stage_id", "stage_since_on")
OF_ITSELF = (*STAGE, "seats", "arr", "renewal_on", "churned_on")
_UNCOMPARED = frozenset({"id", "created_at", "updated_at"})
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """A row as it was ``before`` (None: it was created) and ``after`` an upsert, as ``states`` gives them."""

    key: UUID
    before: State | None
    after: State


def states(kind: str, keys: Collection[UUID]) -> dict[UUID, State]:
    """Every column of the rows ``keys`` as JSON, contracts with their lines. One query, two for contracts."""
    fields = [field for field in KINDS[kind]._meta.concrete_fields if field.name not in _UNCOMPARED]
    rows = KINDS[kind].objects.filter(pk__in=keys).values("pk", *(field.attname for field in fields))
    found = {
        row["pk"]: {
            field.attname: row[field.attname] if isinstance(field, JSONField) else plain(row[field.attname])
            for field in fields
        }
        for row in rows
    }
    if kind == "contract":
        for state in found.values():
            state["lines"] = []
        lines = ContractLine.objects.filter(contract__in=keys).order_by("pk")
        for line in lines.values("contract_id", "product", "seats", "arr"):
            found[line["contract_id"]]["lines"].append(
                plain({name: line[name] for name in ("product", "seats", "arr")})
            )
    return found


def known_keys(kind: str, source: str, external_ids: Collection[str]) -> list[UUID]:
    """Keys of the rows that ``source`` calls so. One query."""
    if kind == "account":
        named = ExternalId.objects.filter(source=source, external_id__in=external_ids)
        return list(named.values_list("account_id", flat=True))
    return list(KINDS[kind].objects.filter(source=source, external_id__in=external_ids).values_list("pk", flat=True))


@transaction.atomic
def restore_rows(
    kind: str, steps: Sequence[Step], *, source: str, followers: Sequence[Step] = (), actor: User | None, at: datetime
) -> dict[UUID, str]:
    """Give every row what it had before and remove those that were created. Returns why some were left, by key.

    A row that somebody changed since is left, and a created one that something hangs on; what the product made of it
    by itself goes with it, a trigger's CTA only while no person did anything with one of the account. ``followers`` are
    the accounts of contracts: they get back what followed from them. Versions count on. One audit entry a row.
    Two statements and a savepoint a changed row; some thirty for removing 1,000.
    """
    _check_references_at_once()
    changed = [step for step in steps if step.before is not None]
    made = [step for step in steps if step.before is None]
    refused: dict[UUID, str] = {}
    changes = [*_give_back(kind, changed, refused, at), *_remove(kind, made, refused, source)]
    accounts = {UUID(step.after["account_id"]) for step in steps if kind != "account"}
    accounts |= {step.key for step in changed if kind == "account"}
    if kind == "contract":
        held = {UUID(step.after["account_id"]) for step in steps if step.key in refused}
        changes += _give_back_what_followed([step for step in followers if step.key not in held], at)
        refresh_from_contracts(accounts, at=at, actor=actor)
    mark_changed(accounts, at=at)
    record_many(changes, actor=actor, at=at)
    return refused


def _check_references_at_once() -> None:
    """A row that points to something which is gone is refused by itself, not with the whole transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _give_back(kind: str, steps: Sequence[Step], refused: dict[UUID, str], at: datetime) -> Iterator[Change]:
    keys = [step.key for step in steps]
    rows = {row.pk: row for row in KINDS[kind].objects.select_for_update(of=("self",)).filter(pk__in=keys)}
    now = states(kind, keys)
    of_itself = set(OF_ITSELF) if kind == "account" else set()
    for step in steps:
        row = rows.get(step.key)
        if row is None:
            refused[step.key] = "It is gone."
        else:
            assert step.before is not None
            different = {name for name, value in step.before.items() if step.after[name] != value} - {"version"}
            if since := _changed_since(now[step.key], step.after, of_itself=of_itself - different):
                refused[step.key] = since
                continue
            if not _put(row, {name: step.before[name] for name in different}, at):
                refused[step.key] = "Something that it had before is gone or belongs to another one now."
                continue
            old, new = ({name: state[name] for name in different} for state in (step.after, step.before))
            yield Change(f"{kind}.updated", row, old, new)


def _changed_since(now: State, after: State, *, of_itself: Collection[str]) -> str:
    """Which columns are not any more what the upsert left; empty when all are. Columns ``of_itself`` do not count."""
    ignored = {"version", *of_itself}
    different = [name for name, value in after.items() if name not in ignored and now[name] != value]
    words = ", ".join(name.removesuffix("_id").replace("_", " ") for name in different)
    return f"Somebody changed it since: {words}." if words else ""


def _put(row: Any, values: State, at: datetime) -> bool:
    """Write ``values`` on the row; False when the database refuses them."""
    lines = values.get("lines")
    names = [name for name in values if name != "lines"]
    for name in names:
        field = next(field for field in row._meta.concrete_fields if field.attname == name)
        target = field.target_field if field.is_relation else field
        setattr(row, name, values[name] if isinstance(field, JSONField) else target.to_python(values[name]))
    row.version += 1
    row.updated_at = at
    try:
        with transaction.atomic():
            row.save(update_fields=[*names, "version", "updated_at"])
            if lines is not None:
                row.lines.all().delete()
                ContractLine.objects.bulk_create(ContractLine(contract=row, **line) for line in lines)
    except IntegrityError:
        return False
    return True


def _give_back_what_followed(steps: Sequence[Step], at: datetime) -> list[Change]:
    """The columns of accounts that followed from contracts, where they still are what followed."""
    keys = [step.key for step in steps]
    rows = {row.pk: row for row in Account.objects.select_for_update(of=("self",)).filter(pk__in=keys)}
    now = states("account", keys)
    changes = []
    for step in steps:
        before = step.before or {}
        names = [name for name in FOLLOWS if step.key in rows and before[name] != step.after[name]]
        if names and all(now[step.key][name] == step.after[name] for name in names):
            values = {name: before[name] for name in names}
            _put(rows[step.key], values, at)
            old = {name: step.after[name] for name in names}
            changes.append(Change("account.updated", rows[step.key], old, values))
    return changes


def _remove(kind: str, steps: Sequence[Step], refused: dict[UUID, str], source: str) -> list[Change]:
    keys = [step.key for step in steps]
    rows = {row.pk: row for row in KINDS[kind].objects.select_for_update(of=("self",)).filter(pk__in=keys)}
    now = states(kind, keys)
    for step in steps:
        if step.key not in rows:
            refused[step.key] = "It is gone."
        elif since := _changed_since(now[step.key], step.after, of_itself=STAGE if kind == "account" else ()):
            refused[step.key] = since
    going = {key for key in keys if key not in refused}
    while held := _hanging(kind, going, source):
        refused |= {key: f"Something hangs on it: {', '.join(sorted(what))}." for key, what in held.items()}
        going -= held.keys()
    changes = [Change(f"{kind}.removed", rows[step.key], before=step.after) for step in steps if step.key in going]
    if kind == "account":
        ChangedAccount.objects.filter(pk__in=going).delete()
    KINDS[kind].objects.filter(pk__in=going).delete()
    return changes


def _hanging(kind: str, keys: Collection[UUID], source: str) -> dict[UUID, set[str]]:
    """What keeps rows from being removed, in words, by key. A query for each kind of row that may point to them."""
    found: dict[UUID, set[str]] = {}
    if not keys:
        return found
    for model, name in _pointing_at(KINDS[kind]):
        rows: Any = model._base_manager.filter(**{f"{name}__in": keys})
        if model._meta.label in settings.FOLLOWS_AN_ACCOUNT_UNTOUCHED:
            rows = model._default_manager.filter(pk__in=rows.values("pk")).touched()
        if model is ExternalId:
            rows = rows.exclude(source=source)
        if model is Account:
            rows = rows.exclude(pk__in=keys)
        if model is Activity:  # what the product noted goes with what it was noted about
            rows = rows.filter(kind__in=LOGGED_BY_HAND)
        for key in rows.order_by().values_list(name, flat=True).distinct():
            found.setdefault(key, set()).add(str(model._meta.verbose_name_plural))
    return found


def _pointing_at(model: Any) -> Iterator[tuple[type[Model], str]]:
    """(model, field) of all that can hang on a row of ``model``, but what the product makes by itself."""
    ignored = {*settings.FOLLOWS_AN_ACCOUNT, "accounts.ContractLine"}
    for relation in model._meta.get_fields(include_hidden=True):
        points = relation.auto_created and not relation.concrete and not relation.many_to_many
        if points and relation.related_model._meta.label not in ignored:
            yield relation.related_model, relation.field.name
    if model is Account:
        for other in apps.get_models():
            plain_key = [f for f in other._meta.concrete_fields if f.name == "account_id" and not f.is_relation]
            if plain_key and other._meta.label not in ignored:
                yield other, "account_id"
