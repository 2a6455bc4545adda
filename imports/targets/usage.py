"""Usage events and metric values, handed to usage as an integration would hand them over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.errors import QuotaReached
from accounts.fields import FieldError, Unreadable, read_moment
from accounts.models import Contract
from accounts.results import Outcome
from imports.mapping import TargetField
from imports.models import ImportJob
from imports.targets.base import Context, Settled, Shaped, Target, reject
from usage import intake
from usage.actions import drain, receive_events, record_observations
from usage.models import IngestReceipt


class Events(Target):
    """Each row an event. They are stored with the batch and counted by usage's own drain afterwards."""

    lasting = (
        "Events are counted once by their id into daily figures that scores, receipts and "
        "backtests have read; they cannot be counted back. Correct an account's use with metric values."
    )
    fields = {
        "id": TargetField("Event id", True, ("event_id", "usage_id", "uuid")),
        "account": TargetField("Account", True, ("account_id", "customer_id", "company_id")),
        "user": TargetField("User", False, ("user_id", "user_email")),
        "event": TargetField("Event", True, ("event_name", "feature", "feature_name", "action")),
        "at": TargetField("Moment", True, ("timestamp", "date", "usage_date", "occurred_at"), is_day=True),
        "quantity": TargetField("Quantity", False, ("count", "usage_count")),
    }
    bags = ("properties",)
    batch = 5000

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        settled: list[Settled | None] = [None] * len(rows)
        events, places = [], []
        contracts = self._contracts(job, rows)
        for place, row in enumerate(rows):
            event = self._event(row, contracts)
            if isinstance(event, Settled):
                settled[place] = event
            else:
                events.append(event)
                places.append(place)
        refused = self._hand_over(job, events, context)
        for index, place in enumerate(places):
            settled[place] = refused.get(index) or Settled(Outcome.CREATED)
        return [one for one in settled if one is not None]

    def advance(self, job: ImportJob, context: Context) -> None:
        """Have usage count what was stored, should nobody else be at it."""
        drain(at=context.at)

    def finish(self, job: ImportJob) -> bool:
        """Move the rows that usage knew already from created to duplicates, once all are counted."""
        receipts = IngestReceipt.objects.filter(pk__in=job.receipts)
        if receipts.filter(done_at=None).exists():
            return False
        known = sum(receipt.duplicates for receipt in receipts)
        known = min(known, job.created)
        job.created -= known
        job.duplicates += known
        job.receipts = []
        return True

    @staticmethod
    def _contracts(job: ImportJob, rows: Sequence[Shaped]) -> dict[str, str] | None:
        """Account keys by the contract ids in the account column; None when it holds accounts. One query."""
        if job.mapping.get("account", {}).get("through") != "contract":
            return None
        named = {row.get("account", "") for row in rows}
        found = Contract.objects.filter(source=job.source, external_id__in=named)
        return {name: str(account) for name, account in found.values_list("external_id", "account_id")}

    @staticmethod
    def _event(row: Shaped, contracts: dict[str, str] | None) -> dict[str, Any] | Settled:
        event = dict(row)
        if contracts is not None:
            account = contracts.get(row.get("account", ""))
            if account is None:
                return reject("account", "unknown_contract", "There is no contract with this id.")
            event["account"] = account
        try:
            event["at"] = read_moment(row.get("at", "")).isoformat()
        except Unreadable as wrong:
            return reject("at", wrong.rule, wrong.message)
        if minutes := row.get("properties", {}).get("minutes"):
            event["properties"] = {**row["properties"], "minutes": _as_number(minutes)}
        return event

    @staticmethod
    def _hand_over(job: ImportJob, events: list[dict[str, Any]], context: Context) -> dict[int, Settled]:
        if not events:
            return {}
        if context.dry_run:
            rejected = intake.read_rows(events, "events", source=context.source).rejected
        else:
            try:
                received = receive_events(events, source=context.source, at=context.at, history=True)
            except QuotaReached as reached:
                # Nothing of this part was kept: its rows are in the file of errors and can come again tomorrow.
                return dict.fromkeys(range(len(events)), reject("", reached.rule, str(reached)))
            rejected = received.rejected
            job.receipts = [*job.receipts, str(received.receipt.pk)]
        return {
            one.index: Settled(Outcome.REJECTED, (FieldError(one.field, one.code, one.detail),)) for one in rejected
        }


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


class Metrics(Target):
    """Each row a value of a metric, or, without a metric column, one value for each further column."""

    lasting = (
        "A metric value is an observation with its day and source, and scores and receipts have "
        "read it. Import the right value for the same day: it holds from then on."
    )
    fields = {
        "account": TargetField("Account", True, ("account_id", "customer_id")),
        "on": TargetField("Day", True, ("date", "day", "as_of"), is_day=True),
        "metric": TargetField("Metric", False, ("metric_key", "kpi")),
        "value": TargetField("Value", False, ("amount", "score")),
    }
    bags = ("metrics",)

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        values, owners = [], []
        for place, row in enumerate(rows):
            for metric, value in self._pairs(row):
                values.append({"account": row.get("account"), "on": row.get("on"), "metric": metric, "value": value})
                owners.append(place)
        if context.dry_run:
            rejected = intake.read_rows(values, "metrics", source=context.source).rejected
            known: set[int] = set()
        else:
            done = record_observations(values, source=context.source, at=context.at, actor=context.actor)
            rejected, known = done.rejected, set(done.duplicates)
        return self._answers(len(rows), owners, rejected, known)

    @staticmethod
    def _pairs(row: Shaped) -> list[tuple[str, str]]:
        wide = list(row.get("metrics", {}).items())
        return wide or [(row.get("metric", ""), row.get("value", ""))]

    @staticmethod
    def _answers(count: int, owners: list[int], rejected: list[intake.Rejection], known: set[int]) -> list[Settled]:
        """A row with a refused value is rejected, naming each; its good values are kept all the same."""
        errors: dict[int, list[FieldError]] = {}
        for one in rejected:
            errors.setdefault(owners[one.index], []).append(FieldError(one.field, one.code, one.detail))
        new = {owner for index, owner in enumerate(owners) if index not in known}
        return [
            Settled(Outcome.REJECTED, tuple(errors[place]))
            if place in errors
            else Settled(Outcome.CREATED if place in new else Outcome.UNCHANGED)
            for place in range(count)
        ]
