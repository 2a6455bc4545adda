"""The doors of the mail room: by whichever mail comes, it is stored where it belongs before anybody says so."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from support import intake
from support.models import IncomingMail
from tests.factories import AT
from tests.support.mails import written

pytestmark = pytest.mark.django_db


def test_the_envelope_counts_before_the_headers(tenants):
    row = intake.take(written(), source="smtp", recipients=["support@globex.localhost"], at=AT)
    assert row.recipient == "support@globex.localhost"
    assert not IncomingMail.objects.exists()
    connection.set_tenant(tenants["globex"])
    assert bytes(IncomingMail.objects.get().raw) == written()


def test_what_a_delivery_added_counts_before_what_the_sender_wrote():
    raw = written(to="everybody@list.example", headers={"Delivered-To": "support@acme.localhost"})
    assert intake.take(raw, source="mailbox", at=AT).recipient == "support@acme.localhost"


def test_mail_for_nobody_is_not_taken_in_silence():
    with pytest.raises(intake.NoWorkspace, match=r"nowhere\.example"):
        intake.take(written(to="x@nowhere.example"), source="file", at=AT)
    with pytest.raises(intake.NoWorkspace):
        intake.take(b"\xff\x00", source="file", at=AT)


def test_a_file_is_taken(tmp_path):
    path = tmp_path / "mail.eml"
    path.write_bytes(written())
    said = io.StringIO()
    call_command("receive_mail", str(path), stdout=said)
    assert str(IncomingMail.objects.get().pk) in said.getvalue()
    with pytest.raises(CommandError) as refused:
        call_command("receive_mail", str(path), "--to", "support@nowhere.example")
    assert refused.value.returncode == 75
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("receive_mail", str(tmp_path / "none.eml"))
