"""Verbs on an account's files. Content is checked by ``accounts.uploads`` before it comes here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.actions.activity import log_activity
from accounts.actions.locking import differences, locked
from accounts.audit import Change, record, record_many
from accounts.choices import ActivityKind, Visibility
from accounts.errors import RuleViolated
from accounts.models import Account, AccountFile, FileVersion
from accounts.models.files import KEPT_DELETED
from accounts.uploads import Checked

if TYPE_CHECKING:
    from accounts.models import User

MOST_TAGS, MOST_VERSIONS, TAG_LENGTH = 10, 100, 40
PURGED_AT_ONCE = 200
EDITABLE = frozenset({"title", "description", "tags", "visibility"})


@transaction.atomic
def add_file(
    account: Account,
    content: Checked,
    *,
    actor: User,
    at: datetime,
    title: str = "",
    description: str = "",
    tags: Iterable[str] = (),
    visibility: str = Visibility.INTERNAL,
) -> AccountFile:
    """Keep ``content`` with ``account`` as the first version of a new file. Returns the file.

    Without a title it is called as what was uploaded. The timeline tells of it, to the customer too if it is shared.
    Raises RuleViolated naming the field.
    """
    document = AccountFile(account=account, created_by=actor, created_at=at, updated_at=at)
    _set(document, title=title or content.name, description=description, tags=tags, visibility=visibility)
    document.save(force_insert=True)
    version = _keep(document, content, 1, actor=actor, at=at)
    _tell(document, f"File added: {document.title}", actor=actor, at=at)
    after = {"title": document.title, "visibility": document.visibility, "name": version.name, "sha256": version.sha256}
    record("file.added", document, actor=actor, at=at, after=after, account=account)
    return document


@transaction.atomic
def add_version(document: AccountFile, content: Checked, *, actor: User, at: datetime) -> FileVersion:
    """Keep ``content`` as the next version. Returns it; the versions before stay. Raises RuleViolated."""
    document = _present(document)
    newest = document.versions.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    if number > MOST_VERSIONS:
        raise RuleViolated("file.versions", f"At most {MOST_VERSIONS} versions; add it as a new file.", "file")
    if newest is not None and newest.sha256 == hashlib.sha256(content.content).hexdigest():
        raise RuleViolated("file.same", f"This is what version {newest.number} holds already.", "file")
    version = _keep(document, content, number, actor=actor, at=at)
    document.updated_at = at
    document.version += 1
    document.save(update_fields=["updated_at", "version"])
    _tell(document, f"Version {number} of {document.title}", actor=actor, at=at)
    after = {"number": number, "name": version.name, "sha256": version.sha256}
    record("file.version", document, actor=actor, at=at, after=after, account=document.account)
    return version


@transaction.atomic
def update_file(
    document: AccountFile, *, actor: User, at: datetime, expected_version: int | None = None, **changes: Any
) -> AccountFile:
    """Change title, description, tags or who sees it. Returns the file; unchanged when nothing differs.

    Raises StaleVersion when somebody was faster, RuleViolated naming the field.
    """
    unknown = sorted(set(changes) - EDITABLE)
    if unknown:
        raise RuleViolated("unknown_field", "There is no such field.", unknown[0])
    document = _present(document, expected_version)
    wanted = AccountFile(**{name: getattr(document, name) for name in EDITABLE})
    _set(wanted, **changes)
    before, after = differences(document, {name: getattr(wanted, name) for name in changes})
    if not after:
        return document
    _set(document, **changes)
    document.updated_at = at
    document.version += 1
    document.save(update_fields=[*EDITABLE, "updated_at", "version"])
    record("file.updated", document, actor=actor, at=at, before=before, after=after, account=document.account)
    return document


@transaction.atomic
def delete_file(
    document: AccountFile, *, actor: User, at: datetime, expected_version: int | None = None
) -> AccountFile:
    """Take the file off the list and from the customer's eyes; its versions stay. Returns it.

    Raises StaleVersion when somebody was faster.
    """
    document = locked(document, expected_version=expected_version)
    if document.deleted_at is not None:
        return document
    document.deleted_at, document.deleted_by = at, actor
    document.version += 1
    document.save(update_fields=["deleted_at", "deleted_by", "version"])
    record("file.deleted", document, actor=actor, at=at, before={"title": document.title}, account=document.account)
    return document


@transaction.atomic
def restore_file(
    document: AccountFile, *, actor: User, at: datetime, expected_version: int | None = None
) -> AccountFile:
    """Bring a deleted file back as it was. Returns it. Raises StaleVersion when somebody was faster."""
    document = locked(document, expected_version=expected_version)
    if document.deleted_at is None:
        return document
    document.deleted_at = document.deleted_by = None
    document.version += 1
    document.save(update_fields=["deleted_at", "deleted_by", "version"])
    record("file.restored", document, actor=actor, at=at, after={"title": document.title}, account=document.account)
    return document


@transaction.atomic
def purge_files(*, at: datetime) -> int:
    """Do away with files deleted 30 days ago, with every version and its content; how many went, 200 at most.

    Each leaves an entry in the audit log that names it and the digests of what it held. The contents go once this is
    committed. Two workers at once take different files.
    """
    due = AccountFile.objects.filter(deleted_at__lte=at - KEPT_DELETED).order_by("deleted_at", "pk")
    gone = list(due.select_for_update(of=("self",), skip_locked=True).select_related("account")[:PURGED_AT_ONCE])
    versions: dict[Any, list[FileVersion]] = {document.pk: [] for document in gone}
    for version in FileVersion.objects.filter(document__in=gone).order_by("number"):
        versions[version.document_id].append(version)
        transaction.on_commit(partial(version.file.storage.delete, str(version.file.name)))
    record_many(
        [
            Change(
                "file.purged",
                document,
                before={"title": document.title, "sha256": [version.sha256 for version in versions[document.pk]]},
                account=document.account,
            )
            for document in gone
        ],
        actor=None,
        at=at,
    )
    AccountFile.objects.filter(pk__in=versions).delete()
    return len(gone)


def read_tags(words: str | Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, each once, in order. ``words`` may be one text with commas."""
    parts = words.split(",") if isinstance(words, str) else words
    return list(dict.fromkeys(tag for part in parts if (tag := " ".join(str(part).split()).lower())))


