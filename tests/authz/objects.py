"""Which seeded row stands behind a keyword of an address.

``KINDS`` says what a row is; ``KWARGS`` which kind a keyword means, by route name first and then by the
keyword alone. A route with a keyword that neither knows fails the matrix with a message that leads here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from tests.authz.routes import Route
    from tests.authz.world import World


NOBODY = UUID("00000000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row. ``seed`` names it in the world; ``attr`` is what stands in the address.

    ``scoped``: it belongs to an account, and is seen and changed as that account is. ``guards_writes`` False:
    whoever sees it may do the writing the capability allows. ``foreign`` False: the other tenant has a row
    with the same key, so there is nothing foreign to try. ``personal``: only the named actor's own.
    ``upserts``: a PUT to an unknown one makes it. ``agents``: support agents work every one they see. ``whole``:
    it holds every account, and does not exist for whoever does not see them all.
    """

    seed: str
    attr: str = "pk"
    scoped: bool = False
    guards_writes: bool = True
    foreign: bool = True
    personal: str | None = None
    upserts: bool = False
    agents: bool = False
    whole: bool = False
    missing_status: int = 404
    unknown: Any = NOBODY


@dataclass(frozen=True, slots=True)
class Target:
    """What one request aims at. ``kind`` is own, other, foreign, unknown or mismatched."""

    kind: str
    kwargs: dict[str, Any]
    account: int | None = None
    guards_writes: bool = True
    missing_status: int = 404
    personal_to: str | None = None
    in_both_tenants: bool = False
    upserts: bool = False
    agents: bool = False
    whole: bool = False


def slugged(seed: str) -> Kind:
    """A row that stands in the address by its slug."""
    return Kind(seed, attr="slug", unknown=NOTHING)


NOTHING = "no-such-key"
ACCOUNT = Kind("account", scoped=True)
UPSERTED = Kind("external_id", attr="external_id", scoped=True, upserts=True, unknown="X-0")
CTA = Kind("cta_open", scoped=True)

