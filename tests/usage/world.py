"""What the usage tests are made of: accounts with names at a sender, events, and a slow reference."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from accounts.models import Account, ExternalId
from usage import intake
from usage.actions import drain, receive_metrics, store_events
from usage.models import AccountDay, AppUser, IngestReceipt

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TODAY = NOW.date()


def make_account(name="Contoso", *, external_id=None, source="crm", **fields):
    account = Account.objects.create(name=name, **fields)
    if external_id:
        ExternalId.objects.create(account=account, source=source, external_id=external_id)
    return account


def event(number=0, *, account="A-1", user="ada", name="login", at=NOW, **fields):
    return {"id": f"e{number}", "account": account, "user": user, "event": name, "at": at.isoformat(), **fields}


def post(events, *, source="crm", now=NOW, history=False):
    """Store a batch as the API does; returns the answer and the receipt."""
    body = json.dumps({"source": source, "events": events}).encode()
    received = store_events(intake.read_body(body, "events"), at=now, history=history)
    return received.as_json(), received.receipt


def post_metrics(metrics, *, source="crm", now=NOW, **options):
    body = json.dumps({"source": source, "metrics": metrics}).encode()
    received = receive_metrics(intake.read_body(body, "metrics"), at=now, **options)
    return received.as_json(), received.receipt


def settle(receipt, *, now=NOW):
    """Drain, then what the receipt says."""
    drain(at=now)
    return counts(receipt)


def counts(receipt):
    fresh = IngestReceipt.objects.get(pk=receipt.pk)
    return {
        "state": fresh.state,
        **{name: getattr(fresh, name) for name in ("received", "accepted", "duplicates", "parked", "rejected")},
    }


def days():
    """Every daily row as a plain dict, in key order."""
    return list(AccountDay.objects.order_by("account_id", "day", "word").values())


LOGINS = {"login", "logged_in", "log_in", "sign_in", "signed_in", "user_login"}
SESSIONS = {"session", "session_end", "session_ended"}


def reference_days(sent: Iterable[dict], accounts: dict[str, object], slots: dict[str, int], zone="UTC"):
    """The daily rows of events, one at a time in Python; the ordinals are taken from the database.

    Returns (account id, day) to a dict of sets and sums.
    """
    ordinals = {(row.account_id, row.external_id): row.ordinal for row in AppUser.objects.all()}
    seen, rows = set(), defaultdict(lambda: defaultdict(lambda: 0))
    for one in sent:
        at = dt.datetime.fromisoformat(one["at"])
        if (one["id"], at) in seen or one["account"] not in accounts:
            continue
        seen.add((one["id"], at))
        account = accounts[one["account"]]
        row = rows[account, at.astimezone(ZoneInfo(zone)).date()]
        normal = one["event"].lower().replace("-", "_").replace(" ", "_")
        feature = normal.split(".")[0]
        user = ordinals.get((account, one.get("user")))
        properties = one.get("properties") or {}
        quantity = one.get("quantity", 1)
        row["quantity"] += quantity
        slot = slots.get(feature)
        phone = properties.get("platform") in {"ios", "android", "mobile"} or feature in {"mobile", "mobile_app"}
        if normal in LOGINS:
            row["logins"] += quantity
        if normal in SESSIONS:
            row["sessions"] += quantity
            row["session_seconds"] += round(properties.get("minutes", 0) * 60) * quantity
        if normal in {"workflow.started", "workflow_started"}:
            row["workflows_started"] += quantity
        if slot:
            row["features"] |= 1 << (slot - 1)
        if user is None:
            continue
        bit = 1 << user
        row["act"] |= bit
        row["login"] |= bit if normal in LOGINS else 0
        row["mobile"] |= bit if phone else 0
        if slot:
            row[f"k{slot}"] |= bit
    return {key: {name: value for name, value in row.items() if value} for key, row in rows.items()}


BITMAPS = ("act", "login", "mobile", *(f"k{n}" for n in range(1, 9)))
SUMS = ("quantity", "logins", "sessions", "session_seconds", "workflows_started", "workflows_completed")


def stored_days():
    """The stored rows in the reference's shape: words joined to one bitmap of any length."""
    rows = defaultdict(lambda: defaultdict(lambda: 0))
    for stored in days():
        row = rows[stored["account_id"], stored["day"]]
        row["features"] |= stored["features"]
        for name in BITMAPS:
            row[name] |= (stored[name] & (2**64 - 1)) << (64 * stored["word"])
        for name in SUMS:
            row[name] += stored[name]
    return {key: {name: value for name, value in row.items() if value} for key, row in rows.items()}
