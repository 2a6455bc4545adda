"""``contacts``: the customers' people."""

from __future__ import annotations

from uuid import UUID

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import create_contact, delete_contact, update_contact, upsert_contacts
from accounts.actions.bulk import MAX_ROWS
from accounts.choices import Sentiment, StakeholderRole
from accounts.models import Account, Contact
from accounts.record_fields import ACCOUNT_REFERENCE, BULK_CONTACT, CONTACT
from api import describe as d
from api.describe import Operation
from api.inputs import BULK_ANSWER, bulk, bulk_schema, read_fields, schema_of
from api.plain import no_content
from api.reading import bad_parameter, json_object, uuid_parameter
from api.resources import Column, Resource, expected_version
from api.scope import editable_row, require_editable
from api.views import Endpoint

_NEW = {**CONTACT, "account": ACCOUNT_REFERENCE}
CONTACTS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "account": Column("account_id", d.uuid()),
        "account_name": Column("account__name", d.text()),
        "name": Column("name", d.text()),
        "email": Column("email", d.text()),
        "phone": Column("phone", d.text()),
        "title": Column("title", d.text()),
        "stakeholder_role": Column("stakeholder_role", d.text(enum=StakeholderRole.values)),
        "sentiment": Column("sentiment", d.text(enum=Sentiment.values)),
        "last_touch_at": Column("last_touch_at", d.nullable(d.moment())),
        "left_on": Column("left_on", d.nullable(d.day())),
        "source": Column("source", d.text()),
        "external_id": Column("external_id", d.text()),
        "created_at": Column("created_at", d.moment()),
        "updated_at": Column("updated_at", d.moment()),
        "version": Column("version", d.number()),
    },
    orderings={"id": "pk", "name": "name", "updated_at": "updated_at"},
    default="name",
    versioned=True,
)
FILTERS = {
    "account": d.uuid(),
    "stakeholder_role": d.text(enum=StakeholderRole.values),
    "present": d.flag("Only those who have not left, or only those who have"),
    "external_id": d.text(),
}
CONTACT_ANSWER = CONTACTS.schema()


class ContactList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}
    describe = {
        "GET": Operation("List contacts", query=CONTACTS.query(**FILTERS), answers={200: d.page_of(CONTACT_ANSWER)}),
        "POST": Operation("Add a contact", body=schema_of(_NEW), answers={201: CONTACT_ANSWER}),
    }

    def get(self, request: Request) -> Response:
        return CONTACTS.page(request, _asked_for(request, self.user), list(FILTERS))

    def post(self, request: Request) -> Response:
        values = read_fields(json_object(request), _NEW, self.user, partial=False)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        contact = create_contact(account, actor=self.user, at=timezone.now(), **values)
        return CONTACTS.one(request, Contact.objects.all(), 201, pk=contact.pk)


class ContactDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.edit"}
    describe = {
        "GET": Operation("Read a contact", answers={200: CONTACT_ANSWER}),
        "PATCH": Operation(
            "Change a contact", body=schema_of(CONTACT, partial=True), answers={200: CONTACT_ANSWER}, errors=(412,)
        ),
        "DELETE": Operation(
            "Remove a contact entered by mistake",
            "Somebody who left keeps their place: set left_on instead.",
            answers={204: None},
        ),
    }

    def get(self, request: Request, contact_id: UUID) -> Response:
        return CONTACTS.one(request, Contact.objects.visible_to(self.user), pk=contact_id)

    def patch(self, request: Request, contact_id: UUID) -> Response:
        contact = editable_row(Contact.objects, self.user, contact_id)
        values = read_fields(json_object(request), CONTACT, self.user, partial=True)
        update_contact(
            contact, actor=self.user, at=timezone.now(), expected_version=expected_version(request), **values
        )
        return CONTACTS.one(request, Contact.objects.all(), pk=contact_id)

    def delete(self, request: Request, contact_id: UUID) -> Response:
        delete_contact(editable_row(Contact.objects, self.user, contact_id), actor=self.user, at=timezone.now())
        return no_content()


class ContactBulk(Endpoint):
    policy = {"POST": "accounts.edit"}
    describe = {
        "POST": Operation(
            "Create or update up to 5,000 contacts by external id",
            "An item's account is its id, or its external id in the same source.",
            body=bulk_schema("contacts", BULK_CONTACT, MAX_ROWS),
            answers={200: BULK_ANSWER},
        )
    }

    def post(self, request: Request) -> Response:
        return bulk(request, "contacts", upsert_contacts, MAX_ROWS, actor=self.user, at=timezone.now())


def _asked_for(request: Request, user: object) -> object:
    rows = Contact.objects.visible_to(user)  # type: ignore[arg-type]
    query = request.GET
    if "account" in query:
        rows = rows.filter(account=uuid_parameter(request, "account"))
    if "stakeholder_role" in query:
        rows = rows.filter(stakeholder_role=query["stakeholder_role"])
    if "present" in query:
        if query["present"] not in {"true", "false"}:
            raise bad_parameter("present", "true or false.")
        rows = rows.filter(left_on__isnull=query["present"] == "true")
    if "external_id" in query:
        rows = rows.filter(external_id=query["external_id"])
    return rows


urlpatterns = [
    path("contacts/", ContactList.as_view(), name="contact-list"),
    path("contacts/bulk/", ContactBulk.as_view(), name="contact-bulk"),
    path("contacts/<uuid:contact_id>/", ContactDetail.as_view(), name="contact-detail"),
]
