"""The policy table: who may do what. Pages, API, exports and search all ask here (DESIGN §8).

``CAPABILITIES`` names each thing a person can do and the roles that may. A view declares the capability each
of its methods needs with ``@requires(GET="accounts.view", POST="accounts.edit")``; the authorisation matrix
in ``tests/authz`` reads the same declarations and tries every route with every kind of actor.

Which rows a person sees is not decided here but by ``.visible_to(user)``: what may not be seen is 404,
what may be seen but not done is 403.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts.choices import ADMIN_ROLES, LEADER_ROLES, PORTAL_ROLES, STAFF_ROLES, Role, Scope

EVERYONE = frozenset(Role)
WRITERS = STAFF_ROLES - {Role.READ_ONLY}
# Those who work accounts: they see money and keep the record. Agents and trainers serve them and log what they did.
ACCOUNT_TEAM = LEADER_ROLES | {Role.CSM, Role.RENEWALS, Role.ONBOARDING}
COMMERCIAL = LEADER_ROLES | {Role.CSM, Role.RENEWALS}
ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Capability:
    """``roles`` that may, and the ``scope`` an API token needs besides."""

    roles: frozenset[str]
    scope: str


CAPABILITIES: dict[str, Capability] = {
    # Account record
    "accounts.view": Capability(STAFF_ROLES, Scope.READ),
    "accounts.edit": Capability(ACCOUNT_TEAM, Scope.WRITE),
    "accounts.create": Capability(COMMERCIAL, Scope.WRITE),
    "accounts.delete": Capability(ADMIN_ROLES, Scope.ADMIN),
    "accounts.export": Capability(COMMERCIAL, Scope.READ),
    "views.save": Capability(STAFF_ROLES, Scope.WRITE),
    "views.share": Capability(WRITERS, Scope.WRITE),
    "segments.edit": Capability(LEADER_ROLES | {Role.CSM}, Scope.WRITE),
    "fields.edit": Capability(ADMIN_ROLES, Scope.ADMIN),
    "activity.log": Capability(WRITERS, Scope.WRITE),
    # Usage
    "usage.view": Capability(STAFF_ROLES, Scope.READ),
    "usage.write": Capability(LEADER_ROLES | {Role.CSM}, Scope.WRITE),
    "usage.ingest": Capability(LEADER_ROLES, Scope.WRITE),
    # Health
    "health.view": Capability(STAFF_ROLES, Scope.READ),
    "health.override": Capability(LEADER_ROLES | {Role.CSM}, Scope.WRITE),
    "health.configure": Capability(LEADER_ROLES, Scope.ADMIN),
    # Where the system's signal and the call on a renewal disagree.
    "renewals.decide": Capability(LEADER_ROLES, Scope.WRITE),
    "portfolio.view": Capability(STAFF_ROLES - {Role.SUPPORT_AGENT, Role.TRAINER}, Scope.READ),
    "portfolio.views": Capability(STAFF_ROLES - {Role.SUPPORT_AGENT, Role.TRAINER}, Scope.WRITE),
    # What goes to the board holds every account, and is for those who answer for all of them.
    "portfolio.packs": Capability(LEADER_ROLES, Scope.READ),
    "portfolio.targets": Capability(LEADER_ROLES, Scope.WRITE),
    # Work
    "ctas.view": Capability(STAFF_ROLES, Scope.READ),
    "ctas.work": Capability(WRITERS, Scope.WRITE),
    "playbooks.view": Capability(STAFF_ROLES, Scope.READ),
    "notifications.own": Capability(EVERYONE, Scope.READ),
    # Support
    "tickets.view": Capability(STAFF_ROLES, Scope.READ),
    "tickets.work": Capability(LEADER_ROLES | {Role.CSM, Role.SUPPORT_AGENT, Role.ONBOARDING}, Scope.WRITE),
    "escalations.view": Capability(STAFF_ROLES, Scope.READ),
    "escalations.work": Capability(WRITERS, Scope.WRITE),
    "incidents.view": Capability(STAFF_ROLES, Scope.READ),
    "incidents.work": Capability(LEADER_ROLES | {Role.CSM, Role.SUPPORT_AGENT, Role.ONBOARDING}, Scope.WRITE),
    # Mail nobody could place is of no account yet: it is for those who see them all.
    "mail.sort": Capability(LEADER_ROLES | {Role.SUPPORT_AGENT}, Scope.WRITE),
    "support.configure": Capability(LEADER_ROLES, Scope.ADMIN),
    # Knowledge base
    "kb.read": Capability(EVERYONE, Scope.READ),
    "kb.view": Capability(STAFF_ROLES, Scope.READ),
    "kb.write": Capability(WRITERS, Scope.WRITE),
    "kb.publish": Capability(LEADER_ROLES | {Role.SUPPORT_AGENT}, Scope.WRITE),
    # Administration
    "methodology.view": Capability(STAFF_ROLES, Scope.READ),
    "methodology.edit": Capability(ADMIN_ROLES, Scope.ADMIN),
    "imports.run": Capability(LEADER_ROLES, Scope.WRITE),
    "users.view": Capability(STAFF_ROLES, Scope.READ),
    # For oneself; leaders for everybody (``actions.stand_ins``).
    "absences.set": Capability(ACCOUNT_TEAM, Scope.WRITE),
    "users.manage": Capability(ADMIN_ROLES, Scope.ADMIN),
    "tokens.manage": Capability(ADMIN_ROLES, Scope.ADMIN),
    # What is sent to another system is seen by whoever sets it up: those who see everything.
    "webhooks.manage": Capability(ADMIN_ROLES, Scope.ADMIN),
    "audit.view": Capability(ADMIN_ROLES, Scope.ADMIN),
    "workspace.edit": Capability(ADMIN_ROLES, Scope.ADMIN),
    "outbox.view": Capability(ADMIN_ROLES, Scope.ADMIN),
    # One's own things
    "profile.own": Capability(EVERYONE, Scope.READ),
    "portal.view": Capability(PORTAL_ROLES, Scope.READ),
}


def may(user: Any, capability: str, scopes: Iterable[str] | None = None) -> bool:
    """Whether ``user``'s role holds ``capability``. Inactive and anonymous users hold none.

    ``scopes`` are those of an API token: then the capability's scope must be among them too. Each scope is
    given by itself: a token with ``write`` alone cannot read.
    """
    if not user.is_authenticated or not user.is_active:
        return False
    needed = CAPABILITIES[capability]
    return user.role in needed.roles and (scopes is None or needed.scope in scopes)


def may_grant(user: Any, role: str) -> bool:
    """Whether ``user`` may give ``role``, take it away or act on somebody who has it: owners are owners' business."""
    return may(user, "users.manage") and (role != Role.OWNER or user.role == Role.OWNER)


def require(user: Any, capability: str) -> None:
    """Raise PermissionDenied unless ``user`` may."""
    if not may(user, capability):
        raise PermissionDenied(capability)


def requires(**methods: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Declare and enforce the capability of each method of a page view; other methods are 405.

    HEAD follows GET. Use ``"anonymous"`` for a page that needs no login.
    """
    for capability in methods.values():
        if capability != ANONYMOUS and capability not in CAPABILITIES:
            raise LookupError(f"{capability} is not in the policy table")

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            method = "GET" if request.method == "HEAD" else request.method
            capability = methods.get(method or "")
            if capability is None:
                return HttpResponseNotAllowed(sorted(methods))
            if capability != ANONYMOUS:
                require(request.user, capability)
            return view(request, *args, **kwargs)

        guarded.policy = dict(methods)  # type: ignore[attr-defined]
        if ANONYMOUS in methods.values():
            login_not_required(guarded)
        return guarded

    return decorate
