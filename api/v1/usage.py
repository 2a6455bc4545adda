"""Usage in: events and metric values, the receipts of their batches, metric definitions, an account's figures."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.choices import LEADER_ROLES
from accounts.errors import QuotaReached
from accounts.models import Account
from api import describe
from api.describe import Operation, day, decimal, listed, moment, nullable, number, page_of, shape, text, uuid
from api.parsers import RawJSONParser
from api.plain import answer
from api.problems import Problem, error_at
from api.reading import bad_parameter, json_object, known_parameters
from api.resources import Column, Resource
from api.views import Endpoint
from tenants.quotas import seconds_to_next_day
from usage import intake, queries
from usage.actions import define_metric, receive_metrics, store_events
from usage.choices import Aggregation, MetricKind
from usage.models import IngestReceipt, MetricDefinition
from usage.tasks import nudge

REJECTED = shape(("index", "code", "detail"), index=number(), code=text(), detail=text(), field=text())
ANSWER = shape(receipt=uuid(), received=number(), rejected=listed(REJECTED))
EVENT = shape(
    ("id", "account", "event", "at"),
    id=text("Yours; with at and source it counts once", maxLength=200),
    account=text("Your name for the account, or our key", maxLength=120),
    user=nullable(text("Who did it, by your name for them", maxLength=200)),
    event=text("What was done; the part before the first dot is the feature", maxLength=80),
    at=moment("With an offset; within 13 months and at most a day ahead"),
    quantity=number("How many times", minimum=1, maximum=intake.MAX_QUANTITY, default=1),
    properties=describe.free("Up to 4 KB; platform (ios, android, mobile) and minutes (of a session) are read"),
)
OBSERVATION = shape(
    account=text("Your name for the account, or our key", maxLength=120),
    metric=text("A defined metric's key", maxLength=60),
    on=day("The day it is true of"),
    value=text("A number, as text or number; of a choice the option's key"),
)
SOURCE = text(
    "Who sends; the same id from two sources is two events", pattern="[a-z0-9][a-z0-9_.-]{0,39}", default="api"
)
KINDS_OF_REFUSAL = {"malformed": 400, "too-large": 413, "refused": 422}


class _BatchParser(RawJSONParser):
    """Bytes: the intake decodes and checks in one pass."""

    limit = intake.MAX_BYTES


def read_batch(request: Request, kind: str) -> intake.Batch[Any]:
    """The batch in the body. Raises Problem 415, 413, 400 or 422 when it cannot be read at all."""
    if not request.content_type:
        raise UnsupportedMediaType("", "Send the body as application/json.")
    try:
        return intake.read_body(b"" if request.stream is None else request.data, kind)
    except intake.Refused as refused:
        problem = next(name for name, status in KINDS_OF_REFUSAL.items() if status == refused.status)
        raise Problem(
            problem, refused.detail, errors=[error_at(refused.pointer, refused.code, refused.detail)]
        ) from refused


class UsageEvents(Endpoint):
    policy = {"POST": "usage.ingest"}
    parser_classes = [_BatchParser]
    describe = {
        "POST": Operation(
            "Send events",
            "Up to 5,000 a call. Stored before it is answered, counted within seconds, each once: the same id and "
            "at from the same source is one event for as long as events are kept (13 months), and older ones are "
            "refused. The same id with another at is another event. An unknown account's events wait for it.",
            body=shape(("events",), events=listed(EVENT, maxItems=intake.MAX_ITEMS), source=SOURCE),
            answers={202: ANSWER},
            errors=(400, 413, 415, 422),
            example={
                "events": [
                    {
                        "id": "8f14",
                        "account": "A-2e4581",
                        "user": "u-17",
                        "event": "login",
                        "at": "2026-11-01T09:30:00Z",
                    }
                ]
            },
        )
    }

    def post(self, request: Request) -> Response:
        now = timezone.now()
        try:
            received = store_events(read_batch(request, "events"), at=now)
        except QuotaReached as reached:
            wait = {"Retry-After": str(seconds_to_next_day(now))}
            errors = [error_at("/events", reached.rule, str(reached))]
            raise Problem("rate-limited", str(reached), errors=errors, headers=wait) from reached
        nudge()
        return answer(received.as_json(), status=202)


VALUES = Resource(
    columns={
        "id": Column("pk", uuid()),
        "account": Column("account_id", uuid()),
        "metric": Column("metric", text()),
        "on": Column("on", day()),
        "value": Column("value", text()),
        "source": Column("source", text()),
        "recorded_by": Column("recorded_by_id", nullable(uuid())),
        "recorded_at": Column("recorded_at", moment()),
        "superseded_at": Column("superseded_at", nullable(moment("When a later value replaced it"))),
    },
    orderings={"id": "pk", "on": "on", "recorded_at": "recorded_at"},
    default="-on",
)
VALUE_FILTERS = {
    "account": uuid("Of this account"),
    "metric": text("Of this metric"),
    "from": day("On this day or later"),
    "to": day("On this day or earlier"),
    "history": text("1: replaced values too", enum=["0", "1"], default="0"),
}


class UsageMetrics(Endpoint):
    """Metric values: read, and sent in."""

    policy = {"GET": "usage.view", "POST": "usage.write"}
    parser_classes = [_BatchParser]
    describe = {
        "GET": Operation("Metric values", query=VALUES.query(**VALUE_FILTERS), answers={200: page_of(VALUES.schema())}),
        "POST": Operation(
            "Send metric values",
            "Up to 5,000 a call. A later value for the same account, metric and day replaces the earlier one; both "
            "stay in the history. Unknown accounts' values wait for them.",
            body=shape(("metrics",), metrics=listed(OBSERVATION, maxItems=intake.MAX_ITEMS), source=SOURCE),
            answers={202: ANSWER},
            errors=(400, 413, 415, 422),
            example={
                "metrics": [{"account": "A-2e4581", "metric": "data_accuracy_pct", "on": "2026-11-01", "value": "92"}]
            },
        ),
    }

    def get(self, request: Request) -> Response:
        rows = queries.values_shown(self.user)
        return VALUES.page(request, _filtered(request, rows), list(VALUE_FILTERS))

    def post(self, request: Request) -> Response:
        batch = read_batch(request, "metrics")
        received = receive_metrics(batch, at=timezone.now(), actor=self.user, only_accounts=self._narrowing())
        return answer(received.as_json(), status=202)

    def _narrowing(self) -> Any:
        """Whoever leads may state anything, also of accounts still to come; others of accounts they may change."""
        if self.user.role in LEADER_ROLES:
            return None
        mine = Account.objects.editable_by(self.user)
        return lambda keys: set(mine.filter(pk__in=keys).values_list("pk", flat=True))


def _filtered(request: Request, rows: Any) -> Any:
    given = request.GET
    if given.get("history", "0") not in {"0", "1"}:
        raise bad_parameter("history", "0 or 1.")
    if given.get("history", "0") == "0":
        rows = rows.current()
    if account := given.get("account"):
        try:
            rows = rows.filter(account=UUID(account))
        except ValueError as error:
            raise bad_parameter("account", "an account's key.") from error
    if metric := given.get("metric"):
        rows = rows.filter(metric=metric)
    for name, lookup in (("from", "on__gte"), ("to", "on__lte")):
        if given.get(name):
            rows = rows.filter(**{lookup: _day(name, given[name])})
    return rows


def _day(name: str, raw: str) -> dt.date:
    try:
        return dt.date.fromisoformat(raw)
    except ValueError as error:
        raise bad_parameter(name, "a day as YYYY-MM-DD.") from error


RECEIPT = shape(
    receipt=uuid(), kind=text(enum=["events", "metrics"]), source=text(), state=text(enum=["pending", "done"]),
    received=number(), accepted=number("Counted"), duplicates=number("Counted before"),
    parked=number("Wait for their account"), rejected=number(), errors=listed(REJECTED, maxItems=100),
)  # fmt: skip


class UsageReceipt(Endpoint):
    policy = {"GET": "usage.view"}
    describe = {
        "GET": Operation(
            "What became of a batch",
            "Done within seconds; received is the sum of the other four.",
            answers={200: RECEIPT},
            errors=(404,),
        )
    }

    def get(self, request: Request, receipt: UUID) -> Response:
        known_parameters(request, ())
        found = IngestReceipt.objects.get(pk=receipt)
        names = ("kind", "source", "state", "received", "accepted", "duplicates", "parked", "rejected", "errors")
        return answer({"receipt": found.pk, **{name: getattr(found, name) for name in names}})


DEFINITIONS = Resource(
    columns={
        "key": Column("key", text()),
        "name": Column("name", text()),
        "description": Column("description", text()),
        "unit": Column("unit", text()),
        "kind": Column("kind", text(enum=MetricKind.values)),
        "options": Column("options", listed(shape(key=text(), name=text()))),
        "lowest": Column("lowest", nullable(decimal())),
        "highest": Column("highest", nullable(decimal())),
        "aggregation": Column("aggregation", text(enum=Aggregation.values)),
        "pack": Column("pack", text("Methodology that asks for it; empty: defined here")),
    },
    orderings={"key": "key", "name": "name"},
    default="key",
)
NEW_DEFINITION = shape(
    ("key", "name"),
    key=text(pattern="[a-z][a-z0-9_]{0,59}"), name=text(maxLength=120), description=text(maxLength=300),
    unit=text(maxLength=30), kind=text(enum=MetricKind.values), options=listed(text("An option's key")),
    lowest=nullable(decimal()), highest=nullable(decimal()), aggregation=text(enum=Aggregation.values),
)  # fmt: skip


class MetricDefinitions(Endpoint):
    """Which metrics may be stated."""

    policy = {"GET": "usage.view", "POST": "methodology.edit"}
    describe = {
        "GET": Operation("Metric definitions", query=DEFINITIONS.query(), answers={200: page_of(DEFINITIONS.schema())}),
        "POST": Operation(
            "Define a metric", "The same key again changes its definition.", body=NEW_DEFINITION,
            answers={201: DEFINITIONS.schema()}, errors=(400, 422),
        ),
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        return DEFINITIONS.page(request, MetricDefinition.objects.all())

    def post(self, request: Request) -> Response:
        given = _definition(json_object(request))
        row = define_metric(given.pop("key"), actor=self.user, at=timezone.now(), **given)
        return DEFINITIONS.one(request, MetricDefinition.objects.all(), status=201, pk=row.pk)


_LIMITS = {"key": 60, "name": 120, "description": 300, "unit": 30, "kind": 6, "aggregation": 6}


def _definition(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a definition, checked. Raises Problem 422 naming the field."""
    unknown = sorted(set(body) - set(NEW_DEFINITION["properties"]))
    wrong = next(
        (
            name
            for name, value in body.items()
            if name in _LIMITS and not (isinstance(value, str) and len(value) <= _LIMITS[name] and "\x00" not in value)
        ),
        "",
    )
    missing = next((name for name in ("key", "name") if not body.get(name)), "")
    kinds = body.get("kind", "number") in MetricKind.values
    ways = body.get("aggregation", "latest") in Aggregation.values
    field = missing or (unknown[0] if unknown else "") or wrong
    field = field or ("" if kinds else "kind") or ("" if ways else "aggregation")
    if field:
        raise Problem("refused", f"{field} is missing, unknown or of another type.", errors=[_at(field)])
    return {**body, "options": _options(body.get("options", [])),
            "lowest": _bound(body, "lowest"), "highest": _bound(body, "highest")}  # fmt: skip