# (route name as a regular expression, keyword): kind. The first that matches counts.
KWARGS: list[tuple[str, str, Kind]] = [
    # People
    (r"people:invitation-accept", "secret", Kind("invitation", attr="secret", unknown="x" * 43)),
    (r"people:.*", "user_id", Kind("colleague")),
    (r"people:.*", "invitation_id", Kind("invitation")),
    (r"people:.*", "token_id", Kind("token")),
    (r"people:.*", "period_id", Kind("stand_in")),
    (r"mfa_.*", "pk", Kind("passkey", personal="owner", unknown=999_999)),
    (r"account_reset_password_from_key", "uidb36", Kind("reset", attr="uid", unknown="1", missing_status=200)),
    (r"account_reset_password_from_key", "key", Kind("reset", attr="key", unknown="x-y", missing_status=200)),
    (r"accounts:brand-.*", "look", Kind("workspace", attr="look", foreign=False, unknown=999_999)),
    (r"myday:feed", "secret", Kind("feed", attr="secret", unknown="x" * 43)),
    # A person's own day: whoever sees it may put it aside there
    (r"myday:account-(done|snooze)", "account_id", replace(ACCOUNT, guards_writes=False)),
    (r"accounts:account-since", "account_id", replace(ACCOUNT, guards_writes=False)),
    # The account and what hangs on it
    (r".*", "account_id", ACCOUNT),
    (r"api:account-.*", "account", ACCOUNT),
    (r".*", "contact_id", Kind("contact", scoped=True)),
    (r".*", "contract_id", Kind("contract", scoped=True)),
    (r".*", "member_id", Kind("team_member", scoped=True)),
    (r".*", "activity_id", Kind("activity_i", scoped=True)),
    (r".*", "file_id", Kind("file_i", scoped=True)),
    (r"portal:file-download", "version_id", Kind("file_version_s", scoped=True)),
    (r"accounts:file-download", "version_id", Kind("file_version_i", scoped=True)),
    (r"api:account-by-external-id", "source", Kind("external_id", attr="source", unknown="crm")),
    (r"api:account-by-external-id", "external_id", UPSERTED),
    (r"api:user-.*", "user_id", Kind("colleague")),
    (r"api:portal-user-.*", "user_id", Kind("portal_user", scoped=True)),
    (r"api:unknown", "rest", Kind("nothing", attr="path", foreign=False, unknown="nothing/")),
    # The accounts list
    (r"accounts:account-cell", "column", Kind("cell", attr="key", foreign=False, unknown=NOTHING)),
    (r"(support:|api:ticket-).*", "view_id", Kind("ticket_view", personal="owner")),
    (r"(accounts|api):portfolio-.*", "view_id", Kind("portfolio_view", personal="owner")),
    (r".*", "view_id", Kind("saved_view", personal="owner")),
    (r"accounts:own-field-restore", "own_field_id", Kind("own_field_archived")),
    (r".*", "own_field_id", Kind("own_field")),
    (r".*", "edit_id", Kind("bulk_edit", scoped=True)),
    (r".*", "segment_id", Kind("segment")),
    (r".*webhook.*", "webhook_id", Kind("webhook")),
    (r".*webhook.*", "delivery_id", Kind("webhook_delivery")),
    # Work
    (r"(playbooks|api):cta-reopen", "cta_id", Kind("cta_closed", scoped=True)),
    (r"(playbooks|api):cta-wake", "cta_id", Kind("cta_snoozed", scoped=True)),
    (r".*", "cta_id", CTA),
    (r".*", "task_id", Kind("task", scoped=True)),
    (r".*", "playbook_id", Kind("playbook")),
    (r".*", "notice_id", Kind("notice", personal="owner")),
    (r".*", "message_id", Kind("message")),
    # Support
    (r"portal:ticket-(rate|reopen)", "ticket_id", Kind("portal_done", scoped=True, guards_writes=False)),
    (r"portal:.*", "ticket_id", Kind("portal_ticket", scoped=True, guards_writes=False)),
    (r"portal:.*", "attachment_id", Kind("portal_file", scoped=True)),
    (r"api:ticket-rate", "ticket_id", Kind("ticket_resolved", scoped=True, agents=True)),
    (r"api:ticket-(merge|link|split)", "ticket_id", Kind("ticket_merging", scoped=True, agents=True)),
    (r".*", "ticket_id", Kind("ticket", scoped=True, agents=True)),
    (r".*", "macro_id", Kind("macro")),
    (r".*", "list_id", Kind("holidays")),
    (r".*", "channel_id", Kind("support_channel")),
    (r".*", "checklist_id", Kind("checklist")),
    (r".*", "field_id", Kind("ticket_field")),
    (r".*", "bulk_id", Kind("ticket_edit", scoped=True, agents=True)),
    (r"support:policy-.*", "key", Kind("sla_policy", attr="key", foreign=False, unknown=NOTHING)),
    (r"support:calendar-.*", "key", Kind("calendar", attr="key", foreign=False, unknown=NOTHING)),
    (r"support:team-retire", "team_id", Kind("team_empty")),
    (r"support:.*", "team_id", Kind("team")),
    (r".*", "seat_id", Kind("seat")),
    (r"api:team-detail", "key", Kind("team_empty", attr="key", foreign=False, unknown=NOTHING)),
    (r"api:team-.*", "key", Kind("team", attr="key", foreign=False, unknown=NOTHING)),
    (r".*", "attachment_id", Kind("attachment", scoped=True)),
    (r".*", "mail_id", Kind("mail")),
    (r"support:rate", "token", Kind("rating_link", attr="token", unknown="x:y:z")),
    (r".*", "escalation_id", Kind("escalation", scoped=True)),
    (r".*:incident-(action.*|close|reopen|review)", "incident_id", Kind("incident_done", scoped=True, agents=True)),
    (r".*", "incident_id", Kind("incident", scoped=True, agents=True)),
    (r".*:incident-action.*", "action_id", Kind("incident_action", scoped=True, agents=True)),
    (
        r"support:incident-letter",
        "letter",
        Kind("incident_letter", attr="key", foreign=False, unknown=NOTHING, agents=True),
    ),
    (r"api:sla-policy.*", "key", Kind("sla_policy", attr="key", foreign=False, unknown=NOTHING)),
    # Usage and methodology
    (r".*", "receipt_id", Kind("receipt")),
    (r"api:usage-receipt", "receipt", Kind("receipt")),
    (r"usage:metric-history", "key", Kind("metric", attr="key", foreign=False, unknown=NOTHING)),
    (r"packs:install", "key", Kind("pack", attr="key", foreign=False, unknown=NOTHING)),
    (r"packs:.*", "item_id", Kind("pack_item")),
    (r"packs:.*", "pack", Kind("pack", attr="key", foreign=False, unknown=NOTHING)),
    (r"accounts:portfolio-figure.*", "key", Kind("figure", attr="key", foreign=False, unknown=NOTHING)),
    (r".*", "document_id", Kind("document")),
    (r".*", "schedule_id", Kind("pack_schedule")),
    (r".*", "sending_id", Kind("pack_sending", whole=True)),
    (r"health:scorecard.*|api:scorecard.*", "key", Kind("scorecard", attr="key", foreign=False, unknown=NOTHING)),
    (
        r"health:scorecard-version|api:scorecard-(draft|schedule)",
        "number",
        Kind("draft", attr="number", foreign=False, unknown=99),
    ),
    (r"api:scorecard-roll-back", "number", Kind("retired", attr="number", foreign=False, unknown=99)),
    (r"api:backtest-cancel", "backtest_id", Kind("backtest_waiting")),
    (r".*", "backtest_id", Kind("backtest")),
    (r".*", "dry_run_id", Kind("dry_run")),
    (r"(health|api):renewal.*", "review_id", Kind("renewal", scoped=True)),
    (r"(health|api):review.*", "review_id", Kind("review")),
    (r"(health|api):review-item", "item_id", Kind("review_item", scoped=True)),
    (r"health:run-detail", "run_id", Kind("trigger_run")),
    (r"api:scorecard-activate", "number", Kind("draft", attr="number", foreign=False, unknown=99)),
    (r"api:scorecard.*", "number", Kind("version", attr="number", foreign=False, unknown=99)),
    (r"health:trigger.*|api:.*trigger.*", "key", Kind("trigger", attr="key", foreign=False, unknown=NOTHING)),
    (r"api:calendar.*", "key", Kind("calendar", attr="key", foreign=False, unknown=NOTHING)),
    (r".*", "override_id", Kind("override", scoped=True)),
    (r"imports:job-start|api:import-start", "job_id", Kind("job_checked")),
    (r"imports:job-undo|api:import-undo", "job_id", Kind("job_done")),
    (r".*", "job_id", Kind("job")),
    (r"accounts:audit-entry", "entry_id", Kind("audit_entry", foreign=False, unknown=10**9)),
    (r"api:methodology.*", "pack", Kind("pack", attr="key", foreign=False, unknown=NOTHING)),
    (r"api:methodology.*", "section", Kind("section", attr="key", foreign=False, unknown=NOTHING)),
    (r"packs:section", "section", Kind("section", attr="key", foreign=False, unknown=NOTHING)),
    # Knowledge base
    (r".*", "category_id", Kind("category")),
    (r".*", "picture_id", Kind("picture")),
    (r"api:article-review", "article_id", Kind("article_review")),
    (r"api:article-publish", "article_id", Kind("article_ready")),
    (r"api:article-retire", "article_id", Kind("article_published")),
    (r"api:.*", "article_id", Kind("article_draft")),
    (r"(portal:help|knowledge:article-(confirm|vote|solved)).*", "slug", slugged("article_published")),
    (r"knowledge:.*", "slug", slugged("article_draft")),
    # The operators' workspace and the public host
    (r"console:tenant-export", "slug", Kind("tenant_gone", attr="slug", foreign=False, unknown=NOTHING)),
    (r"console:.*", "slug", Kind("tenant", attr="slug", foreign=False, unknown=NOTHING)),
    (r"signup:progress", "token", Kind("sign_up", attr="token", foreign=False, unknown=NOTHING)),
]


