"""Reads about the people of a workspace: the users page, its export and the roles page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.choices import PORTAL_ROLES, STAFF_ROLES, Role
from accounts.models import Account, ApiToken, Invitation, User
from accounts.policy import CAPABILITIES, COMMERCIAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models.people import UserQuerySet

STATES = {"active": "Active", "deactivated": "Deactivated"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the users page is narrowed to; empty means everything. Unknown words count as empty."""

    search: str = ""
    role: str = ""
    state: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filter:
        """The filter in a query string."""
        role, state = query.get("role", ""), query.get("state", "")
        return cls(
            search=query.get("q", "").strip()[:100],
            role=role if role in Role.values else "",
            state=state if state in STATES else "",
        )


def users_matching(wanted: Filter, viewer: User) -> UserQuerySet:
    """Users of ``wanted`` that ``viewer`` may see, by name, in one query.

    Each has ``owned`` (accounts), ``has_second_factor`` and ``tokens``.
    """
    rows = User.objects.visible_to(viewer)
    if wanted.search:
        rows = rows.filter(Q(name__icontains=wanted.search) | Q(email__icontains=wanted.search))
    if wanted.role:
        rows = rows.filter(role=wanted.role)
    if wanted.state:
        rows = rows.filter(is_active=wanted.state == "active")
    return rows.annotate(
        owned=_count_of(Account.objects.unarchived(), "owner"),
        tokens=_count_of(ApiToken.objects.filter(revoked_at=None), "user"),
        has_second_factor=Exists(
            Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
        ),
    ).order_by("-is_active", "name", "email", "pk")


def _count_of(rows: object, owner: str) -> Coalesce:
    counted = (
        rows.filter(**{owner: OuterRef("pk")}).order_by().values(owner).annotate(n=Count("pk")).values("n")  # type: ignore[attr-defined]
    )
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def pending_invitations() -> list[Invitation]:
    """Invitations neither accepted nor revoked, newest first, expired ones included. One query."""
    rows = Invitation.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return list(rows.order_by("-created_at"))


def successors_of(user: User) -> UserQuerySet:
    """Active colleagues who may own accounts, and so can take over ``user``'s."""
    return User.objects.active().filter(role__in=COMMERCIAL).exclude(pk=user.pk).order_by("name", "email")


def tokens_for_page(at: datetime) -> list[ApiToken]:
    """All tokens, live ones first, each with ``state`` at ``at``. One query."""
    tokens = list(ApiToken.objects.select_related("user").order_by("-created_at"))
    for token in tokens:
        token.state = "revoked" if token.revoked_at else "expired" if token.expires_at <= at else "live"
    return sorted(tokens, key=lambda token: token.state != "live")


# The policy table in the words of the roles page; a test keeps it equal to CAPABILITIES.
CAPABILITY_NAMES = {
    "accounts.view": "See accounts, contacts and contracts",
    "accounts.edit": "Change accounts, contacts and contracts",
    "accounts.create": "Create accounts",
    "accounts.delete": "Archive accounts",
    "accounts.export": "Export accounts",
    "views.save": "Save views of lists",
    "views.share": "Share views with colleagues",
    "segments.edit": "Make and change segments",
    "fields.edit": "Define own fields of accounts",
    "activity.log": "Log notes, calls and meetings",
    "usage.view": "See usage",
    "usage.write": "Enter usage",
    "usage.ingest": "Send usage from another system",
    "health.view": "See health scores",
    "health.override": "Override a score",
    "health.configure": "Change scorecards and triggers",
    "portfolio.view": "See the portfolio",
    "portfolio.views": "Save views of the portfolio",
    "portfolio.packs": "Make and read board packs",
    "renewals.decide": "Decide between two signals on a renewal",
    "portfolio.targets": "Set targets of the portfolio",
    "ctas.view": "See CTAs",
    "ctas.work": "Work CTAs and tasks",
    "playbooks.view": "See playbooks",
    "notifications.own": "Own notifications",
    "tickets.view": "See tickets",
    "tickets.work": "Answer and work tickets",
    "escalations.view": "See escalations",
    "escalations.work": "Raise and work escalations",
    "incidents.view": "See incidents",
    "incidents.work": "Open and work incidents, tell customers",
    "mail.sort": "Sort incoming mail",
    "support.configure": "Change service levels, teams and macros",
    "kb.read": "Read published articles",
    "kb.view": "See the knowledge base with its drafts",
    "kb.write": "Write and review articles",
    "kb.publish": "Publish and retire articles",
    "methodology.view": "See the methodology",
    "methodology.edit": "Install and change methodologies",
    "imports.run": "Import files",
    "users.view": "See colleagues",
    "absences.set": "Say who stands in while one is away",
    "users.manage": "Invite, change and deactivate users",
    "tokens.manage": "Issue and revoke API tokens",
    "webhooks.manage": "Set up webhooks",
    "audit.view": "Read the audit log",
    "workspace.edit": "Change workspace settings",
    "outbox.view": "See outgoing messages",
    "profile.own": "Own profile and security",
    "portal.view": "Use the customer portal",
}


def policy_rows() -> list[tuple[str, str]]:
    """One row a capability: its name, and in words which roles hold it."""
    return [(CAPABILITY_NAMES.get(key, key), in_words(capability.roles)) for key, capability in CAPABILITIES.items()]


def in_words(roles: frozenset[str]) -> str:
    """``All colleagues but Read-only`` where that is shorter, else the roles in their order."""
    missing = [role.label for role in Role if role in STAFF_ROLES - roles]
    if roles == frozenset(Role):
        return "Everybody, customers too"
    if roles == PORTAL_ROLES:
        return "Customers in the portal"
    if not missing:
        return "All colleagues"
    if len(missing) < 3:
        return f"All colleagues but {' and '.join(missing)}"
    return ", ".join(role.label for role in Role if role in roles)


def role_counts() -> dict[str, int]:
    """Active users of each role that has any. One query."""
    rows = User.objects.active().order_by().values_list("role").annotate(n=Count("pk"))
    return dict(rows)


def staff_role_choices(*, with_owner: bool) -> list[tuple[str, str]]:
    """Roles a colleague can be given, as form choices."""
    return [(r.value, r.label) for r in Role if r in STAFF_ROLES and (with_owner or r != Role.OWNER)]
