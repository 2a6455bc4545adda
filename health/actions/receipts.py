"""Issuing receipts: the digest goes into the audit log, and the log's entry into the receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model

from accounts.audit import Change, record_many, sealed_content

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def issue_receipts(
    documents: Iterable[tuple[Model, Mapping[str, Any]]], *, actor: User | None, at: datetime
) -> list[dict[str, Any]]:
    """Seal receipts of objects, in order: each with the audit entry that records its digest. Three queries.

    ``documents`` are pairs of what a receipt is about (for the log) and the receipt with its digest. A sealed
    receipt may be sealed again; the older seal stays in the log.
    """
    pairs = [(target, dict(document)) for target, document in documents]
    entries = record_many(
        [Change("receipt.issued", target, after=_recorded(document)) for target, document in pairs], actor=actor, at=at
    )
    return [
        {**document, "seal": {"entry": sealed_content(entry), "hash": entry.hash}}
        for (_target, document), entry in zip(pairs, entries, strict=True)
    ]


def _recorded(document: Mapping[str, Any]) -> dict[str, Any]:
    about = {key: document[key] for key in ("kind", "figure", "part", "on", "computed_at") if key in document}
    return {**about, "sha256": document["sha256"]}
