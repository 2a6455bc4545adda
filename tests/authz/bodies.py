"""A valid request for each address that needs more than its path: the positive control sends these.

``EXAMPLES`` maps ``METHOD route-name`` to an ``Example``. Without one, the request is sent without a body and
must answer what the API's documentation promises, or on pages ``DEFAULT_STATUS``. Where that fails, the
positive control says which line to add here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from api.openapi import document
from health.editing import fields_of
from tests.authz.actors import PASSWORD

if TYPE_CHECKING:
    from knowledge.models import Category
    from tests.authz.actors import Actor
    from tests.authz.routes import Route
    from tests.authz.world import World

DEFAULT_STATUS = {"GET": 200, "POST": 302, "PUT": 200, "PATCH": 200, "DELETE": 204}
# What the API says of a name in the body that it does not know, and of a key; a form does not offer either.
IN_BODY, BY_KEY, IN_FORM = (422, 403), (404, 403), (422, 422)


@dataclass(frozen=True, slots=True)
class Example:
    """``body`` (or a function of world and actor that makes one), query string, headers, and the status it earns.

    ``status`` may be a function of the actor, where an address answers people differently by design. ``about``
    says that the body names account 1, and what whoever does not see it gets, and whoever may not change it.
    ``agents``: support agents may do it for every account they see.
    """

    body: dict[str, Any] | list[Any] | Callable[[World, Actor], Any] = field(default_factory=dict)
    status: int | Callable[[Actor], int] | None = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    about: tuple[int, int] | None = None
    agents: bool = False
    multipart: bool = False

    def status_for(self, actor: Actor) -> int:
        """What ``actor`` gets who may."""
        return self.status(actor) if callable(self.status) else int(self.status or 0)


def visitor(status: int, member: int) -> Callable[[Actor], int]:
    """``status`` for whoever is not signed in, ``member`` for the others. A token signs nobody in to a page."""
    return lambda actor: member if actor.role is not None and not actor.is_token else status


def named(statuses: dict[str, int], otherwise: int) -> Callable[[Actor], int]:
    """The status by actor's name."""
    return lambda actor: statuses.get(actor.name, otherwise)


def at_the_door(actor: Actor) -> int:
    """The sign-in page: whoever is in, or half-way in, is sent on."""
    return 302 if actor.name in {"halfway", "unverified"} else visitor(200, 302)(actor)


def with_factors(status: int, without: int) -> Callable[[Actor], int]:
    """``status`` for those who have a second factor."""
    return named({"owner": status, "owner of B": status}, without)


def example_of(route: Route, method: str) -> Example:
    """The example of a route and method, with its status filled in."""
    example = EXAMPLES.get(f"{method} {route.name}", Example())
    if example.status is not None:
        return example
    return replace(example, status=_documented(route, method) or DEFAULT_STATUS[method])


def _documented(route: Route, method: str) -> int | None:
    """The success that the API's document promises."""
    if not route.is_api:
        return None
    address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.pattern)
    operation = document()["paths"].get(address, {}).get(method.lower(), {"responses": {}})
    return min((int(status) for status in operation["responses"] if status < "300"), default=None)


def owner_chosen(name: str) -> Callable[[World, Actor], dict[str, Any]]:
    """A form whose field ``name`` names a colleague who may own accounts."""
    return lambda world, actor: {name: world.people_of(actor)["vp"].pk}


def of_account(fields: dict[str, Any]) -> Callable[[World, Actor], dict[str, Any]]:
    """A body about account 1."""
    return lambda world, actor: {**fields, "account": str(world.own("account").pk)}


def tomorrow() -> str:
    """A day that is still to come."""
    return (timezone.now().date() + timedelta(days=2)).isoformat()


def put_off(world: World, actor: Actor) -> dict[str, Any]:
    """Until a day to come, with a reason."""
    return {"until_on": tomorrow(), "reason": "Waiting"}


def overridden(world: World, actor: Actor) -> dict[str, Any]:
    """An override in the bands of the account's scorecard."""
    return {"band": world.own("override").band, "reason": "Sponsor is back", "until": tomorrow()}


