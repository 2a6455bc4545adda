"""``accounts``: the customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import archive_account, create_account, set_external_id, update_account, upsert_accounts
from accounts.choices import Role
from accounts.fields import text
from accounts.models import Account, ExternalId
from accounts.own_values import PREFIX
from accounts.queries.own_fields import known_fields
from accounts.record_fields import ACCOUNT, BULK_ACCOUNT
from api.bulk import BulkAnswerSerializer, BulkEndpoint, bulk_schema, read_source
from api.schema import IF_MATCH
from api.scope import editable_account, require_editable, visible_account
from api.serializers import RecordSerializer, Row, RowSerializer, invalid, record
from api.v1.account_filters import AccountQuery, accounts_asked_for
from api.views import Endpoint, etag
from health.book.accounts.order import OWN, sorted_by

AccountRecord = record(
    "AccountRecord", {**ACCOUNT, "reason": text(300, help="Why a CSM gets more accounts of a tier than it allows")}
)
NamedAccount = record("NamedAccount", ACCOUNT)
AccountName = record(
    "AccountName",
    {"source": text(40, required=True), "external_id": text(120, required=True)},
)


class AccountSerializer(RowSerializer):
    external_ids = serializers.DictField(child=serializers.ListField(), help_text="{source: [ids]}", read_only=True)

    class Meta:
        model = Account
        fields = """id name status parent tier segment stage owner owner_id industry country website timezone currency
            arr seats assigned_users renewal_on customer_since_on churned_on scorecard_key health_shown health_band
            custom archived_at created_at updated_at version external_ids""".split()
        paths = {
            "tier": "tier__key",
            "stage": "stage__key",
            "owner": "owner__email",
            "health_shown": "health__shown",
            "health_band": "health__current_band",
        }
        blank_as_null = ("health_band",)
        extended = ("external_ids",)
        versioned = True
        unversioned = ("health_shown", "health_band")

    def extend(self, rows: Sequence[Row]) -> None:
        """Put ``external_ids`` on every row. One query."""
        found: dict[UUID, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        names = ExternalId.objects.filter(account__in=[row["_pk"] for row in rows]).order_by("source", "external_id")
        for account, source, external_id in names.values_list("account_id", "source", "external_id"):
            found[account][source].append(external_id)
        for row in rows:
            row["external_ids"] = found[row["_pk"]]


class AccountEndpoint(Endpoint):
    """What the addresses of one account share."""

    serializer_class = AccountSerializer

    def change(self, account: Account, wanted: type[RecordSerializer], **context: Any) -> Response:
        """The account changed by the body. Blank means unchanged for what an account always has."""
        values = self.read(wanted, partial=True, **context)
        values = {
            name: value for name, value in values.items() if not (value is None and name in {"currency", "status"})
        }
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        update_account(account, **given, **values)
        return self.one(Account.objects.all(), pk=account.pk)


class AccountList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.create"}
    serializer_class = AccountSerializer
    query_class = AccountQuery
    ordering_fields = {
        "id": "pk",
        "name": "name",
        "arr": "arr",
        "renewal_on": "renewal_on",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "health": "health__score",
    }
    ordering = "name"
    ordering_prefix = PREFIX

    def ordering_path(self, name: str) -> str | None:
        """A column, or of an own field the value that rows carry for it."""
        known = name.startswith(PREFIX) and name.removeprefix(PREFIX) in known_fields()
        return OWN if known else super().ordering_path(name)

    @extend_schema(
        summary="List accounts",
        description="Fields of account-fields/ filter too: custom.region=North,South takes options, true or false, or a"
        " part of a text; custom_min.seats and custom_max.seats a range of numbers or days. ~none stands for accounts"
        " that hold nothing there, ~bad for values that do not fit. ordering=custom.seats sorts by one: a choice by its"
        " options, and what holds nothing or does not fit comes last.",
    )
    def get(self, request: Request) -> Response:
        rows = accounts_asked_for(self.query, self.user)
        wanted = request.query_params.get("ordering", "").removeprefix("-")
        if self.ordering_path(wanted) == OWN:
            rows = rows.annotate(**{OWN: sorted_by(wanted.removeprefix(PREFIX))})
        return self.page(rows)

    @extend_schema(
        summary="Create an account",
        request=AccountRecord,
        examples=[
            OpenApiExample(
                "Account",
                {"name": "Northwind Freight", "tier": "enterprise", "country": "DE"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        values = {name: value for name, value in self.read(AccountRecord).items() if value is not None}
        if self.user.role == Role.CSM:
            # An account without an owner could be one that its own creator does not see.
            values.setdefault("owner", self.user)
        account = create_account(actor=self.user, at=timezone.now(), **values)
        response = self.one(Account.objects.visible_to(self.user), 201, pk=account.pk)
        response["Location"] = request.build_absolute_uri(f"{request.path}{account.pk}/")
        return response


class AccountDetail(AccountEndpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.delete"}

    @extend_schema(summary="Read an account")
    def get(self, request: Request, account_id: UUID) -> Response:
        return self.one(Account.objects.visible_to(self.user), pk=account_id)

    @extend_schema(
        summary="Change fields of an account",
        description="Absent fields stay as they are. Send If-Match to notice somebody else's change.",
        request=AccountRecord,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, account_id: UUID) -> Response:
        return self.change(editable_account(self.user, account_id), AccountRecord)

    @extend_schema(
        summary="Archive an account",
        description="Its history stays; it leaves every list.",
        parameters=[IF_MATCH],
    )
    def delete(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        archive_account(account, actor=self.user, at=timezone.now(), expected_version=self.expected_version)
        return Response(status=204)


class AccountBulk(BulkEndpoint):
    policy = {"POST": "accounts.create"}
    name = "accounts"
    upsert = upsert_accounts

    @extend_schema(
        summary="Create or update up to 5,000 accounts by external id",
        description="Each item is answered by its index; a rejected one does not stop the others.",
        request=bulk_schema("accounts", BULK_ACCOUNT),
        responses=BulkAnswerSerializer,
        examples=[
            OpenApiExample(
                "Accounts",
                {"source": "crm", "accounts": [{"external_id": "001", "name": "Northwind Freight"}]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        return self.upload()


class AccountByExternalId(AccountEndpoint):
    policy = {"GET": "accounts.view", "PUT": "accounts.create"}

    @extend_schema(summary="Read an account by its id in another system")
    def get(self, request: Request, source: str, external_id: str) -> Response:
        names = ExternalId.objects.filter(source=source, external_id=external_id)
        return self.one(Account.objects.visible_to(self.user), pk__in=names.values("account"))

    @extend_schema(
        summary="Create or update one account by its id in another system",
        request=NamedAccount(partial=True),
        responses={200: AccountSerializer, 201: AccountSerializer},
        parameters=[IF_MATCH],
    )
    def put(self, request: Request, source: str, external_id: str) -> Response:
        source = read_source(source)
        name = ExternalId.objects.filter(source=source, external_id=external_id).first()
        if name is not None:
            visible_account(self.user, name.account_id)
            require_editable(self.user, name.account_id)
            return self.change(Account.objects.get(pk=name.account_id), NamedAccount, source=source)
        body = {**self.body, "external_id": external_id}
        result = upsert_accounts([body], source=source, actor=self.user, at=timezone.now())[0]
        if result.errors:
            raise invalid(*result.errors)
        return self.one(Account.objects.all(), 201 if result.outcome == "created" else 200, pk=result.id)


class ExternalIdSerializer(serializers.Serializer):
    source = serializers.CharField()
    external_id = serializers.CharField()


class NamesSerializer(serializers.Serializer):
    external_ids = ExternalIdSerializer(many=True)


class AccountNames(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}

    @extend_schema(summary="Names of an account in other systems", responses=NamesSerializer)
    def get(self, request: Request, account_id: UUID) -> Response:
        return self._names(visible_account(self.user, account_id))

    @extend_schema(
        summary="Add a name of an account in another system",
        description="Usage parked under the name is counted from then on.",
        request=AccountName,
        responses={201: NamesSerializer},
    )
    @transaction.atomic
    def post(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        values = self.read(AccountName)
        set_external_id(account, values["source"], values["external_id"], actor=self.user, at=timezone.now())
        return self._names(account, 201)

    @staticmethod
    def _names(account: Account, status: int = 200) -> Response:
        names = account.external_ids.order_by("source", "external_id").values("source", "external_id")
        return Response({"external_ids": list(names)}, status, headers={"ETag": etag(account.version)})


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
