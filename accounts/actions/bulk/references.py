"""Finding the rows that values such as a tier's key or an owner's address stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.fields import FieldError, identifier
from accounts.models import Account, ExternalId, LifecycleStage, Tier, User
from accounts.record_fields import REFERENCES

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN = {
    "tier": "There is no tier with this key.",
    "stage": "There is no lifecycle stage with this key.",
    "owner": "There is no colleague with this address.",
    "parent": "There is no such account.",
    "account": "There is no such account.",
}


class References:
    """Look-ups for the rows of one call, loaded together: a query for each kind that the rows name."""

    def __init__(self, *, source: str, actor: User | None) -> None:
        self.source = source
        self.actor = actor
        self.accounts: dict[str, Account] = {}
        self._found: dict[str, Mapping[str, Any]] = {}

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Load what ``rows`` refer to: one query each for tiers, stages and owners, two for accounts."""
        named: dict[str, set[str]] = {name: set() for name in REFERENCES}
        for row in rows:
            for name in REFERENCES & row.keys():
                if isinstance(row[name], str) and row[name]:
                    named[name].add(row[name])
        loaders: dict[str, Callable[[set[str]], Mapping[str, Any]]] = {
            "tier": lambda keys: {tier.key: tier for tier in Tier.objects.filter(key__in=keys)},
            "stage": lambda keys: {stage.key: stage for stage in LifecycleStage.objects.filter(key__in=keys)},
            "owner": _users,
        }
        for name, load in loaders.items():
            self._found[name] = load(named[name]) if named[name] else {}
        self.accounts = self.accounts_called(named["parent"] | named["account"])
        self._found["parent"] = self._found["account"] = self.accounts

    def accounts_called(self, names: set[str]) -> dict[str, Account]:
        """Visible accounts by the id or external id that was used for them. Two queries at most."""
        if not names:
            return {}
        visible = Account.objects.all() if self.actor is None else Account.objects.visible_to(self.actor)
        called = ExternalId.objects.filter(source=self.source, external_id__in=names, account__in=visible)
        found = {name.external_id: name.account for name in called.select_related("account__tier")}
        keys: dict[UUID, str] = {}
        for name in names - found.keys():
            key = identifier(name)
            if key is not None:
                keys[key] = name
        if keys:
            rows = visible.filter(pk__in=keys).select_related("tier")
            found |= {keys[account.pk]: account for account in rows}
        return found

    def resolve(self, values: dict[str, Any]) -> list[FieldError]:
        """Replace references in ``values`` by their rows; returns what could not be found. No query."""
        errors = []
        for name in REFERENCES & values.keys():
            raw = values[name]
            if not isinstance(raw, str):
                continue
            if not raw:
                values[name] = None
                continue
            key = raw.lower() if name == "owner" else raw
            row = self._found[name].get(key)
            if row is None:
                errors.append(FieldError(name, "unknown", _UNKNOWN[name]))
            else:
                values[name] = row
        return errors


def _users(names: set[str]) -> dict[str, User]:
    """Colleagues by lower-case address or by id."""
    lowered = {name.lower() for name in names}
    keys = [key for key in map(identifier, lowered) if key is not None]
    rows = User.objects.staff()
    rows = rows.filter(email__in=lowered) | rows.filter(pk__in=keys)
    return {name: user for user in rows for name in (user.email.lower(), str(user.pk))}
