"""``accounts``: the customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import archive_account, create_account, set_external_id, update_account, upsert_accounts
from accounts.actions.bulk import MAX_ROWS
from accounts.choices import AccountStatus, Role
from accounts.fields import text
from accounts.models import Account, ExternalId
from accounts.record_fields import ACCOUNT, BULK_ACCOUNT
from api import describe as d
from api.describe import Operation
from api.inputs import BULK_ANSWER, bulk, bulk_schema, read_fields, read_source, schema_of
from api.plain import answer, no_content
from api.problems import refuse
from api.reading import json_object
from api.resources import Column, Resource, Row, etag, expected_version
from api.scope import editable_account, require_editable, visible_account
from api.v1.account_filters import FILTERS, accounts_asked_for
from api.views import Endpoint

_WITH_REASON = {**ACCOUNT, "reason": text(300, help="Why a CSM gets more accounts of a tier than it allows")}


def _external_ids(rows: Sequence[Row]) -> None:
    """Put ``external_ids`` on every row: {source: [ids]}. One query."""
    found: dict[UUID, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    names = ExternalId.objects.filter(account__in=[row["_pk"] for row in rows]).order_by("source", "external_id")
    for account, source, external_id in names.values_list("account_id", "source", "external_id"):
        found[account][source].append(external_id)
    for row in rows:
        row["external_ids"] = found[row["_pk"]]


ACCOUNTS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "name": Column("name", d.text()),
        "status": Column("status", d.text(enum=AccountStatus.values)),
        "parent": Column("parent_id", d.nullable(d.uuid())),
        "tier": Column("tier__key", d.nullable(d.text("Key of the tier"))),
        "segment": Column("segment", d.text()),
        "stage": Column("stage__key", d.nullable(d.text("Key of the lifecycle stage"))),
        "owner": Column("owner__email", d.nullable(d.text())),
        "owner_id": Column("owner_id", d.nullable(d.uuid())),
        "industry": Column("industry", d.text()),
        "country": Column("country", d.text()),
        "website": Column("website", d.text()),
        "timezone": Column("timezone", d.text("Empty: the workspace's")),
        "currency": Column("currency", d.text()),
        "arr": Column("arr", d.decimal("Yearly revenue of contracts in force")),
        "seats": Column("seats", d.nullable(d.number())),
        "assigned_users": Column("assigned_users", d.nullable(d.number())),
        "renewal_on": Column("renewal_on", d.nullable(d.day())),
        "customer_since_on": Column("customer_since_on", d.nullable(d.day())),
        "churned_on": Column("churned_on", d.nullable(d.day())),
        "scorecard_key": Column("scorecard_key", d.text("Empty: the workspace's")),
        "health_shown": Column("health__shown", d.nullable(d.decimal("Null: never scored, or too little known"))),
        "health_band": Column("health__current_band", d.nullable(d.text()), lambda band: band or None),
        "custom": Column("custom", d.free()),
        "archived_at": Column("archived_at", d.nullable(d.moment())),
        "created_at": Column("created_at", d.moment()),
        "updated_at": Column("updated_at", d.moment()),
        "version": Column("version", d.number("The ETag")),
    },
    orderings={
        "id": "pk",
        "name": "name",
        "arr": "arr",
        "renewal_on": "renewal_on",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "health": "health__score",
    },
    default="name",
    extra={"external_ids": d.free("{source: [ids]}")},
    extend=_external_ids,
    versioned=True,
)
ACCOUNT_ANSWER = ACCOUNTS.schema()


class AccountList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.create"}
    describe = {
        "GET": Operation("List accounts", query=ACCOUNTS.query(**FILTERS), answers={200: d.page_of(ACCOUNT_ANSWER)}),
        "POST": Operation(
            "Create an account",
            body=schema_of(_WITH_REASON),
            answers={201: ACCOUNT_ANSWER},
            example={"name": "Northwind Freight", "tier": "enterprise", "country": "DE"},
        ),
    }

    def get(self, request: Request) -> Response:
        return ACCOUNTS.page(request, accounts_asked_for(request, self.user), list(FILTERS))

    def post(self, request: Request) -> Response:
        values = read_fields(json_object(request), _WITH_REASON, self.user, partial=False)
        values = {name: value for name, value in values.items() if value is not None}
        if self.user.role == Role.CSM:
            # An account without an owner could be one that its own creator does not see.
            values.setdefault("owner", self.user)
        account = create_account(actor=self.user, at=timezone.now(), **values)
        response = ACCOUNTS.one(request, Account.objects.visible_to(self.user), 201, pk=account.pk)
        response["Location"] = request.build_absolute_uri(f"{request.path}{account.pk}/")
        return response


class AccountDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.delete"}
    describe = {
        "GET": Operation("Read an account", answers={200: ACCOUNT_ANSWER}),
        "PATCH": Operation(
            "Change fields of an account",
            "Absent fields stay as they are. Send If-Match to notice somebody else's change.",
            body=schema_of(_WITH_REASON, partial=True),
            answers={200: ACCOUNT_ANSWER},
            errors=(412,),
        ),
        "DELETE": Operation(
            "Archive an account", "Its history stays; it leaves every list.", answers={204: None}, errors=(412,)
        ),
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        return ACCOUNTS.one(request, Account.objects.visible_to(self.user), pk=account_id)

    def patch(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        values = read_fields(json_object(request), _WITH_REASON, self.user, partial=True)
        values = {
            name: value for name, value in values.items() if not (value is None and name in {"currency", "status"})
        }
        update_account(
            account, actor=self.user, at=timezone.now(), expected_version=expected_version(request), **values
        )
        return ACCOUNTS.one(request, Account.objects.all(), pk=account_id)

    def delete(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        archive_account(account, actor=self.user, at=timezone.now(), expected_version=expected_version(request))
        return no_content()


class AccountBulk(Endpoint):
    policy = {"POST": "accounts.create"}
    describe = {
        "POST": Operation(
            "Create or update up to 5,000 accounts by external id",
            "Each item is answered by its index; a rejected one does not stop the others.",
            body=bulk_schema("accounts", BULK_ACCOUNT, MAX_ROWS),
            answers={200: BULK_ANSWER},
            example={"source": "crm", "accounts": [{"external_id": "001", "name": "Northwind Freight"}]},
        )
    }

    def post(self, request: Request) -> Response:
        return bulk(request, "accounts", upsert_accounts, MAX_ROWS, actor=self.user, at=timezone.now())


class AccountByExternalId(Endpoint):
    policy = {"GET": "accounts.view", "PUT": "accounts.create"}
    describe = {
        "GET": Operation("Read an account by its id in another system", answers={200: ACCOUNT_ANSWER}),
        "PUT": Operation(
            "Create or update one account by its id in another system",
            body=schema_of(ACCOUNT, partial=True),
            answers={200: ACCOUNT_ANSWER, 201: ACCOUNT_ANSWER},
            errors=(412,),
        ),
    }

    def get(self, request: Request, source: str, external_id: str) -> Response:
        rows = Account.objects.visible_to(self.user)
        names = ExternalId.objects.filter(source=source, external_id=external_id)
        return ACCOUNTS.one(request, rows, pk__in=names.values("account"))

    def put(self, request: Request, source: str, external_id: str) -> Response:
        source = read_source(source)
        name = ExternalId.objects.filter(source=source, external_id=external_id).first()
        if name is not None:
            visible_account(self.user, name.account_id)
            require_editable(self.user, name.account_id)
            return self._update(request, name.account_id, source)
        body = {**json_object(request), "external_id": external_id}
        result = upsert_accounts([body], source=source, actor=self.user, at=timezone.now())[0]
        if result.errors:
            raise refuse(result.errors)
        return ACCOUNTS.one(request, Account.objects.all(), 201 if result.outcome == "created" else 200, pk=result.id)

    def _update(self, request: Request, account_id: UUID, source: str) -> Response:
        values = read_fields(json_object(request), ACCOUNT, self.user, partial=True, source=source)
        values = {
            name: value for name, value in values.items() if not (value is None and name in {"currency", "status"})
        }
        account = Account.objects.get(pk=account_id)
        update_account(
            account, actor=self.user, at=timezone.now(), expected_version=expected_version(request), **values
        )
        return ACCOUNTS.one(request, Account.objects.all(), pk=account_id)


NAMES = d.shape(external_ids=d.listed(d.shape(source=d.text(), external_id=d.text())))


class AccountNames(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}
    describe = {
        "GET": Operation("Names of an account in other systems", answers={200: NAMES}),
        "POST": Operation(
            "Add a name of an account in another system",
            "Usage parked under the name is counted from then on.",
            body=d.shape(source=d.text(maxLength=40), external_id=d.text(maxLength=120)),
            answers={201: NAMES},
        ),
    }

    def get(self, request: Request, account_id: UUID) -> Response:
        return self._names(visible_account(self.user, account_id))

    @transaction.atomic
    def post(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        fields = {"source": text(40, required=True), "external_id": text(120, required=True)}
        values = read_fields(json_object(request), fields, self.user, partial=False)
        set_external_id(account, values["source"], values["external_id"], actor=self.user, at=timezone.now())
        return self._names(account, 201)

    @staticmethod
    def _names(account: Account, status: int = 200) -> Response:
        names = account.external_ids.order_by("source", "external_id").values("source", "external_id")
        return answer({"external_ids": list(names)}, status, {"ETag": etag(account.version)})


urlpatterns = [
    path("accounts/", AccountList.as_view(), name="account-list"),
    path("accounts/bulk/", AccountBulk.as_view(), name="account-bulk"),
    path("accounts/<uuid:account_id>/", AccountDetail.as_view(), name="account-detail"),
    path("accounts/<uuid:account_id>/external-ids/", AccountNames.as_view(), name="account-names"),
    path(
        "accounts/by-external-id/<str:source>/<str:external_id>/",
        AccountByExternalId.as_view(),
        name="account-by-external-id",
    ),
]
