"""Accounts, contacts and contracts: their bulk upserts, by external id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from accounts.actions import upsert_accounts, upsert_contacts, upsert_contracts
from accounts.choices import FieldKind
from accounts.fields import Field
from accounts.queries.own_fields import live_fields
from accounts.record_fields import BULK_ACCOUNT, BULK_CONTACT, BULK_CONTRACT
from accounts.results import RowResult
from imports.mapping import TargetField
from imports.models import ImportJob
from imports.targets.base import Context, Settled, Shaped, Target
from imports.trail import in_words, watched

ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "accounts": {
        "external_id": ("account_id", "id", "customer_id", "crm_id"),
        "name": ("account_name", "account", "company", "company_name", "customer", "customer_name"),
        "owner": ("csm", "owner_email", "account_owner", "customer_success_manager"),
        "parent": ("parent_id", "parent_account"),
        "tier": ("tier_key", "support_tier"),
        "segment": ("plan", "plan_tier", "size"),
        "stage": ("lifecycle_stage", "lifecycle"),
        "country": ("country_code",),
        "website": ("domain", "url"),
        "arr": ("annual_recurring_revenue", "arr_amount", "acv"),
        "renewal_on": ("renewal_date", "renewal"),
        "customer_since_on": ("signup_date", "customer_since", "start_date", "created_date"),
        "assigned_users": ("users", "licensed_users"),
        "churned_on": ("churn_date",),
    },
    "contacts": {
        "external_id": ("contact_id", "id"),
        "account": ("account_id", "customer_id", "company_id"),
        "name": ("full_name", "contact_name", "contact"),
        "email": ("e-mail", "email_address", "mail"),
        "phone": ("telephone", "mobile"),
        "title": ("job_title", "position"),
        "stakeholder_role": ("role",),
        "left_on": ("left", "leave_date"),
    },
    "contracts": {
        "external_id": ("contract_id", "subscription_id", "id"),
        "account": ("account_id", "customer_id"),
        "number": ("contract_number",),
        "start_on": ("start_date", "start", "begin"),
        "end_on": ("end_date", "end", "expires"),
        "notice_days": ("notice", "notice_period_days"),
        "auto_renew": ("auto_renewal", "auto_renew_flag"),
        "arr": ("arr_amount", "amount", "annual_value", "acv"),
        "seats": ("licenses", "quantity"),
        "product": ("plan", "plan_tier", "product_name"),
        "billing": ("billing_frequency", "billing_period"),
    },
}
LABELS = {
    "external_id": "Id in the source",
    "timezone": "Time zone",
    "arr": "ARR",
    "renewal_on": "Renewal",
    "customer_since_on": "Customer since",
    "churned_on": "Churned",
    "scorecard_key": "Scorecard",
    "email": "E-mail address",
    "last_touch_at": "Last touch",
    "left_on": "Left",
    "start_on": "Start",
    "end_on": "Last day",
    "auto_renew": "Renews by itself",
}
Upsert = Callable[..., list[RowResult]]


def fields_of(kind: str, table: Mapping[str, Field], required: tuple[str, ...]) -> dict[str, TargetField]:
    """The fields a file can fill, from the record's own table."""
    return {
        name: TargetField(
            LABELS.get(name) or name.replace("_", " ").capitalize(),
            name in required,
            ALIASES[kind].get(name, ()),
            str(field.schema.get("format", "")).startswith("date"),
        )
        for name, field in table.items()
        if name not in {"custom", "lines"}
    }


class Records(Target):
    """Rows that an upsert of the accounts app takes."""

    kind: ClassVar[str]
    upsert: ClassVar[Upsert]

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        def upsert() -> list[RowResult]:
            return type(self).upsert(
                rows, source=context.source, actor=context.actor, at=context.at, dry_run=context.dry_run
            )

        return in_words(rows, upsert() if context.dry_run else watched(job, self.kind, rows, upsert))


class Accounts(Records):
    """Own fields that a file does not name, or leaves blank, stay as they are."""

    kind = "account"
    fields = fields_of("accounts", BULK_ACCOUNT, ("external_id", "name"))
    bags = ("custom",)
    upsert = upsert_accounts

    def all_fields(self) -> Mapping[str, TargetField]:
        """The record's fields, and own fields that are not archived. One look-up."""
        own = {
            field.name: TargetField(field.label, is_day=field.kind == FieldKind.DATE, bag=True)
            for field in live_fields().values()
        }
        return {**self.fields, **own}


class Contacts(Records):
    kind = "contact"
    fields = fields_of("contacts", BULK_CONTACT, ("external_id", "account", "name"))
    upsert = upsert_contacts


class Contracts(Records):
    kind = "contract"
    # Each batch brings its accounts up to date: fewer, larger ones do that less often.
    batch = 2500
    fields = fields_of("contracts", BULK_CONTRACT, ("external_id", "account", "start_on"))
    bags = ("custom",)
    upsert = upsert_contracts

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        # A blank amount says nothing: it is 0 for a new contract and leaves a known one alone.
        named = [{name: value for name, value in row.items() if name != "arr" or value} for row in rows]
        return super().settle(job, named, context)
