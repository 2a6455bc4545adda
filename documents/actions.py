"""Verbs on documents: order one, write its file, take it away."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.errors import RuleViolated
from documents.choices import UNFINISHED, DocumentState
from documents.models import Document
from documents.rendering import CannotRender, digest_of, html_of, pdf_of

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
MOST_UNFINISHED = 5
MOST_ATTEMPTS = 3


@transaction.atomic
def order_document(
    *,
    kind: str,
    title: str,
    template: str,
    data: Mapping[str, Any],
    parameters: Mapping[str, str],
    actor: User | None,
    at: datetime,
) -> Document:
    """Keep ``data`` as they are and have them written in the background. Returns the document, which waits.

    Raises RuleViolated while five of the kind are still being written.
    """
    if Document.objects.of_kind(kind).unfinished().count() >= MOST_UNFINISHED:
        raise RuleViolated("document.busy", "Five are being written already. Wait until one is ready.")
    document = Document.objects.create(
        kind=kind,
        title=title[:200],
        template=template,
        data=data,
        data_digest=digest_of(data),
        parameters=dict(parameters),
        created_by=actor,
        created_at=at,
        touched_at=at,
    )
    after = {"title": document.title, "data_sha256": document.data_digest, "parameters": document.parameters}
    record(f"{kind}.ordered", document, actor=actor, at=at, after=after)
    from documents.tasks import render_document

    render_document.delay_on_commit(str(document.pk))
    return document


def write_document(document_id: UUID) -> bool:
    """Render a document that waits (or whose worker was lost) and keep its file; False if there is nothing to do.

    An error that is ours stops it with a message, in words for whoever waits.
    """
    document = _claim(document_id)
    if document is None:
        return False
    try:
        html = html_of(document.template, document.data)
        content = pdf_of(html, told=lambda percent: _note(document_id, percent))
    except CannotRender as error:
        _stop(document, str(error))
    except Exception:
        log.exception("documents: %s stopped", document_id)
        _stop(document, "Our mistake; it has been noted. Its data are kept: try again later.")
    else:
        _keep(document, content)
    return True


@transaction.atomic
def _claim(document_id: UUID) -> Document | None:
    """The document to write, with its attempt counted; None when another worker had it or it was taken away."""
    rows = Document.objects.select_for_update(skip_locked=True).filter(pk=document_id, state__in=UNFINISHED)
    document = rows.first()
    if document is None:
        return None
    if document.attempts >= MOST_ATTEMPTS:
        _stop(document, "The worker stopped at every attempt.")
        return None
    document.attempts += 1
    document.state = DocumentState.RENDERING
    document.progress_pct = 10
    document.touched_at = timezone.now()
    document.save(update_fields=["attempts", "state", "progress_pct", "touched_at"])
    return document


def _note(document_id: UUID, percent: int) -> None:
    Document.objects.filter(pk=document_id).update(progress_pct=percent, touched_at=timezone.now())


def _stop(document: Document, message: str) -> None:
    Document.objects.filter(pk=document.pk).update(
        state=DocumentState.FAILED, message=message[:300], finished_at=timezone.now()
    )


@transaction.atomic
def _keep(document: Document, content: bytes) -> None:
    now = timezone.now()
    document.file.save(f"{document.pk}.pdf", ContentFile(content), save=False)
    document.file_digest = hashlib.sha256(content).hexdigest()
    document.file_bytes = len(content)
    document.state = DocumentState.DONE
    document.progress_pct = 100
    document.finished_at = document.touched_at = now
    document.save()
    after = {"file_sha256": document.file_digest, "data_sha256": document.data_digest}
    record(f"{document.kind}.written", document, actor=None, at=now, after=after)


@transaction.atomic
def retry_document(document: Document, *, actor: User | None, at: datetime) -> bool:
    """Have a document that failed written again from the data it has; False when it had not failed."""
    changed = Document.objects.filter(pk=document.pk, state=DocumentState.FAILED).update(
        state=DocumentState.WAITING, attempts=0, progress_pct=0, message="", finished_at=None, touched_at=at
    )
    if changed:
        record(f"{document.kind}.retried", document, actor=actor, at=at)
        from documents.tasks import render_document

        render_document.delay_on_commit(str(document.pk))
    return bool(changed)


@transaction.atomic
def remove_document(document: Document, *, actor: User | None, at: datetime) -> None:
    """Take a document, its data and its file away; the log keeps their digests."""
    before = {"title": document.title, "data_sha256": document.data_digest, "file_sha256": document.file_digest}
    record(f"{document.kind}.removed", document, actor=actor, at=at, before=before)
    storage, name = document.file.storage, document.file.name
    document.delete()
    if name:
        transaction.on_commit(lambda: storage.delete(name))
