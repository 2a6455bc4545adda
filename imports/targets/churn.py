"""Churn and returns as facts on the timeline; the account follows where no contract says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.choices import ActivityKind
from accounts.fields import Unreadable, read_day, read_number
from imports.mapping import TargetField
from imports.models import ImportJob
from imports.targets.base import Context, Settled, Shaped, Target, reject, settle_activities


class Churn(Target):
    """A row with ``returned`` says that the customer came back that day; any other that they left."""

    lasting = (
        "Churn and returns are facts in the timeline, which is only added to. Record the return, "
        "or import the right day."
    )
    fields = {
        "external_id": TargetField("Event id", True, ("churn_event_id", "id")),
        "account": TargetField("Account", True, ("account_id", "customer_id")),
        "on": TargetField("Day", True, ("churn_date", "date", "churned_on"), is_day=True),
        "reason": TargetField("Reason", False, ("reason_code", "churn_reason")),
        "comment": TargetField("Comment", False, ("feedback", "feedback_text", "note")),
        "refund": TargetField("Refund", False, ("refund_amount", "refund_amount_usd")),
        "returned": TargetField("Came back", False, ("is_reactivation", "reactivated")),
    }

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        return settle_activities([_entry(row) for row in rows], context)


def _entry(row: Shaped) -> dict[str, Any] | Settled:
    returned = row.get("returned", "").lower() in {"true", "yes", "1", "y"}
    reason = row.get("reason", "")
    data: dict[str, Any] = {"fact": "return" if returned else "churn", "reason": reason}
    try:
        name = "on"
        data["on"] = read_day(row.get("on", "")).isoformat()
        name = "refund"
        if row.get("refund"):
            data["refund"] = format(read_number(row["refund"]), "f")
    except Unreadable as wrong:
        return reject(name, wrong.rule, wrong.message)
    return {
        "external_id": row.get("external_id", ""),
        "account": row.get("account", ""),
        "kind": ActivityKind.CONTRACT.value,
        "title": "Came back" if returned else f"Churned: {reason or 'no reason given'}"[:200],
        "body": row.get("comment", ""),
        "at": f"{data['on']}T00:00:00+00:00",
        "data": data,
    }
