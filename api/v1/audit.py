"""``audit``: who changed what, and whether the log is as it was written."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.audit import head, verify_chain
from accounts.models import AuditEntry
from api import describe as d
from api.describe import Operation
from api.plain import answer
from api.reading import moment_parameter, uuid_parameter
from api.resources import Column, Resource
from api.views import Endpoint

ENTRIES = Resource(
    columns={
        "id": Column("pk", d.number()),
        "at": Column("at", d.moment()),
        "actor": Column("actor_label", d.text()),
        "actor_id": Column("actor_id", d.nullable(d.uuid())),
        "via": Column("via", d.text()),
        "action": Column("action", d.text()),
        "object_type": Column("object_type", d.text()),
        "object_id": Column("object_id", d.text()),
        "object_label": Column("object_label", d.text()),
        "account": Column("account_id", d.nullable(d.uuid())),
        "before": Column("before", d.nullable(d.free())),
        "after": Column("after", d.nullable(d.free())),
        "prev_hash": Column("prev_hash", d.text("Hash of the entry before")),
        "hash": Column("hash", d.text()),
    },
    default="-id",
)
FILTERS = {
    "account": d.uuid(),
    "action": d.text(),
    "object_type": d.text(),
    "object_id": d.text(),
    "since": d.moment(),
    "until": d.moment(),
}


class AuditList(Endpoint):
    policy = {"GET": "audit.view"}
    describe = {
        "GET": Operation(
            "List audit entries", query=ENTRIES.query(**FILTERS), answers={200: d.page_of(ENTRIES.schema())}
        )
    }

    def get(self, request: Request) -> Response:
        query = request.GET
        rows = AuditEntry.objects.filter(
            **{name: query[name] for name in ("action", "object_type", "object_id") if name in query}
        )
        if "account" in query:
            rows = rows.filter(account_id=uuid_parameter(request, "account"))
        if "since" in query:
            rows = rows.filter(at__gte=moment_parameter(request, "since"))
        if "until" in query:
            rows = rows.filter(at__lt=moment_parameter(request, "until"))
        return ENTRIES.page(request, rows, list(FILTERS))


class AuditVerification(Endpoint):
    policy = {"GET": "audit.view"}
    describe = {
        "GET": Operation(
            "Verify the chain of the audit log",
            "Every hash is computed again. Keep head elsewhere: then the removal of the newest entries shows too.",
            answers={
                200: d.shape(
                    intact=d.flag(),
                    entries=d.number(),
                    broken_at=d.nullable(d.number("First that does not fit")),
                    head=d.text("Hash of the newest entry"),
                )
            },
        )
    }

    def get(self, request: Request) -> Response:
        state = verify_chain()
        return answer({"intact": state.intact, "entries": state.entries, "broken_at": state.broken_at, "head": head()})


urlpatterns = [
    path("audit/", AuditList.as_view(), name="audit-list"),
    path("audit/verification/", AuditVerification.as_view(), name="audit-verification"),
]
