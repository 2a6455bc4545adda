"""Methodology, imports, the operators' workspace, the public host, and addresses that nothing serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.authz.actors import PASSWORD
from tests.authz.bodies.example import Example
from tests.authz.bodies.made import CALENDAR

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World


def item_values(world: World, actor: Actor) -> dict[str, Any]:
    """The values of the seeded item as they are: nothing to change, and nothing wrong."""
    return {each.field.path: each.value if each.value is not None else "" for each in world.own("item_fields")}


def csv_file(world: World, actor: Actor) -> dict[str, Any]:
    """A file of one account."""
    file = SimpleUploadedFile("accounts.csv", b"id,name\nN-1,New\n", content_type="text/csv")
    return {"target": "accounts", "source": "crm", "file": file}


WORKSPACE = {
    "timezone": "UTC",
    "company": "Matrix",
    "pack": "generic",
    "name": "Olga",
    "email": "olga@matrix.example.com",
    "password": PASSWORD,
}

WEBHOOK = {"url": "https://hooks.example.com/", "event_types": ["account.created"]}

EXAMPLES: dict[str, Example] = {
    # Methodology and imports
    "POST packs:calendar-simulator": Example({"operation": "nothing"}, status=422),
    "POST packs:item-edit": Example(item_values),
    "POST packs:item-reset": Example({"path": "name"}),
    "POST api:calendar-list": Example({"key": "extra", "name": "Extra", "definition": CALENDAR}),
    "PATCH api:calendar-detail": Example({"name": "Other"}),
    "POST api:calendar-calculate": Example(
        {"calendar": CALENDAR, "operation": "is_open", "at": "2026-11-24T10:00:00Z"}
    ),
    "POST imports:job-new": Example(csv_file),
    "POST imports:job-mapping": Example({"date_order": "iso", "field-external_id": "id", "field-name": "name"}),
    "POST api:import-list": Example(csv_file, multipart=True),
    # Webhooks
    "POST webhooks:new": Example(WEBHOOK, status=201),
    "POST webhooks:edit": Example(WEBHOOK),
    "POST webhooks:rotate": Example(status=201),
    "POST webhooks:test": Example({"event_type": "cta.opened"}),
    "POST webhooks:replay": Example({"period": "7"}),
    "POST api:webhook-list": Example(WEBHOOK),
    "PATCH api:webhook-detail": Example({"description": "Other"}),
    "POST api:webhook-test": Example({"event_type": "cta.opened"}),
    "POST api:webhook-replay": Example({"since": "2026-01-01T00:00:00Z"}),
    # Addresses below /api/v1/ that nothing serves
    **{f"{method} api:unknown": Example(status=404) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    # The operators' workspace and the public host
    "POST console:tenant-create": Example(WORKSPACE | {"slug": "matrix-made"}),
    "POST console:tenant-suspend": Example({"reason": "Not paid"}),
    "POST console:tenant-limits": Example({"users": "5"}),
    "POST console:tenant-offboard": Example({"confirmation": "acme"}),
    "POST signup:sign-up": Example(WORKSPACE | {"slug": "matrix-signed"}),
}
