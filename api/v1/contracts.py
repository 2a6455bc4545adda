"""``contracts``: what the customers bought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import create_contract, delete_contract, update_contract, upsert_contracts
from accounts.actions.bulk import MAX_ROWS
from accounts.actions.contracts import DEFAULT_PRODUCT
from accounts.choices import ContractStatus
from accounts.models import Account, Contract, ContractLine, User
from accounts.record_fields import ACCOUNT_REFERENCE, BULK_CONTRACT, CONTRACT
from api import describe as d
from api.describe import Operation
from api.inputs import BULK_ANSWER, bulk, bulk_schema, read_fields, schema_of
from api.plain import no_content
from api.reading import day_parameter, json_object, uuid_parameter
from api.resources import Column, Resource, Row, expected_version
from api.scope import editable_row, require_editable
from api.views import Endpoint

_NEW = {**CONTRACT, "account": ACCOUNT_REFERENCE}
LINE = d.shape(product=d.text(), seats=d.nullable(d.number()), arr=d.decimal())


def _lines(rows: Sequence[Row]) -> None:
    """Put the lines on every row. One query."""
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    lines = ContractLine.objects.filter(contract__in=[row["_pk"] for row in rows]).order_by("pk")
    for line in lines.values("contract_id", "product", "seats", "arr"):
        found[line.pop("contract_id")].append(line)
    for row in rows:
        row["lines"] = found[row["_pk"]]


CONTRACTS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "account": Column("account_id", d.uuid()),
        "account_name": Column("account__name", d.text()),
        "number": Column("number", d.text()),
        "status": Column("status", d.text(enum=ContractStatus.values)),
        "start_on": Column("start_on", d.day()),
        "end_on": Column("end_on", d.nullable(d.day("Last day; null while open-ended"))),
        "notice_days": Column("notice_days", d.number()),
        "auto_renew": Column("auto_renew", d.flag()),
        "currency": Column("currency", d.text()),
        "arr": Column("arr", d.decimal("Sum of the lines where there are any")),
        "billing": Column("billing", d.text()),
        "custom": Column("custom", d.free()),
        "source": Column("source", d.text()),
        "external_id": Column("external_id", d.text()),
        "created_at": Column("created_at", d.moment()),
        "updated_at": Column("updated_at", d.moment()),
        "version": Column("version", d.number()),
    },
    orderings={"id": "pk", "start_on": "start_on", "end_on": "end_on", "arr": "arr", "updated_at": "updated_at"},
    default="-start_on",
    extra={"lines": d.listed(LINE)},
    extend=_lines,
    versioned=True,
)
FILTERS = {
    "account": d.uuid(),
    "status": d.text(enum=ContractStatus.values),
    "in_force_on": d.day(),
    "external_id": d.text(),
}
CONTRACT_ANSWER = CONTRACTS.schema()


class ContractList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}
    describe = {
        "GET": Operation("List contracts", query=CONTRACTS.query(**FILTERS), answers={200: d.page_of(CONTRACT_ANSWER)}),
        "POST": Operation(
            "Add a contract",
            "The account's ARR, seats and renewal follow at once.",
            body=schema_of(_NEW),
            answers={201: CONTRACT_ANSWER},
        ),
    }

    def get(self, request: Request) -> Response:
        return CONTRACTS.page(request, _asked_for(request, self.user), list(FILTERS))

    def post(self, request: Request) -> Response:
        values = _with_lines(read_fields(json_object(request), _NEW, self.user, partial=False))
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        contract = create_contract(account, actor=self.user, at=timezone.now(), **values)
        return CONTRACTS.one(request, Contract.objects.all(), 201, pk=contract.pk)


class ContractDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.edit"}
    describe = {
        "GET": Operation("Read a contract", answers={200: CONTRACT_ANSWER}),
        "PATCH": Operation(
            "Change a contract",
            "Lines replace all lines.",
            body=schema_of(CONTRACT, partial=True),
            answers={200: CONTRACT_ANSWER},
            errors=(412,),
        ),
        "DELETE": Operation("Remove a contract entered by mistake", answers={204: None}),
    }

    def get(self, request: Request, contract_id: UUID) -> Response:
        return CONTRACTS.one(request, Contract.objects.visible_to(self.user), pk=contract_id)

    def patch(self, request: Request, contract_id: UUID) -> Response:
        contract = editable_row(Contract.objects, self.user, contract_id)
        values = _with_lines(read_fields(json_object(request), CONTRACT, self.user, partial=True))
        update_contract(
            contract, actor=self.user, at=timezone.now(), expected_version=expected_version(request), **values
        )
        return CONTRACTS.one(request, Contract.objects.all(), pk=contract_id)

    def delete(self, request: Request, contract_id: UUID) -> Response:
        delete_contract(editable_row(Contract.objects, self.user, contract_id), actor=self.user, at=timezone.now())
        return no_content()


class ContractBulk(Endpoint):
    policy = {"POST": "accounts.edit"}
    describe = {
        "POST": Operation(
            "Create or update up to 5,000 contracts by external id",
            "Flat (product, seats, arr) or with lines. An item's account is its id, or its external id in the source.",
            body=bulk_schema("contracts", BULK_CONTRACT, MAX_ROWS),
            answers={200: BULK_ANSWER},
        )
    }

    def post(self, request: Request) -> Response:
        return bulk(request, "contracts", upsert_contracts, MAX_ROWS, actor=self.user, at=timezone.now())


def _with_lines(values: dict[str, Any]) -> dict[str, Any]:
    """A body sent flat (product, seats, arr) as one with a line."""
    product, seats = values.pop("product", ""), values.pop("seats", None)
    if (product or seats is not None) and not values.get("lines"):
        arr = values.pop("arr", None) or 0
        values["lines"] = [{"product": product or DEFAULT_PRODUCT, "seats": seats, "arr": arr}]
    return values


def _asked_for(request: Request, user: User) -> Any:
    rows = Contract.objects.visible_to(user)
    query = request.GET
    if "account" in query:
        rows = rows.filter(account=uuid_parameter(request, "account"))
    if "status" in query:
        rows = rows.filter(status=query["status"])
    if "external_id" in query:
        rows = rows.filter(external_id=query["external_id"])
    if "in_force_on" in query:
        rows = rows.in_force_on(day_parameter(request, "in_force_on"))
    return rows


urlpatterns = [
    path("contracts/", ContractList.as_view(), name="contract-list"),
    path("contracts/bulk/", ContractBulk.as_view(), name="contract-bulk"),
    path("contracts/<uuid:contract_id>/", ContractDetail.as_view(), name="contract-detail"),
]