def _present(document: AccountFile, expected_version: int | None = None) -> AccountFile:
    document = locked(document, expected_version=expected_version)
    if document.deleted_at is not None:
        raise RuleViolated("file.deleted", "This file was deleted. Bring it back first.")
    return document


def _set(document: AccountFile, **values: Any) -> None:
    for name, value in values.items():
        setattr(document, name, _CLEAN[name](value))


def _title(value: str) -> str:
    title = " ".join(value.split())
    if not title:
        raise RuleViolated("required", "A file needs a title.", "title")
    if len(title) > 200:
        raise RuleViolated("too_long", "At most 200 characters.", "title")
    return title


def _description(value: str) -> str:
    if len(value) > 500:
        raise RuleViolated("too_long", "At most 500 characters.", "description")
    return value.strip()


def _tags(value: str | Iterable[str]) -> list[str]:
    tags = read_tags(value)
    if len(tags) > MOST_TAGS or any(len(tag) > TAG_LENGTH for tag in tags):
        raise RuleViolated("file.tags", f"At most {MOST_TAGS} tags of {TAG_LENGTH} characters.", "tags")
    return tags


def _visibility(value: str) -> str:
    if value not in Visibility.values:
        raise RuleViolated("choice", f"Use one of {', '.join(Visibility.values)}.", "visibility")
    return value


_CLEAN: dict[str, Any] = {
    "title": _title,
    "description": _description,
    "tags": _tags,
    "visibility": _visibility,
}


def _keep(document: AccountFile, content: Checked, number: int, *, actor: User, at: datetime) -> FileVersion:
    row = FileVersion(
        document=document, number=number, name=content.name, content_type=content.content_type,
        size=len(content.content), sha256=hashlib.sha256(content.content).hexdigest(), uploaded_by=actor,
        uploaded_at=at,
    )  # fmt: skip
    row.file.save(f"{row.pk}.bin", ContentFile(content.content), save=False)
    row.save(force_insert=True)
    return row


def _tell(document: AccountFile, title: str, *, actor: User, at: datetime) -> None:
    log_activity(
        document.account,
        kind=ActivityKind.FILE,
        title=title,
        body=document.description,
        actor=actor,
        at=at,
        visibility=document.visibility,
        data={"file": document.pk},
    )
