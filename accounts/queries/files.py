"""The files of an account: its own, and those that came with what other domains keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.utils.module_loading import import_string

from accounts.models import AccountFile, FileVersion

if TYPE_CHECKING:
    from accounts.models import User

MOST_FILES, MOST_ATTACHED = 500, 100


class Attached(NamedTuple):
    """A file that came with something else: a ticket's message. ``where`` says with what, ``page`` leads there."""

    name: str
    size: int
    at: datetime
    by: str
    where: str
    page: str
    url: str


@dataclass(frozen=True, slots=True)
class FileFilter:
    """What the tab is narrowed to, as it stands in the address; unknown words count as empty."""

    q: str = ""
    tag: str = ""
    shared: bool = False
    deleted: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> FileFilter:
        """The filter of a query string."""
        words = {name: given.get(name, "").replace("\x00", "").strip()[:100] for name in ("q", "tag")}
        return cls(**words, shared=given.get("shared") == "1", deleted=given.get("deleted") == "1")

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.tag or self.shared or self.deleted)


def files_of(user: User, account_id: UUID, wanted: FileFilter | None = None) -> list[AccountFile]:
    """Files of an account with ``newest`` (its version as a mapping), last changed first, at most 500. One query."""
    wanted = wanted or FileFilter()
    rows = AccountFile.objects.visible_to(user).filter(account=account_id, deleted_at__isnull=not wanted.deleted)
    if wanted.q:
        rows = rows.filter(Q(title__icontains=wanted.q) | Q(description__icontains=wanted.q))
    if wanted.tag:
        rows = rows.filter(tags__contains=[wanted.tag.lower()])
    if wanted.shared:
        rows = rows.filter(visibility="shared")
    return list(with_newest(rows).order_by("-updated_at", "-pk")[:MOST_FILES])


def with_newest(rows: Any) -> Any:
    """``rows`` with ``newest``: the current version's id, number, name, size, moment and uploader. No query."""
    last = FileVersion.objects.filter(document=OuterRef("pk")).order_by("-number")
    said = JSONObject(
        id="pk", number="number", name="name", size="size", by="uploaded_by__name", mail="uploaded_by__email"
    )
    return rows.annotate(newest=Subquery(last.values(one=said)[:1])).select_related("created_by", "deleted_by")


def versions_of(document: AccountFile) -> list[FileVersion]:
    """Every version, newest first. One query."""
    return list(document.versions.select_related("uploaded_by").order_by("-number"))


def attached_to(user: User, account_id: UUID) -> list[Attached]:
    """Files that other domains keep for the account, newest first, at most 100. One query a source."""
    found = [each for path in settings.ACCOUNT_FILE_SOURCES for each in import_string(path)(user, account_id)]
    return sorted(found, key=lambda each: each.at, reverse=True)[:MOST_ATTACHED]
