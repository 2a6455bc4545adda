"""A valid request for each address that needs more than its path: the positive control sends these.

``EXAMPLES`` maps ``METHOD route-name`` to an ``Example``. Without one, a GET is sent bare and must answer
200, and any other method is sent with an empty body and must answer with ``DEFAULT_STATUS``. Where that fails,
the positive control says which line to add here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from tests.authz.actors import PASSWORD

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.routes import Route
    from tests.authz.world import World

DEFAULT_STATUS = {
    ("page", "GET"): 200,
    ("page", "POST"): 302,
    ("api", "GET"): 200,
    ("api", "POST"): 201,
    ("api", "PUT"): 200,
    ("api", "PATCH"): 200,
    ("api", "DELETE"): 204,
}


@dataclass(frozen=True, slots=True)
class Example:
    """``body`` (or a function of world and actor that makes one), query string, headers, and the status it earns.

    ``status`` may be a function of the actor, where an address answers people differently by design.
    """

    body: dict[str, Any] | list[Any] | Callable[[World, Actor], Any] = field(default_factory=dict)
    status: int | Callable[[Actor], int] | None = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)

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
    return replace(example, status=DEFAULT_STATUS[("api" if route.is_api else "page", method)])


def owner_chosen(name: str) -> Callable[[World, Actor], dict[str, Any]]:
    """A form whose field ``name`` names a colleague who may own accounts."""
    return lambda world, actor: {name: world.people_of(actor)["vp"].pk}


def of_account(fields: dict[str, Any]) -> Callable[[World, Actor], dict[str, Any]]:
    """A body about account 1."""
    return lambda world, actor: {**fields, "account": str(world.own("account").pk)}


def tomorrow() -> str:
    """A day that is still to come."""
    return (timezone.now().date() + timedelta(days=2)).isoformat()


def overridden(world: World, actor: Actor) -> dict[str, Any]:
    """An override in the bands of the account's scorecard."""
    return {"band": world.own("override").band, "reason": "Sponsor is back", "until": tomorrow()}


CONTRACT = {
    "status": "active",
    "start_on": "2026-01-01",
    "currency": "USD",
    "lines-TOTAL_FORMS": "0",
    "lines-INITIAL_FORMS": "0",
}
METRIC = {"key": "seats_used", "name": "Seats used"}
NEW_PASSWORD = "another long password"
# allauth's forms answer 200 with the error; ours 422.
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
    "POST people:user-role": Example({"role": "trainer"}),
    # The account record
    "GET accounts:search": Example(query="?q=canary"),
    "POST accounts:account-create": Example({"name": "New", "status": "active", "currency": "USD"}),
    "POST accounts:account-edit": Example({"name": "New", "status": "active", "currency": "USD"}),
    "POST accounts:account-owner": Example(owner_chosen("owner")),
    "POST accounts:account-assign": Example(
        lambda world, actor: {"new_owner": world.people_of(actor)["vp"].pk, "id": world.own("account").pk}
    ),
    "POST accounts:activity-log": Example({"kind": "call", "title": "Talked"}),
    "POST accounts:contact-create": Example({"name": "Kim", "stakeholder_role": "other"}),
    "POST accounts:contact-edit": Example({"name": "Kim", "stakeholder_role": "other"}),
    "POST accounts:contact-left": Example({"left_on": "2026-01-31"}),
    "POST accounts:contract-create": Example(CONTRACT),
    "POST accounts:contract-edit": Example(CONTRACT),
    "POST accounts:account-health": Example(overridden),
    # Work
    "POST playbooks:cta-create": Example(
        lambda world, actor: {"account": world.own("account").pk, "title": "Call", "kind": "risk", "priority": "high"},
        status=named({"agent": 422, "trainer": 422, "renewals": 422, "csm_other": 422, "owner of B": 422}, 302),
    ),
    "POST playbooks:cta-edit": Example({"title": "Call", "kind": "risk", "priority": "high", "due_on": "2027-01-31"}),
    "POST playbooks:cta-close": Example({"close-outcome": "resolved"}),
    "POST playbooks:cta-snooze": Example({"snooze-until_on": tomorrow(), "snooze-reason": "Waiting"}),
    "POST playbooks:cta-reassign": Example(owner_chosen("reassign-owner")),
    "POST playbooks:task-add": Example({"task-title": "Call"}),
    "POST playbooks:playbook-detail": Example({"trigger_keys": ""}),
    # Usage
    "POST usage:parked-map": Example(
        lambda world, actor: {"source": "crm", "external_id": "X-9", "account": world.own("account").pk}
    ),
    "POST usage:metric-list": Example(
        {"key": "seats_used", "name": "Seats used", "kind": "number", "aggregation": "latest"}
    ),
    "POST usage:feature-list": Example({"features": "login"}),
    "POST usage:metric-history": Example({"on": "2026-01-31", "value": "5"}),
    # Methodology
    "POST packs:calendar-simulator": Example(),
    "POST packs:item-edit": Example(),
    "POST packs:item-reset": Example(),
    # API
    "POST api:account-list": Example({"name": "New"}),
    "POST api:account-bulk": Example(
        {"source": "crm", "accounts": [{"external_id": "N-1", "name": "New"}]}, status=200
    ),
    "PATCH api:account-detail": Example({"name": "New"}),
    "POST api:account-names": Example({"source": "erp", "external_id": "E-1"}),
    "PUT api:account-by-external-id": Example({"name": "New"}),
    "POST api:activity-list": Example(of_account({"kind": "note", "title": "Talked"})),
    "POST api:contact-list": Example(of_account({"name": "Kim"})),
    "POST api:contact-bulk": Example({"source": "crm", "contacts": []}, status=200),
    "PATCH api:contact-detail": Example({"name": "Kim"}),
    "POST api:contract-list": Example(of_account({"start_on": "2026-01-01"})),
    "POST api:contract-bulk": Example({"source": "crm", "contracts": []}, status=200),
    "PATCH api:contract-detail": Example({"number": "C-1"}),
    "POST api:usage-events": Example({"events": []}, status=202),
    "POST api:usage-metrics": Example({"metrics": []}, status=202),
    "POST api:usage-metric-definitions": Example(METRIC),
}
