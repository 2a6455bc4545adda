"""``contacts``: the customers' people."""

from __future__ import annotations

from uuid import UUID

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import create_contact, delete_contact, update_contact, upsert_contacts
from accounts.choices import StakeholderRole
from accounts.models import Account, Contact
from accounts.record_fields import ACCOUNT_REFERENCE, BULK_CONTACT, CONTACT
from api.bulk import BulkAnswerSerializer, BulkEndpoint, bulk_schema
from api.schema import IF_MATCH
from api.scope import editable_row, require_editable
from api.serializers import QuerySerializer, RowSerializer, record
from api.views import Endpoint

NewContact = record("NewContact", {**CONTACT, "account": ACCOUNT_REFERENCE})
ChangedContact = record("Contact", CONTACT)


class ContactSerializer(RowSerializer):
    class Meta:
        model = Contact
        fields = """id account account_name name email phone title stakeholder_role influence sentiment last_touch_at
            left_on source external_id created_at updated_at version""".split()
        paths = {"account_name": "account__name"}
        versioned = True


class ContactQuery(QuerySerializer):
    account = serializers.UUIDField()
    stakeholder_role = serializers.ChoiceField(StakeholderRole.choices)
    present = serializers.BooleanField(
        source="left_on__isnull", help_text="Only those who have not left, or only those who have"
    )
    external_id = serializers.CharField()


class ContactList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}
    serializer_class = ContactSerializer
    query_class = ContactQuery
    ordering_fields = {"id": "pk", "name": "name", "updated_at": "updated_at"}
    ordering = "name"

    @extend_schema(summary="List contacts")
    def get(self, request: Request) -> Response:
        return self.page(Contact.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(summary="Add a contact", request=NewContact)
    def post(self, request: Request) -> Response:
        values = self.read(NewContact)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        contact = create_contact(account, actor=self.user, at=timezone.now(), **values)
        return self.one(Contact.objects.all(), 201, pk=contact.pk)


class ContactDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.edit"}
    serializer_class = ContactSerializer

    @extend_schema(summary="Read a contact")
    def get(self, request: Request, contact_id: UUID) -> Response:
        return self.one(Contact.objects.visible_to(self.user), pk=contact_id)

    @extend_schema(summary="Change a contact", request=ChangedContact, parameters=[IF_MATCH])
    def patch(self, request: Request, contact_id: UUID) -> Response:
        contact = editable_row(Contact.objects, self.user, contact_id)
        values = self.read(ChangedContact, partial=True)
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        update_contact(contact, **given, **values)
        return self.one(Contact.objects.all(), pk=contact_id)

    @extend_schema(
        summary="Remove a contact entered by mistake",
        description="Somebody who left keeps their place: set left_on instead.",
    )
    def delete(self, request: Request, contact_id: UUID) -> Response:
        delete_contact(editable_row(Contact.objects, self.user, contact_id), actor=self.user, at=timezone.now())
        return Response(status=204)


class ContactBulk(BulkEndpoint):
    policy = {"POST": "accounts.edit"}
    name = "contacts"
    upsert = upsert_contacts

    @extend_schema(
        summary="Create or update up to 5,000 contacts by external id",
        description="An item's account is its id, or its external id in the same source.",
        request=bulk_schema("contacts", BULK_CONTACT),
        responses=BulkAnswerSerializer,
    )
    def post(self, request: Request) -> Response:
        return self.upload()


urlpatterns = [
    path("contacts/", ContactList.as_view(), name="contact-list"),
    path("contacts/bulk/", ContactBulk.as_view(), name="contact-bulk"),
    path("contacts/<uuid:contact_id>/", ContactDetail.as_view(), name="contact-detail"),
]