def item_values(world: World, actor: Actor) -> dict[str, Any]:
    """The values of the seeded item as they are: nothing to change, and nothing wrong."""
    return {each.field.path: each.value if each.value is not None else "" for each in world.own("item_fields")}


def definition(seed: str, **changes: str) -> Callable[[World, Actor], dict[str, Any]]:
    """The definition of a seeded version, with another key for a new one."""
    return lambda world, actor: {"definition": {**world.own(seed).definition, **changes}}


def raised(world: World, actor: Actor, prefix: str = "") -> dict[str, Any]:
    """An escalation with every part of its message."""
    fields = world.own("ladder").definition["template"]["fields"]
    parts = {f"{prefix}part-fleet-{number}": "As told" for number in range(len(fields))}
    return {"step": "fleet|default|T2", "reason": "Integration fails", **parts}


def other_ticket(world: World, actor: Actor) -> dict[str, Any]:
    """Another ticket of the same account."""
    return {"ticket": str(world.own("ticket_other").pk)}


def csv_file(world: World, actor: Actor) -> dict[str, Any]:
    """A file of one account."""
    file = SimpleUploadedFile("accounts.csv", b"id,name\nN-1,New\n", content_type="text/csv")
    return {"target": "accounts", "source": "crm", "file": file}


DETAILS = {"severity": "matrix", "impact": "1", "type": "problem"}
PROMISE = {"value": 4, "unit": "hours", "op": "<="}
TRIGGER_RULE = {
    "name": "Gone quiet",
    "c-0-0-what": "absent:meeting",
    "c-0-0-days": "100",
    "actions": "Call them",
    "do": "save",
}
CALENDAR = {"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}}
WORKSPACE = {
    "timezone": "UTC",
    "company": "Matrix",
    "pack": "generic",
    "name": "Olga",
    "email": "olga@matrix.example.com",
    "password": PASSWORD,
}


def article_form(world: World, actor: Actor) -> dict[str, Any]:
    """The editor's fields."""
    shelf = shelf_of(world, actor)
    return {"title": "T", "body": "B", "category": shelf.pk, "audience": "internal", "check_every_days": "90"}


def shelf_of(world: World, actor: Actor) -> Category:
    """The category of the actor's own workspace."""
    return world.rows[("category", "foreign" if actor.tenant == "b" else "own")]


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
METRIC = {"key": "seats_used", "name": "Seats used"}
NEW_PASSWORD = "another long password"


# allauth's forms answer 200 with the error; ours 422.
def theirs(world: World, actor: Actor, seed: str) -> Any:
    """The row of the tenant ``actor`` knocks at."""
    return world.row(seed, "own" if actor.tenant == "a" else "foreign")


def edited(world: World, actor: Actor) -> dict[str, Any]:
    """The editor's fields for a new version, as they came."""
    return {**fields_of(world.own("version").definition), "do": "save"}


EXAMPLES: dict[str, Example] = {
    # Signing in and one's own security
    "GET account_login": Example(status=at_the_door),
    "POST account_login": Example({"login": "nobody@example.com", "password": "wrong"}, status=at_the_door),
    "GET account_logout": Example(status=visitor(302, 200)),
    "GET account_email_verification_sent": Example(status=named({"unverified": 200}, 302)),
    "POST account_email_verification_sent": Example(status=named({"unverified": 200}, 302)),
    "GET account_email": Example(status=302),
    "POST account_reauthenticate": Example({"password": PASSWORD}),
    "POST account_change_password": Example(
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    ),
    "GET account_set_password": Example(status=302),
    "POST account_reset_password": Example({"email": "nobody@example.com"}),
    "GET account_reset_password_from_key": Example(status=302),
    "GET mfa_authenticate": Example(status=named({"halfway": 200}, 302)),
    "POST mfa_authenticate": Example({"code": "000000"}, status=named({"halfway": 200}, 302)),
    "GET mfa_reauthenticate": Example(status=with_factors(200, 302)),
    "POST mfa_reauthenticate": Example({"code": "000000"}, status=with_factors(200, 302)),
    "GET mfa_activate_totp": Example(status=with_factors(302, 200)),
    "POST mfa_activate_totp": Example({"code": "000000"}, status=with_factors(302, 200)),
    "GET mfa_deactivate_totp": Example(status=with_factors(200, 404)),
    "POST mfa_deactivate_totp": Example(status=with_factors(302, 404)),
    "GET mfa_view_recovery_codes": Example(status=with_factors(200, 404)),
    "GET mfa_download_recovery_codes": Example(status=with_factors(200, 404)),
    "POST mfa_generate_recovery_codes": Example(status=with_factors(302, 200)),
    "POST mfa_add_webauthn": Example({"name": "Key"}, status=200),
    "GET mfa_login_webauthn": Example(status=302),
    "GET mfa_reauthenticate_webauthn": Example(status=with_factors(200, 302)),
    "POST mfa_edit_webauthn": Example({"name": "Desk"}),
    # People
    "POST people:user-invite": Example({"email": "new@example.org", "role": "csm"}),
    "POST people:invitation-accept": Example({"name": "Eva", "password": PASSWORD}),
    "POST people:token-list": Example(
        lambda world, actor: {
            "name": "Sync",
            "user": world.people_of(actor)["reader"].pk,
            "scopes": ["read"],
            "days": 30,
        },
        status=201,
    ),
    "POST people:profile": Example({"name": "Ann", "title": "", "timezone": "", "theme": "auto"}),
    "POST accounts:workspace-settings": Example({"name": "Acme", "timezone": "UTC", "currency": "EUR"}),
    "POST people:user-role": Example({"role": "trainer"}),
    # Knowledge base
    "POST knowledge:article-create": Example(article_form),
    "POST knowledge:article-edit": Example(article_form),
    "POST knowledge:preview": Example({"body": "# Hello"}, status=200),
    "GET knowledge:suggest": Example(query="?q=customers"),
    "POST knowledge:category-list": Example({"title": "More"}),
    "POST knowledge:category-edit": Example({"title": "More", "position": "1"}),
    "POST knowledge:article-review": Example({"kind": "technical", "verdict": "approve"}),
    "POST knowledge:article-vote": Example({"helpful": "yes"}),
    "POST knowledge:article-solved": Example({"q": "export"}),
    "POST knowledge:gap": Example({"q": "export"}),
    "POST api:article-list": Example(
        lambda world, actor: {"title": "T", "body": "B", "category": shelf_of(world, actor).key}
    ),
    "PATCH api:article-detail": Example({"title": "Changed"}),
    "POST api:article-review": Example({"kind": "technical", "verdict": "approve"}),
    # The account record
    "GET accounts:home": Example(status=302),
    "POST accounts:theme-set": Example({"theme": "dark"}),
    "GET accounts:search": Example(query="?q=canary"),
    "POST accounts:account-create": Example({"name": "New", "status": "active", "currency": "USD"}),
    "POST accounts:account-edit": Example({"name": "New", "status": "active", "currency": "USD"}),
    "POST accounts:account-owner": Example(owner_chosen("owner")),
    "POST accounts:edit-list": Example(lambda world, actor: {"set": "segment:", "id": world.own("account").pk}),
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
    # Work
    "POST playbooks:cta-create": Example(
        lambda world, actor: {"account": world.own("account").pk, "title": "Call", "kind": "risk", "priority": "high"},
        about=IN_FORM,
    ),
    "POST playbooks:cta-edit": Example({"title": "Call", "kind": "risk", "priority": "high", "due_on": "2027-01-31"}),
    "POST playbooks:cta-close": Example({"close-outcome": "resolved"}),
    "POST playbooks:cta-snooze": Example({"snooze-until_on": tomorrow(), "snooze-reason": "Waiting"}),
    "POST playbooks:cta-reassign": Example(owner_chosen("reassign-owner")),
    "POST playbooks:cta-move": Example(
        lambda world, actor: {"by": "priority", f"to-{world.own('cta_open').pk}": "low"}
    ),
    "POST playbooks:task-add": Example({"task-title": "Call"}),
    "POST playbooks:playbook-detail": Example({"trigger_keys": ""}),
    "POST api:cta-list": Example(of_account({"title": "Call", "kind": "risk", "priority": "high"}), about=IN_BODY),
    "PATCH api:cta-detail": Example({"title": "Call"}),
    "POST api:cta-close": Example({"outcome": "resolved"}),
    "POST api:cta-snooze": Example({"until": tomorrow(), "reason": "Waiting"}),
    "POST api:cta-reassign": Example({"owner": "vp@a.example.com"}),
    "POST api:task-list": Example(
        lambda world, actor: {"cta": str(world.own("cta_open").pk), "title": "Call"}, about=BY_KEY
    ),
    "PATCH api:task-detail": Example({"title": "Call"}),
    "PATCH api:playbook-detail": Example({"triggers": []}),
    # My day: a page sends on to the list
    "POST myday:cta-done": Example({"outcome": "resolved"}),
    "POST myday:cta-snooze": Example(put_off),
    "POST myday:cta-reassign": Example(owner_chosen("owner")),
    "POST myday:task-snooze": Example(put_off),
    "POST myday:task-reassign": Example(owner_chosen("owner")),
    "POST myday:step-snooze": Example(put_off),
    "POST myday:step-reassign": Example(owner_chosen("owner")),
    "POST myday:notice-snooze": Example(put_off),
    "POST myday:account-snooze": Example(put_off),
    "POST myday:account-reassign": Example(owner_chosen("owner")),
    "POST myday:account-log": Example({"kind": "call", "title": "Talked"}),
    # Usage
    "POST usage:parked-map": Example(
        lambda world, actor: {"source": "crm", "external_id": "X-9", "account": world.own("account").pk}
    ),
    "POST usage:metric-list": Example(METRIC | {"kind": "number", "aggregation": "latest"}),
    "POST usage:feature-list": Example({"features": "login"}),
    "POST usage:metric-history": Example({"on": "2026-01-31", "value": "1"}),
    "POST api:usage-events": Example({"events": []}, status=202),
    "POST api:usage-metrics": Example({"metrics": []}, status=202),
    "POST api:usage-metric-definitions": Example(METRIC),
    # Health
    "POST health:scorecard-detail": Example(),
    "POST health:scorecard-draft": Example(
        lambda world, actor: {"definition": json.dumps(world.own("version").definition), "note": "Tried"}
    ),
    "POST health:scorecard-simulator": Example(status=200),
    "POST health:scorecard-edit": Example(edited),
    "POST health:scorecard-version": Example({"do": "unschedule"}),
    "POST health:scorecard-use": Example({"is_default": "on"}),
    "POST health:scorecard-create": Example(
        lambda world, actor: {"name": "Own", "key": "matrix-own", "copy": theirs(world, actor, "scorecard").pk}
    ),
    "POST health:backtest-list": Example(
        lambda world, actor: {
            "version": theirs(world, actor, "version").pk,
            "months": 3,
            "step": "month",
            "horizon_days": 90,
            "basis": "recorded",
        }
    ),
    "POST health:backtest-detail": Example({"do": "delete"}),
    "PUT api:scorecard-draft": Example(definition("version")),
    "POST api:scorecard-schedule": Example({"on": tomorrow()}, status=200),
    "POST api:scorecard-roll-back": Example(status=200),
    "POST api:backtest-list": Example(
        lambda world, actor: {"scorecard": world.own("scorecard").key, "version": 1, "months": 1},
        status=201,
    ),
    "POST api:backtest-cancel": Example(status=200),
    "POST health:trigger-detail": Example({"do": "off"}),
    "POST health:dry-run-list": Example({"days": 7}),
    "PUT api:trigger-draft": Example(definition("trigger_version"), status=200),
    "POST api:trigger-draft": Example(status=200),
    "POST api:trigger-dry-run": Example({"days": 7}, status=201),
    "POST health:trigger-new": Example(TRIGGER_RULE),
    "POST health:trigger-edit": Example(TRIGGER_RULE),
    "POST health:automation-limits": Example({"account_max": "3", "account_days": "7"}),
    "POST health:trigger-simulator": Example(status=200),
    "GET health:receipt": Example(),
    "POST health:receipt": Example(status=200),
    "POST accounts:portfolio-figure": Example(status=200),
    "POST accounts:board-packs": Example(),
    "POST api:account-health-events": Example({"event": "churn_threat"}),
    "POST api:account-trigger-snooze": Example({"until": f"{tomorrow()}T00:00:00Z", "reason": "Known"}),
    "POST api:override-list": Example(
        lambda world, actor: {
            "account": str(world.own("account").pk),
            "band": world.own("override").band,
            "reason": "Sponsor is back",
            "expires_at": f"{tomorrow()}T00:00:00Z",
        },
        about=BY_KEY,
    ),
    "POST api:scorecard-list": Example(definition("version", key="matrix-card")),
    "PATCH api:scorecard-detail": Example({"segments": []}),
    "POST api:scorecard-versions": Example(definition("version")),
    "POST api:scorecard-simulate": Example({"inputs": {}}),
    "POST api:trigger-list": Example(definition("trigger_version", key="matrix-trigger")),
    "PUT api:trigger-detail": Example(definition("trigger_version")),
    "PATCH api:trigger-detail": Example({"is_enabled": True}),
    "POST api:trigger-simulate": Example({"facts": {}}),
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
    # Support
    "POST support:try-policy": Example({"policy": "none"}, status=422),
    "POST support:try-clocks": Example({"calendar": "none"}, status=422),
    "POST support:try-decision": Example({"is_technical": "on"}, status=200),
    "POST support:rate": Example({"score": "5"}),
    "POST support:mail-bulk": Example({"do": "discard"}),
    "POST support:mail-detail": Example(of_account({})),
    "POST support:mail-settings": Example({"mails_per_hour": "30"}),
    "POST support:ticket-create": Example(
        of_account({"subject": "Down", "body": "It is", **DETAILS, "channel": "phone"}), about=IN_FORM, agents=True
    ),
    "POST support:ticket-edit": Example({"subject": "Still down", **DETAILS}),
    "POST support:ticket-reply": Example({"body": "Looking into it", "status": "open"}),
    "POST support:ticket-status": Example({"status": "waiting_customer"}),
    "POST support:ticket-assign": Example({"assignee": "me"}),
    "POST support:ticket-tags": Example({"tags": "login"}),
    "POST support:ticket-level": Example({"level": "2", "reason": "Logs needed"}),
    "POST support:ticket-time": Example({"time-minutes": "5"}),
    "POST support:ticket-relate": Example(
        lambda world, actor: {"relate-number": world.own("ticket_other").number, "relate-how": "related"}
    ),
    "POST support:ticket-split": Example({"subject": "Another thing"}),
    "POST support:ticket-escalate": Example(raised),
    "POST support:account-escalate": Example(raised),
    "POST support:escalation-begin": Example({"begin-body": "Called them"}),
    "POST support:escalation-update": Example({"update-body": "Fix is in test"}),
    "POST support:escalation-pass-on": Example(
        lambda world, actor: {**raised(world, actor, "pass-"), "pass-level": "T2", "pass-reason": "Needs a specialist"}
    ),
    "POST support:escalation-owner": Example(owner_chosen("owner")),
    "POST support:escalation-end": Example({"end-outcome": "resolved"}),
    "POST portal:ticket-create": Example(
        lambda world, actor: {
            "account": str(world.row("account", "other" if actor.name == "portal2" else "own").pk),
            "subject": "Down",
            "body": "It is",
            "severity": "matrix",
            "impact": "1",
        }
    ),
    "POST portal:ticket-answer": Example({"answer-body": "It is back"}),
    "POST portal:ticket-rate": Example({"rating-score": "5"}),
    "POST support:macro-create": Example({"name": "Thanks", "body": "Thank you"}),
    "POST support:macro-edit": Example({"name": "Thanks", "body": "Thank you"}),
    "POST support:ticket-here": Example({"typing": "1"}, status=200),
    "POST support:ticket-bulk": Example({"verb": "assign", "to": "me"}),
    "POST api:ticket-list": Example(
        of_account({"subject": "Down", "impact": 1, "severity": "matrix"}), about=IN_BODY, agents=True, status=201
    ),
    "PATCH api:ticket-detail": Example({"subject": "Still down"}),
    "POST api:ticket-status": Example({"status": "open"}, status=200),
    "POST api:ticket-severity": Example({"severity": "matrix"}, status=200),
    "POST api:ticket-assign": Example({"assignee": ""}, status=200),
    "POST api:ticket-level": Example({"level": 2, "reason": "Logs needed"}, status=200),
    "POST api:ticket-merge": Example(other_ticket, status=200),
    "POST api:ticket-link": Example(other_ticket, status=200),
    "POST api:ticket-split": Example(
        lambda world, actor: {
            "message": str(world.own("ticket").messages.order_by("-created_at", "-pk").first().pk),
            "subject": "Another thing",
        },
        status=201,
    ),
    "POST api:ticket-rate": Example({"score": 5}, status=200),
    "POST api:ticket-time": Example({"minutes": 5}, status=200),
    "POST api:ticket-messages": Example({"body": "Looking into it"}, status=201),
    "POST api:escalation-list": Example(
        of_account({"ladder": "fleet", "path": "default", "reason": "Threatens to leave"}), about=IN_BODY, status=201
    ),
    "POST api:escalation-begin": Example({"body": "Called them"}, status=200),
    "POST api:escalation-update": Example({"body": "Fix is in test"}, status=200),
    "POST api:escalation-pass-on": Example({"level": "T2", "reason": "needs specialist technical help"}, status=200),
    "POST api:escalation-owner": Example({"owner": "vp@a.example.com"}, status=200),
    "POST api:escalation-resolve": Example({"outcome": "resolved"}, status=200),
    "POST api:escalation-decide": Example({"facts": {"is_churn_risk": True}}, status=200),
    "POST api:sla-policy-list": Example(
        {"key": "gold", "name": "Gold", "calendar": "matrix", "rules": [{"severity": "*", "response": PROMISE}]},
        status=201,
    ),
    "PATCH api:sla-policy-detail": Example({"name": "Other"}),
    "POST api:sla-policy-simulate": Example({"created_at": "2026-11-24T10:00:00Z"}, status=200),
    "POST api:sla-simulate": Example(
        {
            "calendar": CALENDAR,
            "target_minutes": {"resolution": 60},
            "events": [{"type": "created", "at": "2026-11-24T10:00:00Z"}],
        },
        status=200,
    ),
    "POST api:escalation-acknowledge": Example(status=200),
    # API of the account record
    "POST api:account-list": Example({"name": "New"}),
    "POST api:account-bulk": Example({"source": "crm", "accounts": []}),
    "PATCH api:account-detail": Example({"name": "New"}),
    "POST api:account-names": Example({"source": "erp", "external_id": "E-1"}),
    "PUT api:account-by-external-id": Example({"name": "New"}, status=200),
    "POST api:activity-list": Example(of_account({"kind": "note", "title": "Talked"}), about=IN_BODY),
    "PATCH api:activity-step": Example({"done": True}),
    "POST api:contact-list": Example(of_account({"name": "Kim"}), about=IN_BODY),
    "POST api:contact-bulk": Example({"source": "crm", "contacts": []}),
    "PATCH api:contact-detail": Example({"name": "Kim"}),
    "POST api:contract-list": Example(of_account({"start_on": "2026-01-01"}), about=IN_BODY),
    "POST api:contract-bulk": Example({"source": "crm", "contracts": []}),
    "PATCH api:contract-detail": Example({"number": "C-1"}),
    # Addresses below /api/v1/ that nothing serves
    **{f"{method} api:unknown": Example(status=404) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    # The operators' workspace and the public host
    "POST console:tenant-create": Example(WORKSPACE | {"slug": "matrix-made"}),
    "POST console:tenant-suspend": Example({"reason": "Not paid"}),
    "POST console:tenant-limits": Example({"users": "5"}),
    "POST console:tenant-offboard": Example({"confirmation": "acme"}),
    "POST signup:sign-up": Example(WORKSPACE | {"slug": "matrix-signed"}),
}
