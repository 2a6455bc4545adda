"""Upserting contacts by the id another system has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from accounts.actions.bulk.engine import Upsert, save_all
from accounts.actions.bulk.scope import Scope
from accounts.actions.changes import mark_changed
from accounts.actions.contacts import note_leaving
from accounts.errors import RuleViolated
from accounts.models import Contact
from accounts.record_fields import BULK_CONTACT, CONTACT

COLUMNS = [*CONTACT, "account", "version", "updated_at"]


class UpsertContacts(Upsert[Contact]):
    kind = "contact"
    fields: ClassVar = BULK_CONTACT
    required: ClassVar = ("name", "account")

    def load(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Seven queries at most, whatever the number of rows."""
        ids = {row["external_id"] for row in rows if "external_id" in row}
        present = Contact.objects.filter(source=self.source, external_id__in=ids).select_related("account")
        self.known = {contact.external_id: contact for contact in present}
        self.references.load(rows)
        accounts = [contact.account for contact in present] + list(self.references.accounts.values())
        self._scope = Scope(self.actor, accounts)
        with_address = Contact.objects.filter(account__in={account.pk for account in accounts}).exclude(email="")
        self._addresses: dict[tuple[UUID, str], UUID] = {
            (account, email.lower()): pk for pk, account, email in with_address.values_list("pk", "account_id", "email")
        }
        self._left: list[Contact] = []

    def build(self, external_id: str, values: dict[str, Any]) -> Contact:
        return Contact(source=self.source, external_id=external_id, created_at=self.at, updated_at=self.at, **values)

    def may_change(self, row: Contact, values: Mapping[str, Any]) -> None:
        self._scope.require(row.account_id)

    def assign(self, row: Contact, values: Mapping[str, Any]) -> None:
        super().assign(row, values)
        if row.pk not in self.new and row.pk not in self.updated:
            row.version += 1
        row.updated_at = self.at

    def check(self, row: Contact, *, before: Mapping[str, Any] | None) -> None:
        self._scope.require(row.account_id)
        row.email = row.email.lower()
        if row.email:
            holder = self._addresses.setdefault((row.account_id, row.email), row.pk)
            if holder != row.pk:
                raise RuleViolated("contact.email_taken", "Another contact has this address.", "email")
        if before is not None and "left_on" in before and row.left_on is not None:
            self._left.append(row)

    def write(self) -> None:
        save_all(self.created, created=True)
        save_all(list(self.updated.values()), created=False, update_fields=COLUMNS)
        for contact in self._left:
            note_leaving(contact, actor=self.actor, at=self.at)
        mark_changed([row.account_id for row in [*self.created, *self.updated.values()]], at=self.at)
