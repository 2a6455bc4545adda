"""``health/renewals``: renewals ahead with their two signals, calls and decisions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.scope import editable_row, visible_row
from api.serializers import BodySerializer, DayField, QuerySerializer, RowSerializer
from api.views import Endpoint
from health.actions.renewals import LONGEST_REASON, decide_renewal, give_call
from health.choices import RenewalCall, RenewalSide, RenewalSignal, RenewalState
from health.models import RenewalReview
from health.queries.renewals import RenewalFilters, renewals_ahead


class RenewalSerializer(RowSerializer):
    signal = serializers.ChoiceField(
        RenewalSignal.choices, read_only=True, allow_null=True, help_text="Null until there is a call or it is overdue"
    )
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    state = serializers.ChoiceField(RenewalState.choices, read_only=True)

    class Meta:
        model = RenewalReview
        fields = """id account account_name owner contract contract_number ends_on days_before arr currency signal
            reasons call_due_on call call_reason called_by called_at state side side_reason decided_by decided_at
            recorded_at""".split()
        paths = {
            "account_name": "account__name",
            "owner": "account__owner__email",
            "contract_number": "contract__number",
            "arr": "contract__arr",
            "currency": "contract__currency",
            "signal": "told_signal",
            "reasons": "told_reasons",
            "called_by": "called_by__email",
            "decided_by": "decided_by__email",
        }
        blank_as_null = ("call", "side")


class RenewalQuery(QuerySerializer):
    account = serializers.UUIDField()
    state = serializers.ChoiceField(RenewalState.choices)
    ends_from = DayField()
    ends_until = DayField()


class CallSerializer(BodySerializer):
    call = serializers.ChoiceField(RenewalCall.choices, help_text="monitor only more than 90 days before the renewal")
    reason = serializers.CharField(max_length=LONGEST_REASON)


class DecisionSerializer(BodySerializer):
    side = serializers.ChoiceField(RenewalSide.choices)
    reason = serializers.CharField(max_length=LONGEST_REASON)


class RenewalEndpoint(Endpoint):
    serializer_class = RenewalSerializer

    def told(self, rows: Any) -> QuerySet[Any]:
        """``rows`` with the system's signal where it may be shown."""
        return rows.told_on(timezone.localdate())  # type: ignore[no-any-return]

    def shown(self, pk: UUID) -> Response:
        """One renewal as it stands now."""
        return self.one(self.told(RenewalReview.objects.visible_to(self.user)), pk=pk)


class RenewalList(RenewalEndpoint):
    policy = {"GET": "accounts.view"}
    query_class = RenewalQuery
    ordering_fields = {"ends_on": "ends_on", "arr": "contract__arr"}
    ordering = "ends_on"

    @extend_schema(
        summary="List renewals ahead",
        description="Each at its latest checkpoint, from the first on.",
    )
    def get(self, request: Request) -> Response:
        query = self.query
        asked = RenewalFilters(
            state=query.get("state", ""), from_on=query.get("ends_from"), until_on=query.get("ends_until")
        )
        rows = renewals_ahead(self.user, asked, timezone.localdate())
        return self.page(self.told(rows.filter(account=query["account"]) if "account" in query else rows))


class RenewalDetail(RenewalEndpoint):
    policy = {"GET": "accounts.view"}

    @extend_schema(summary="Read a renewal at a checkpoint")
    def get(self, request: Request, review_id: UUID) -> Response:
        return self.shown(review_id)


class RenewalCallView(RenewalEndpoint):
    policy = {"POST": "accounts.edit"}

    @extend_schema(
        operation_id="health_renewals_call",
        summary="Make or change the call on a renewal",
        description="A call that disagrees with the system's signal opens a CTA for a leader.",
        request=CallSerializer,
        responses=RenewalSerializer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        review = editable_row(RenewalReview.objects, self.user, review_id)
        give_call(review, actor=self.user, at=timezone.now(), **self.read(CallSerializer))
        return self.shown(review_id)


class RenewalDecisionView(RenewalEndpoint):
    policy = {"POST": "renewals.decide"}

    @extend_schema(
        operation_id="health_renewals_decide",
        summary="Decide between two signals that disagree",
        request=DecisionSerializer,
        responses=RenewalSerializer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        review = visible_row(RenewalReview.objects, self.user, review_id)
        decide_renewal(review, actor=self.user, at=timezone.now(), **self.read(DecisionSerializer))
        return self.shown(review_id)


urlpatterns = [
    path("health/renewals/", RenewalList.as_view(), name="renewal-list"),
    path("health/renewals/<uuid:review_id>/", RenewalDetail.as_view(), name="renewal-detail"),
    path("health/renewals/<uuid:review_id>/call/", RenewalCallView.as_view(), name="renewal-call"),
    path("health/renewals/<uuid:review_id>/decision/", RenewalDecisionView.as_view(), name="renewal-decision"),
]
