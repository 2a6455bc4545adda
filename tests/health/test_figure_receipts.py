"""Every figure of a portfolio downloads as a receipt that holds, and that one changed byte of it spoils."""

from __future__ import annotations

import json
import random

import pytest

from accounts.audit import verify_chain
from accounts.choices import Role
from accounts.models import AuditEntry, Workspace
from health.actions import issue_receipts
from health.book.figures import FIGURES
from health.book.rows import as_evidence, rows_behind
from health.book.scope import Scope
from health.queries.figure_receipts import figure_receipt
from health.receipts import check, digest_of, text_of
from tests.factories import UserFactory
from tests.health import books
from tests.health.world import NOON

pytestmark = pytest.mark.django_db
# Bytes tried of each receipt; every byte of one is tried too.
TRIED = 150


@pytest.fixture
def issued():
    """(figure, sealed receipt) of every figure and part, for today and a past day, whole and filtered."""
    vp = UserFactory(role=Role.VP_CS)
    made = books.book()
    workspace, documents = Workspace.objects.get(), []
    for query in (
        {},
        {"segment": str(made["segments"][0].pk)},
        {"on": books.DAYS[2].isoformat(), "since": books.DAYS[0].isoformat(), "tier": str(made["tiers"][1].pk)},
    ):
        scope = Scope.read(query, books.TODAY)
        for figure in FIGURES.values():
            for part in books.parts_of(figure, scope):
                rows = as_evidence(figure, rows_behind(vp, scope, figure, part, "USD").rows)
                documents.append((figure, figure_receipt(scope, figure, part, "USD", rows, workspace.name)))
    sealed = issue_receipts([(workspace, document) for _figure, document in documents], actor=vp, at=NOON)
    return [(figure, document) for (figure, _plain), document in zip(documents, sealed, strict=True)]


def test_each_holds_is_in_the_log_and_is_refused_with_one_byte_or_one_row_changed(issued):
    assert {figure.key for figure, _document in issued} == FIGURES.keys()
    assert sum(len(document["rows"]) for _figure, document in issued) > 400
    assert _refused(issued) == []
    assert _unnoticed_bytes(issued, random.Random(11)) == []
    assert _unnoticed_rows(issued, random.Random(5)) == []
    assert verify_chain().intact


def _refused(issued):
    """Receipts that do not hold as they were issued."""
    entries = dict(AuditEntry.objects.filter(action="receipt.issued").values_list("after__sha256", "hash"))
    return [
        (figure.key, document["part"])
        for figure, document in issued
        if not check(text_of(document).encode(), entry_hash=entries[document["sha256"]]).holds
    ]


def _unnoticed_bytes(issued, rng):
    """What still holds with one byte changed: some places of each receipt, every place of one with rows."""
    found = []
    thorough = next(document for _figure, document in issued if 2 <= len(document["rows"]) <= 6)
    for figure, document in issued:
        whole = text_of(document).encode()
        places = range(len(whole)) if document is thorough else rng.sample(range(len(whole)), TRIED)
        for at in places:
            changed = whole[:at] + bytes([whole[at] ^ rng.randrange(1, 256)]) + whole[at + 1 :]
            if check(changed).holds:
                found.append((figure.key, at, changed[at - 20 : at + 20]))
    return found


def _unnoticed_rows(issued, rng):
    """What still holds with a cell of a row changed and the digest made to fit: the seal speaks of the old one."""
    found = []
    for figure, document in issued:
        if document["rows"]:
            forged = json.loads(text_of(document))
            row = rng.choice(forged["rows"])
            name = rng.choice(sorted(row))
            row[name] = f"{row[name]}1"
            forged["sha256"] = digest_of(forged)
            if check(text_of(forged).encode()).holds:
                found.append((figure.key, name))
    return found