def kind_of(route: Route, kwarg: str) -> Kind:
    """The kind of row ``kwarg`` names in ``route``."""
    for pattern, name, kind in KWARGS:
        if name == kwarg and re.fullmatch(pattern, route.name):
            return kind
    raise LookupError(
        f"tests/authz/objects.py does not know what <{kwarg}> of {route.name} ({route.pattern}) is: "
        "add a line to KWARGS, and seed the row in tests/authz/world.py if it is a new kind"
    )


def targets(route: Route, world: World) -> list[Target | None]:
    """Everything worth aiming at with ``route``: one None for an address without keywords."""
    if not route.kwargs:
        return [None]
    kinds = {kwarg: kind_of(route, kwarg) for kwarg in route.kwargs}
    return list(_targets(kinds, world))


def _targets(kinds: dict[str, Kind], world: World) -> Iterator[Target]:
    innermost = list(kinds.values())[-1]
    account = {"own": 1, "other": 2}
    scoped = any(kind.scoped for kind in kinds.values())
    base = Target(
        kind="own",
        kwargs={},
        guards_writes=innermost.guards_writes,
        missing_status=innermost.missing_status,
        personal_to=innermost.personal,
        upserts=innermost.upserts,
        agents=innermost.agents,
        whole=innermost.whole,
        in_both_tenants=not any(kind.foreign for kind in kinds.values()),
    )
    for which in ("own", "other", "foreign"):
        rows = {kwarg: world.row(kind.seed, which) for kwarg, kind in kinds.items()}
        if any(row is None for row in rows.values()) or (which == "foreign" and not innermost.foreign):
            continue
        kwargs = {kwarg: getattr(rows[kwarg], kind.attr) for kwarg, kind in kinds.items()}
        yield replace(base, kind=which, kwargs=kwargs, account=account.get(which) if scoped else None)
    yield replace(base, kind="unknown", kwargs={kwarg: kind.unknown for kwarg, kind in kinds.items()})
    if len({kind.seed for kind in kinds.values()}) > 1 and innermost.scoped:
        first, *rest = kinds.items()
        inner = {kwarg: getattr(world.row(kind.seed, "other"), kind.attr) for kwarg, kind in rest}
        outer = getattr(world.row(first[1].seed, "own"), first[1].attr)
        yield replace(base, kind="mismatched", kwargs={first[0]: outer, **inner})
