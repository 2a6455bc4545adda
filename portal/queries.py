"""What a customer's people may read: their account, their team, what was shared with them. Nothing else.

SECURITY: rows are turned into these few fields here, so that a template cannot reach an internal one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.choices import ActivityKind
from accounts.models import Account, AccountFile, Activity, FileVersion, TeamMember
from accounts.queries.files import with_newest

MOST_ENTRIES = 50
MOST_FILES = 200
WORDS = {
    ActivityKind.NOTE: "Note",
    ActivityKind.CALL: "Call",
    ActivityKind.MEETING: "Meeting",
    ActivityKind.EMAIL: "Message",
    ActivityKind.TICKET: "Request",
    ActivityKind.RELEASE: "Product news",
    ActivityKind.FILE: "File",
}


@dataclass(frozen=True, slots=True)
class PortalAccount:
    """The customer's own name for itself."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on the vendor's side to turn to."""

    name: str
    part: str
    email: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was shared."""

    at: datetime
    what: str
    title: str
    body: str
    by: str


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that was shared; ``version_id`` is its current version."""

    title: str
    description: str
    company: str
    size: int
    at: datetime
    version_id: UUID


def files_for(user: Any) -> list[SharedFile]:
    """Files shared with the companies of ``user``, last changed first, at most 200. One query."""
    rows = AccountFile.objects.visible_to(user).filter(account__archived_at=None)
    return [
        SharedFile(row.title, row.description, row.account.name, row.newest["size"], row.updated_at, row.newest["id"])
        for row in with_newest(rows).select_related("account").order_by("-updated_at", "-pk")[:MOST_FILES]
    ]


def file_for(user: Any, version_id: UUID) -> FileVersion | None:
    """The content of a shared file, if it is the current one, else None. One query."""
    later = FileVersion.objects.filter(document=OuterRef("document"), number__gt=OuterRef("number"))
    return FileVersion.objects.visible_to(user).filter(~Exists(later), pk=version_id).first()


def accounts_of(user: Any) -> list[PortalAccount]:
    """The accounts a portal user belongs to, archived ones left out. One query."""
    rows = Account.objects.visible_to(user).unarchived().order_by("name", "pk")
    return [PortalAccount(pk, name) for pk, name in rows.values_list("pk", "name")]


def team_of(account_id: UUID) -> list[Colleague]:
    """The owner first, then the team. Two queries."""
    people: list[Colleague] = []
    account = Account.objects.filter(pk=account_id).select_related("owner").only("owner").first()
    if account is not None and account.owner is not None and account.owner.is_active:
        people.append(Colleague(str(account.owner), account.owner.title or "Your contact", account.owner.email))
    members = TeamMember.objects.filter(account=account_id, user__is_active=True).select_related("user", "role")
    for member in members.order_by("role__name", "user__name"):
        if member.user.email not in {person.email for person in people}:
            people.append(Colleague(str(member.user), member.role.name, member.user.email))
    return people


def shared_with(user: Any, account_id: UUID) -> list[Entry]:
    """The newest entries shared with the customer, at most 50. One query."""
    rows = Activity.objects.visible_to(user).filter(account=account_id).select_related("actor").order_by("-at", "-pk")
    return [
        Entry(row.at, WORDS.get(ActivityKind(row.kind), "Update"), row.title, row.body, str(row.actor or ""))
        for row in rows[:MOST_ENTRIES]
    ]
