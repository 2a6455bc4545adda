"""``health/scores``, ``health/overrides`` and what belongs to one account: health, history, receipt, events, KPIs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import moment, text
from accounts.models import Account
from api import describe as d
from api.describe import Operation
from api.inputs import read_fields, schema_of
from api.plain import answer, no_content
from api.problems import Problem, error_at
from api.reading import bad_parameter, json_object, known_parameters
from api.resources import Column, Resource
from api.scope import editable_account, visible_account
from api.v1.scorecards import trigger_of
from api.views import Endpoint
from health.actions import clear_override, record_event, set_override, snooze_trigger
from health.choices import Rag
from health.models import AccountHealth, HealthEvent, HealthOverride
from health.queries.inputs import local_day
from health.queries.kpis import kpi_readings
from health.queries.receipts import receipt_json, receipt_of
from health.queries.scores import health_of, score_series

HEALTH = d.shape(
    score=d.nullable(d.decimal("Null under half coverage")),
    shown=d.nullable(d.decimal("One decimal, as people see it")),
    band=d.nullable(d.text()),
    band_name=d.nullable(d.text()),
    colour=d.nullable(d.text(enum=[*Rag.values[:4], None])),
    coverage_pct=d.decimal(),
    as_of=d.nullable(d.moment()),
    scorecard=d.nullable(d.text()),
    version=d.nullable(d.number()),
    dimensions=d.listed(d.free()),
    previous=d.nullable(d.decimal("The score before the last change")),
    change=d.nullable(d.decimal("Against previous")),
    override={"type": ["object", "null"], "additionalProperties": True},
)
SCORES = Resource(
    columns={
        "account": Column("account_id", d.uuid()),
        "name": Column("account__name", d.text()),
        "score": Column("score", d.nullable(d.decimal())),
        "shown": Column("shown", d.nullable(d.decimal())),
        "band": Column("band", d.nullable(d.text()), lambda band: band or None),
        "colour": Column("rag", d.nullable(d.text()), lambda rag: None if rag == Rag.NONE else rag),
        "current_band": Column(
            "current_band", d.nullable(d.text("The override's, if one stands")), lambda b: b or None
        ),
        "coverage_pct": Column("coverage_pct", d.decimal()),
        "scorecard": Column("scorecard_key", d.text()),
        "version": Column("version__number", d.number()),
        "previous": Column("previous_score", d.nullable(d.decimal())),
        "change_30_days": Column("change_30d", d.nullable(d.decimal())),
        "band_since": Column("band_since_on", d.day()),
        "as_of": Column("computed_at", d.moment()),
    },
    orderings={"id": "pk", "score": "score", "change_30_days": "change_30d", "name": "account__name"},
    default="id",
)
OVERRIDES = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "account": Column("account_id", d.uuid()),
        "band": Column("band", d.text()),
        "band_name": Column("band_name", d.text()),
        "colour": Column("rag", d.text()),
        "reason": Column("reason", d.text()),
        "author": Column("author__email", d.nullable(d.text())),
        "computed_score": Column("computed_score", d.nullable(d.decimal())),
        "computed_band": Column("computed_band", d.nullable(d.text()), lambda band: band or None),
        "created_at": Column("created_at", d.moment()),
        "expires_at": Column("expires_at", d.moment()),
        "ended_at": Column("ended_at", d.nullable(d.moment())),
        "ended_by": Column("ended_by__email", d.nullable(d.text())),
    },
    orderings={"id": "pk", "created_at": "created_at", "expires_at": "expires_at"},
    default="-created_at",
)
EVENTS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "event": Column("key", d.text()),
        "at": Column("at", d.moment()),
        "data": Column("data", d.free()),
        "actor": Column("actor__email", d.nullable(d.text())),
        "recorded_at": Column("recorded_at", d.moment()),
    },
    orderings={"id": "pk", "at": "at"},
    default="-at",
)
_OVERRIDE = {
    "account": text(36, required=True, help="The account's id"),
    "band": text(60, required=True, help="A band of the account's scorecard"),
    "reason": text(500, required=True),
    "expires_at": moment(required=True, help="At most 180 days ahead"),
}
_EVENT = {
    "event": text(80, required=True, help="As triggers name it: competitor_mentioned, churn_threat, qbr"),
    "at": moment(help="When it happened; now if absent"),
    "note": text(500),
}
_SNOOZE = {"until": moment(required=True), "reason": text(500, required=True)}


class AccountHealthDetail(Endpoint):
    policy = {"GET": "health.view"}
    describe = {
        "GET": Operation(
            "Health of an account",
            "The score with its evidence: inputs, levels, points, ages. No score below half coverage.",
            answers={200: HEALTH},
        )
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        known_parameters(request, ())
        return answer(health_of(visible_account(self.user, account_id)))


class AccountHealthHistory(Endpoint):
    policy = {"GET": "health.view"}
    describe = {
        "GET": Operation(
            "Scores of an account over time",
            "A day between two points has the earlier one's score.",
            query={"from": d.day("90 days ago if absent"), "to": d.day("Today if absent")},
            answers={200: d.shape(results=d.listed(d.free()))},
        )
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        known_parameters(request, ("from", "to"))
        account = visible_account(self.user, account_id)
        end = day_parameter(request, "to") or local_day(timezone.now())
        start = day_parameter(request, "from") or end - timedelta(days=90)
        if start > end or (end - start).days > 1100:
            raise bad_parameter("from", "a day before to, at most three years.")
        points = score_series(account.pk, start=start, end=end)
        return answer(
            {
                "results": [
                    {"on": point.on, "score": point.score, "shown": point.shown, "band": point.band or None}
                    for point in points
                ]
            }
        )


class AccountReceipt(Endpoint):
    policy = {"GET": "health.view"}
    describe = {
        "GET": Operation(
            "Receipt of a score",
            "Everything needed to work the score out again, the definition included, with a digest.",
            query={"on": d.day("The score of that day; now if absent"), "since": d.day("What changed from that day")},
            answers={200: d.free()},
        )
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        known_parameters(request, ("on", "since"))
        account = visible_account(self.user, account_id)
        receipt = receipt_of(account, on=day_parameter(request, "on"), since=day_parameter(request, "since"))
        if receipt is None:
            raise Http404
        return answer(receipt_json(receipt))


def day_parameter(request: Request, name: str) -> date | None:
    """The day in a query parameter, None if it is absent. Raises Problem 400."""
    raw = request.GET.get(name)
    if not raw:
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise bad_parameter(name, "a day as YYYY-MM-DD.") from error


class AccountEvents(Endpoint):
    policy = {"GET": "health.view", "POST": "accounts.edit"}
    describe = {
        "GET": Operation("Events triggers wait for", query=EVENTS.query(), answers={200: d.page_of(EVENTS.schema())}),
        "POST": Operation(
            "Record an event triggers wait for",
            body=schema_of(_EVENT),
            answers={201: EVENTS.schema()},
            example={"event": "competitor_mentioned", "note": "Rivalsoft"},
        ),
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        return EVENTS.page(request, HealthEvent.objects.filter(account=visible_account(self.user, account_id)))

    def post(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        values = read_fields(json_object(request), _EVENT, self.user, partial=False)
        now = timezone.now()
        data = {"note": values["note"]} if values.get("note") else {}
        event = record_event(account, values["event"], values.get("at") or now, data, actor=self.user, now=now)
        return EVENTS.one(request, HealthEvent.objects.all(), 201, pk=event.pk)


class AccountTriggerSnooze(Endpoint):
    policy = {"POST": "ctas.work"}
    describe = {
        "POST": Operation(
            "Snooze a trigger on an account",
            "It stays quiet until then and fires if its condition still holds.",
            body=schema_of(_SNOOZE),
            answers={200: d.shape(trigger=d.text(), snoozed_until=d.moment(), reason=d.text())},
        )
    }

    def post(self, request: Request, account_id: UUID, key: str) -> Response:
        account, trigger = editable_account(self.user, account_id), trigger_of(key)
        values = read_fields(json_object(request), _SNOOZE, self.user, partial=False)
        state = snooze_trigger(account, trigger, actor=self.user, at=timezone.now(), **values)
        return answer({"trigger": trigger.key, "snoozed_until": state.snoozed_until, "reason": state.snooze_reason})


class AccountKpis(Endpoint):
    policy = {"GET": "health.view"}
    describe = {
        "GET": Operation("KPIs of an account against their targets", answers={200: d.shape(results=d.listed(d.free()))})
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        known_parameters(request, ())
        account = visible_account(self.user, account_id)
        readings = kpi_readings(account.pk, on=local_day(timezone.now()))
        return answer({"results": [_kpi(reading) for reading in readings]})


def _kpi(reading: Any) -> dict[str, Any]:
    kpi = reading.kpi
    return {
        "key": kpi.key,
        "name": kpi.name,
        "category": kpi.category,
        "definition": kpi.data.get("definition", ""),
        "frequency": kpi.frequency,
        "owner_role": kpi.owner_role,
        "unit": kpi.unit,
        "op": kpi.op,
        "target": None if kpi.target is None else f"{kpi.target.normalize():f}",
        "value": None if reading.value is None else f"{reading.value:f}",
        "observed_at": reading.observed_at,
        "source": reading.source or None,
        "met": reading.is_met,
        "overdue": reading.is_overdue,
    }


SCORE_FILTERS = {
    "account": d.uuid(),
    "band": d.text("The computed band"),
    "colour": d.text(enum=list(Rag.values)),
    "scorecard": d.text(),
}


class ScoreList(Endpoint):
    policy = {"GET": "health.view"}
    describe = {
        "GET": Operation(
            "Current scores, one an account",
            query=SCORES.query(**SCORE_FILTERS),
            answers={200: d.page_of(SCORES.schema())},
        )
    }

    def get(self, request: Request) -> Response:
        rows = AccountHealth.objects.visible_to(self.user)
        wanted = {"account": "account", "band": "band", "colour": "current_rag", "scorecard": "scorecard_key"}
        for name, column in wanted.items():
            value = request.GET.get(name)
            if value:
                rows = rows.filter(**{column: uuid_parameter(value, name) if name == "account" else value})
        return SCORES.page(request, rows, list(SCORE_FILTERS))


def uuid_parameter(raw: str, name: str) -> UUID:
    """The id in a query parameter. Raises Problem 400."""
    try:
        return UUID(raw)
    except ValueError as error:
        raise bad_parameter(name, "an id.") from error


OVERRIDE_FILTERS = {"account": d.uuid(), "standing": d.text(enum=["true", "false"])}


class OverrideList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.override"}
    describe = {
        "GET": Operation(
            "Overrides", query=OVERRIDES.query(**OVERRIDE_FILTERS), answers={200: d.page_of(OVERRIDES.schema())}
        ),
        "POST": Operation(
            "Override the band of an account",
            "The computed score stays visible. An override that stood before is ended.",
            body=schema_of(_OVERRIDE),
            answers={201: OVERRIDES.schema()},
        ),
    }

    def get(self, request: Request) -> Response:
        rows = HealthOverride.objects.visible_to(self.user)
        if request.GET.get("account"):
            rows = rows.filter(account=uuid_parameter(request.GET["account"], "account"))
        if request.GET.get("standing"):
            if request.GET["standing"] not in {"true", "false"}:
                raise bad_parameter("standing", "true or false.")
            rows = rows.filter(ended_at__isnull=request.GET["standing"] == "true")
        return OVERRIDES.page(request, rows, list(OVERRIDE_FILTERS))

    def post(self, request: Request) -> Response:
        body = json_object(request)
        account = self._account(body)
        values = read_fields(
            {name: value for name, value in body.items() if name != "account"},
            {name: field for name, field in _OVERRIDE.items() if name != "account"},
            self.user,
            partial=False,
        )
        override = set_override(account, actor=self.user, at=timezone.now(), **values)
        return OVERRIDES.one(request, HealthOverride.objects.all(), 201, pk=override.pk)

    def _account(self, body: dict[str, Any]) -> Account:
        try:
            account_id = UUID(str(body.get("account")))
        except ValueError as error:
            detail = "account must be an account's id."
            raise Problem("refused", detail, errors=[error_at("/account", "account", detail)]) from error
        return editable_account(self.user, account_id)


class OverrideDetail(Endpoint):
    policy = {"GET": "health.view", "DELETE": "health.override"}
    describe = {
        "GET": Operation("Read an override", answers={200: OVERRIDES.schema()}),
        "DELETE": Operation("End an override", "It stays in the list with its end.", answers={204: None}),
    }

    def get(self, request: Request, override_id: UUID) -> Response:
        return OVERRIDES.one(request, HealthOverride.objects.visible_to(self.user), pk=override_id)

    def delete(self, request: Request, override_id: UUID) -> Response:
        override = HealthOverride.objects.visible_to(self.user).filter(pk=override_id).first()
        if override is None:
            raise Http404
        account = editable_account(self.user, override.account_id)
        if override.ended_at is None:
            clear_override(account, actor=self.user, at=timezone.now())
        return no_content()


urlpatterns = [
    path("accounts/<uuid:account_id>/health/", AccountHealthDetail.as_view(), name="account-health"),
    path("accounts/<uuid:account_id>/health/history/", AccountHealthHistory.as_view(), name="account-health-history"),
    path("accounts/<uuid:account_id>/health/events/", AccountEvents.as_view(), name="account-health-events"),
    path("accounts/<uuid:account_id>/receipt/", AccountReceipt.as_view(), name="account-receipt"),
    path("accounts/<uuid:account_id>/kpis/", AccountKpis.as_view(), name="account-kpis"),
    path(
        "accounts/<uuid:account_id>/triggers/<slug:key>/snooze/",
        AccountTriggerSnooze.as_view(),
        name="account-trigger-snooze",
    ),
    path("health/scores/", ScoreList.as_view(), name="score-list"),
    path("health/overrides/", OverrideList.as_view(), name="override-list"),
    path("health/overrides/<uuid:override_id>/", OverrideDetail.as_view(), name="override-detail"),
]
