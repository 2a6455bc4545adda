"""``contracts``: what the customers bought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import create_contract, delete_contract, update_contract, upsert_contracts
from accounts.actions.contracts import DEFAULT_PRODUCT
from accounts.choices import ContractStatus
from accounts.models import Account, Contract, ContractLine
from accounts.record_fields import ACCOUNT_REFERENCE, BULK_CONTRACT, CONTRACT
from api.bulk import BulkAnswerSerializer, BulkEndpoint, bulk_schema
from api.schema import IF_MATCH
from api.scope import editable_row, require_editable
from api.serializers import DayField, QuerySerializer, Row, RowSerializer, record
from api.views import Endpoint

NewContract = record("NewContract", {**CONTRACT, "account": ACCOUNT_REFERENCE})
ContractRecord = record("ContractRecord", CONTRACT)


class LineSerializer(RowSerializer):
    class Meta:
        model = ContractLine
        fields = ["product", "seats", "arr"]


class ContractSerializer(RowSerializer):
    lines = LineSerializer(many=True, read_only=True)

    class Meta:
        model = Contract
        fields = """id account account_name number status start_on end_on notice_days auto_renew currency arr billing
            custom source external_id created_at updated_at version lines""".split()
        paths = {"account_name": "account__name"}
        extended = ("lines",)
        versioned = True

    def extend(self, rows: Sequence[Row]) -> None:
        """Put the lines on every row. One query."""
        found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        lines = ContractLine.objects.filter(contract__in=[row["_pk"] for row in rows]).order_by("pk")
        for line in lines.values("contract_id", "product", "seats", "arr"):
            found[line.pop("contract_id")].append(line)
        for row in rows:
            row["lines"] = found[row["_pk"]]


class ContractQuery(QuerySerializer):
    account = serializers.UUIDField()
    status = serializers.ChoiceField(ContractStatus.choices)
    in_force_on = DayField()
    external_id = serializers.CharField()


class ContractList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}
    serializer_class = ContractSerializer
    query_class = ContractQuery
    ordering_fields = {
        "id": "pk",
        "start_on": "start_on",
        "end_on": "end_on",
        "arr": "arr",
        "updated_at": "updated_at",
    }
    ordering = "-start_on"

    @extend_schema(summary="List contracts")
    def get(self, request: Request) -> Response:
        query = self.query
        day = query.pop("in_force_on", None)
        rows: QuerySet[Contract] = Contract.objects.visible_to(self.user).filter(**query)
        return self.page(rows.in_force_on(day) if day else rows)  # type: ignore[attr-defined]

    @extend_schema(
        summary="Add a contract",
        description="The account's ARR, seats and renewal follow at once.",
        request=NewContract,
    )
    def post(self, request: Request) -> Response:
        values = _with_lines(self.read(NewContract))
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        contract = create_contract(account, actor=self.user, at=timezone.now(), **values)
        return self.one(Contract.objects.all(), 201, pk=contract.pk)


class ContractDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.edit"}
    serializer_class = ContractSerializer

    @extend_schema(summary="Read a contract")
    def get(self, request: Request, contract_id: UUID) -> Response:
        return self.one(Contract.objects.visible_to(self.user), pk=contract_id)

    @extend_schema(
        summary="Change a contract",
        description="Lines replace all lines.",
        request=ContractRecord,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, contract_id: UUID) -> Response:
        contract = editable_row(Contract.objects, self.user, contract_id)
        values = _with_lines(self.read(ContractRecord, partial=True))
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        update_contract(contract, **given, **values)
        return self.one(Contract.objects.all(), pk=contract_id)

    @extend_schema(summary="Remove a contract entered by mistake")
    def delete(self, request: Request, contract_id: UUID) -> Response:
        delete_contract(editable_row(Contract.objects, self.user, contract_id), actor=self.user, at=timezone.now())
        return Response(status=204)


class ContractBulk(BulkEndpoint):
    policy = {"POST": "accounts.edit"}
    name = "contracts"
    upsert = upsert_contracts

    @extend_schema(
        summary="Create or update up to 5,000 contracts by external id",
        description="Flat (product, seats, arr) or with lines. An item's account is its id, or its external id in the "
        "source.",
        request=bulk_schema("contracts", BULK_CONTRACT),
        responses=BulkAnswerSerializer,
    )
    def post(self, request: Request) -> Response:
        return self.upload()


def _with_lines(values: dict[str, Any]) -> dict[str, Any]:
    """A body sent flat (product, seats, arr) as one with a line."""
    product, seats = values.pop("product", ""), values.pop("seats", None)
    if (product or seats is not None) and not values.get("lines"):
        arr = values.pop("arr", None) or 0
        values["lines"] = [{"product": product or DEFAULT_PRODUCT, "seats": seats, "arr": arr}]
    return values


urlpatterns = [
    path("contracts/", ContractList.as_view(), name="contract-list"),
    path("contracts/bulk/", ContractBulk.as_view(), name="contract-bulk"),
    path("contracts/<uuid:contract_id>/", ContractDetail.as_view(), name="contract-detail"),
]
