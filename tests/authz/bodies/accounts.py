"""The account record: pages and API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.authz.bodies.example import BY_KEY, IN_BODY, Example
from tests.authz.bodies.made import of_account, owner_chosen, tomorrow

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World


def overridden(world: World, actor: Actor) -> dict[str, Any]:
    """An override in the bands of the account's scorecard."""
    return {"band": world.own("override").band, "reason": "Sponsor is back", "until": tomorrow()}


def upload(part: str, *, account: bool = False) -> Callable[[World, Actor], dict[str, Any]]:
    """A text file in the form's part of this name."""

    def form(world: World, actor: Actor) -> dict[str, Any]:
        file = SimpleUploadedFile("plan.txt", b"A plan.", content_type="text/plain")
        return {part: file} | ({"account": str(world.own("account").pk)} if account else {})

    return form


CONTRACT = {
    "status": "active",
    "start_on": "2026-01-01",
    "currency": "USD",
    "lines-TOTAL_FORMS": "0",
    "lines-INITIAL_FORMS": "0",
}
RULE = {"groups": [{"conditions": [{"field": "arr", "op": ">=", "value": "0"}]}]}
BUILT_SEGMENT = {
    "do": "save",
    "name": "Other",
    "join": "all",
    "c-0-0-field": "arr",
    "c-0-0-op": ">=",
    "c-0-0-value": "0",
}

EXAMPLES: dict[str, Example] = {
    # Files
    "POST accounts:account-files": Example(upload("files")),
    "POST accounts:file-version": Example(upload("files")),
    "POST accounts:file-detail": Example({"title": "Another title"}),
    "POST api:file-list": Example(upload("file", account=True), about=BY_KEY, multipart=True),
    "POST api:file-versions": Example(upload("file"), multipart=True),
    "PATCH api:file-detail": Example({"title": "Another title"}),
    # A past day
    "GET accounts:account-hindsight": Example(query="?as_of=2026-01-01"),
    "GET api:account-as-of": Example(query="?on=2026-01-01"),
    # The account record
    "GET accounts:home": Example(status=302),
    "POST accounts:theme-set": Example({"theme": "dark"}),
    "GET accounts:search": Example(query="?q=canary"),
    "POST accounts:account-create": Example({"name": "New", "status": "active", "currency": "USD"}),
    "POST accounts:account-edit": Example({"name": "New", "status": "active", "currency": "USD"}),
    "POST accounts:account-owner": Example(owner_chosen("owner")),
    "POST accounts:edit-list": Example(lambda world, actor: {"set": "segment:", "id": world.own("account").pk}),
    "POST accounts:own-field-create": Example({"label": "Cost centre", "kind": "text"}),
    "POST accounts:own-field-edit": Example({"label": "Renamed", "kind": "text"}),
    "POST accounts:own-field-move": Example({"to": "down"}),
    "POST api:account-field-list": Example({"label": "Cost centre", "kind": "number"}),
    "PATCH api:account-field-detail": Example({"help_text": "Other"}),
    "POST accounts:account-cell": Example({"value": "", "version": ""}),
    "POST accounts:view-save": Example({"name": "Matrix view", "query": "band=red"}),
    "POST accounts:view-change": Example({"name": "Other"}),
    "POST accounts:view-default": Example({"default": "1"}),
    "POST accounts:segment-new": Example(BUILT_SEGMENT),
    "POST accounts:segment-edit": Example(BUILT_SEGMENT),
    "POST api:account-view-list": Example({"name": "Matrix view", "query": "band=red"}),
    "PATCH api:account-view-detail": Example({"name": "Other"}),
    "POST api:segment-list": Example({"name": "Other", "rule": RULE}),
    "PATCH api:segment-detail": Example({"name": "Other"}),
    "POST api:segment-preview": Example({"rule": RULE}),
    "POST accounts:activity-log": Example({"kind": "call", "title": "Talked"}),
    "POST accounts:contact-create": Example({"name": "Kim", "stakeholder_role": "other"}),
    "POST accounts:contact-edit": Example({"name": "Kim", "stakeholder_role": "other"}),
    "POST accounts:account-stage": Example({"stage": "matrix-stage"}),
    "POST accounts:team-join": Example(
        lambda world, actor: {"user": world.people_of(actor)["vp"].pk, "role": world.own("team_member").role_id}
    ),
    "POST accounts:contact-left": Example({"left_on": "2026-01-31"}),
    "POST accounts:contract-create": Example(CONTRACT),
    "POST accounts:contract-edit": Example(CONTRACT),
    "POST accounts:account-health": Example(overridden),
    # API of the account record
    "POST api:account-list": Example({"name": "New"}),
    "POST api:account-bulk": Example({"source": "crm", "accounts": []}),
    "PATCH api:account-detail": Example({"name": "New"}),
    "POST api:account-names": Example({"source": "erp", "external_id": "E-1"}),
    "PUT api:account-by-external-id": Example({"name": "New"}, status=200),
    "POST api:activity-list": Example(of_account({"kind": "note", "title": "Talked"}), about=IN_BODY),
    "POST accounts:entry-edit": Example({"kind": "call", "title": "Talked"}),
    "PATCH api:activity-detail": Example({"title": "Talked"}),
    "POST api:activity-restore": Example(status=200),
    "PATCH api:activity-step": Example({"done": True}),
    "POST api:contact-list": Example(of_account({"name": "Kim"}), about=IN_BODY),
    "POST api:contact-bulk": Example({"source": "crm", "contacts": []}),
    "PATCH api:contact-detail": Example({"name": "Kim"}),
    "POST api:contract-list": Example(of_account({"start_on": "2026-01-01"}), about=IN_BODY),
    "POST api:contract-bulk": Example({"source": "crm", "contracts": []}),
    "PATCH api:contract-detail": Example({"number": "C-1"}),
}
