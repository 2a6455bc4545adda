"""Reads of documents. Who may read a kind is for the page that offers it to say."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from documents.models import Document

NEWEST = 100


def newest_documents(kind: str) -> list[Document]:
    """The newest hundred documents of a kind, without their data. One query."""
    return list(Document.objects.of_kind(kind).select_related("created_by").defer("data")[:NEWEST])


def document_of(kind: str, document_id: UUID) -> Document:
    """One document of a kind. Raises Http404. One query."""
    found = Document.objects.of_kind(kind).select_related("created_by").filter(pk=document_id).first()
    if found is None:
        raise Http404
    return found