def _at(field: str) -> dict[str, str]:
    return error_at(f"/{field}"[:80], "invalid", f"{field[:60]} is missing, unknown or of another type.")


def _options(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) and 0 < len(one) <= 60 for one in given):
        raise Problem("refused", "options is a list of keys.", errors=[_at("options")])
    return given


def _bound(body: dict[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    try:
        bound = None if value is None else Decimal(str(value))
    except ArithmeticError:
        bound = Decimal("NaN")
    if bound is not None and not (bound.is_finite() and abs(bound) < 10**14):
        raise Problem("refused", f"{name} is a number.", errors=[_at(name)])
    return bound


class AccountMetrics(Endpoint):
    policy = {"GET": "usage.view"}
    describe = {
        "GET": Operation(
            "An account's metrics as of a day",
            "Computed from events and stated ones alike, as scores read them.",
            query={"on": day("Default: today")},
            answers={200: shape(account=uuid(), on=day(), metrics=describe.free("key to value, observed_at, source"))},
            errors=(400, 404),
        )
    }

    def get(self, request: Request, account: UUID) -> Response:
        known_parameters(request, ("on",))
        if not Account.objects.visible_to(self.user).filter(pk=account).exists():
            raise Http404
        on = _day("on", request.GET["on"]) if request.GET.get("on") else queries.today()
        found = queries.figures_of(account, on)
        shown = {
            metric: {"value": seen.value, "observed_at": seen.observed_at, "source": seen.source}
            for metric, seen in sorted(found.items())
        }
        return answer({"account": account, "on": on, "metrics": shown})


urlpatterns = [
    path("usage/events/", UsageEvents.as_view(), name="usage-events"),
    path("usage/metrics/", UsageMetrics.as_view(), name="usage-metrics"),
    path("usage/receipts/<uuid:receipt>/", UsageReceipt.as_view(), name="usage-receipt"),
    path("usage/metric-definitions/", MetricDefinitions.as_view(), name="usage-metric-definitions"),
    path("accounts/<uuid:account>/metrics/", AccountMetrics.as_view(), name="account-metrics"),
]
