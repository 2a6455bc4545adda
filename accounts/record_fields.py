"""The fields of an account, a contact, a contract and a timeline entry, as ``accounts.fields`` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from accounts.choices import (
    AccountStatus,
    ActivityKind,
    ContractStatus,
    Influence,
    Sentiment,
    StakeholderRole,
    Visibility,
)
from accounts.fields import (
    MAX_LINES,
    Field,
    Unreadable,
    choice,
    day,
    json_object,
    matching,
    moment,
    money,
    read_row,
    text,
    whole,
    yes_no,
    zone,
)

SEATS = 2_000_000_000
COUNTRY = matching("[A-Z]{2}", "country", "Two letters of ISO 3166, such as DE.", upper=True)
CURRENCY = matching("[A-Z]{3}", "currency", "Three letters of ISO 4217, such as EUR.", upper=True)
EMAIL = matching(
    r"[^@\s,;<>\"']{1,120}@[^@\s,;<>\"']{1,120}\.[^@\s,;<>\"'.]{2,}", "email", "This is not an e-mail address."
)
WEBSITE = matching(
    r"(?i:https?://)?[^\s<>\"':/?#@]+(?::\d{1,5})?(?:[/?#][^\s<>\"']*)?", "website", "This is not a web address.",
    limit=200,
)  # fmt: skip

# Fields of a row that stand for another row, resolved by whoever writes: tier and stage by key, owner by
# address, parent and account by external id or id.
REFERENCES = frozenset({"tier", "stage", "owner", "parent", "account"})
# What follows from contracts as soon as an account has one.
DERIVED = frozenset({"arr", "seats", "renewal_on"})

ACCOUNT: dict[str, Field] = {
    "name": text(200, required=True),
    "status": choice(AccountStatus.values),
    "tier": text(60, help="Key of a tier"),
    "segment": text(60),
    "stage": text(60, help="Key of a lifecycle stage"),
    "owner": text(254, help="E-mail address or id of a colleague"),
    "parent": text(120, help="Id or external id of the account above"),
    "industry": text(80),
    "country": COUNTRY,
    "website": WEBSITE,
    "timezone": zone(),
    "currency": replace(CURRENCY, empty=None),
    "arr": money(help="Yearly revenue; follows from contracts as soon as there is one"),
    "seats": whole(0, SEATS, nullable=True, help="Follows from contracts as soon as there is one"),
    "renewal_on": day(help="Follows from contracts as soon as there is one"),
    "assigned_users": whole(0, SEATS, nullable=True, help="People given access; the base of usage shares"),
    "customer_since_on": day(),
    "churned_on": day(),
    "scorecard_key": text(60),
    "custom": json_object(help="The workspace's own fields"),
}
CONTACT: dict[str, Field] = {
    "name": text(160, required=True),
    "email": EMAIL,
    "phone": text(40),
    "title": text(120),
    "stakeholder_role": choice(StakeholderRole.values, empty=StakeholderRole.OTHER),
    "sentiment": choice([value for value in Sentiment.values if value], empty=""),
    "influence": choice([value for value in Influence.values if value], empty=""),
    "last_touch_at": moment(),
    "left_on": day(help="Day they left the customer"),
}
LINE: dict[str, Field] = {
    "product": text(120, required=True),
    "seats": whole(0, SEATS, nullable=True),
    "arr": money(required=True),
}


def _lines() -> Field:
    def read(raw: Any) -> list[dict[str, Any]]:
        if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MAX_LINES:
            raise Unreadable("lines", f"This must be a list of at most {MAX_LINES} lines.")
        lines = []
        for number, item in enumerate(raw):
            reading = read_row(LINE, item)
            if reading.errors:
                wrong = reading.errors[0]
                raise Unreadable(wrong.rule, f"Line {number}, {wrong.field or 'line'}: {wrong.message}")
            lines.append(reading.values)
        return lines

    item = {
        "type": "object",
        "required": ["product", "arr"],
        "properties": {name: dict(known.schema) for name, known in LINE.items()},
    }
    return Field(read, {"type": "array", "maxItems": MAX_LINES, "items": item}, empty=[])


CONTRACT: dict[str, Field] = {
    "number": text(60),
    "status": choice(ContractStatus.values, empty=ContractStatus.ACTIVE),
    "start_on": day(required=True),
    "end_on": day(help="Last day; empty while open-ended"),
    "notice_days": whole(0, 3660, empty=0),
    "auto_renew": yes_no(),
    "currency": replace(CURRENCY, empty=None),
    "billing": text(20),
    "arr": money(help="Yearly revenue, for a contract without lines"),
    "seats": whole(0, SEATS, nullable=True, help="Seats of a contract sent without lines"),
    "product": text(120, help="Product of a contract sent without lines"),
    "lines": _lines(),
    "custom": json_object(),
}
MAX_ATTENDEES = 50


def _names() -> Field:
    def read(raw: Any) -> list[str]:
        listed = re.split(r"[,;\n]", raw) if isinstance(raw, str) else raw
        if not isinstance(listed, Sequence):
            raise Unreadable("type", "This must be a list of names.")
        one = text(120)
        names = [name for item in listed if (name := one.read(item))]
        if len(names) > MAX_ATTENDEES:
            raise Unreadable("too_many", f"At most {MAX_ATTENDEES} names.")
        return list(dict.fromkeys(names))

    schema = {"type": "array", "maxItems": MAX_ATTENDEES, "items": {"type": "string", "maxLength": 120}}
    return Field(read, schema, empty=[], help="Who took part; text is split at commas")


ACTIVITY: dict[str, Field] = {
    "kind": replace(choice(ActivityKind.values), required=True),
    "title": text(200, required=True),
    "body": text(20_000, lines=True),
    "at": moment(help="When it happened; now when left out"),
    "visibility": choice(Visibility.values, empty=Visibility.INTERNAL),
    "data": json_object(),
    "attendees": _names(),
    "next_step": text(200, help="What was agreed to happen then; it needs next_step_on or next_step_at"),
    "next_step_on": day(help="Day of the next step"),
    "next_step_at": moment(help="When the next step begins, if it is a meeting or a call"),
}
EXTERNAL_ID = text(120, required=True)
ACCOUNT_REFERENCE = replace(text(120, required=True), help="Id or external id of the account")


def with_external_id(fields: Mapping[str, Field]) -> dict[str, Field]:
    """``fields`` with the ``external_id`` that a bulk row is known by."""
    return {"external_id": EXTERNAL_ID, **fields}


BULK_ACCOUNT = with_external_id(ACCOUNT)
BULK_CONTACT = {**with_external_id(CONTACT), "account": ACCOUNT_REFERENCE}
BULK_CONTRACT = {**with_external_id(CONTRACT), "account": ACCOUNT_REFERENCE}
BULK_ACTIVITY = {**with_external_id(ACTIVITY), "account": ACCOUNT_REFERENCE}
