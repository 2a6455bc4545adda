"""The doors of the mail room: by whichever mail comes, it is stored where it belongs before anybody says so."""

from __future__ import annotations

import imaplib
import io
import smtplib
import socket
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import env
from support import intake, mailbox
from support.listener import listener
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


class Mailbox:
    """An IMAP server of three commands, with the mails it holds and the flags they got."""

    def __init__(self, mails, sizes=None):
        self.mails, self.sizes, self.flags, self.peeked = mails, sizes or {}, {}, True

    def __call__(self, *args, **options):
        return self

    def login(self, user, password):
        if password != "right":
            raise imaplib.IMAP4.error("LOGIN failed")

    def select(self, folder):
        return ("OK", [b"1"]) if folder == "INBOX" else ("NO", [b"none"])

    def logout(self):
        pass

    def uid(self, verb, uid, *words):
        if verb == "SEARCH":
            left = [key for key in self.mails if key not in self.flags]
            return "OK", [" ".join(left).encode()]
        if verb == "STORE":
            self.flags[uid] = words[1]
            return "OK", [None]
        if words[0] == "(RFC822.SIZE)":
            return "OK", [b"1 (RFC822.SIZE %d)" % self.sizes.get(uid, len(self.mails[uid]))]
        self.peeked &= "PEEK" in words[0]
        return "OK", [(b"1 (BODY[] {9}", self.mails[uid]), b")"]


BOX = env.mailbox("imaps://desk:right@mail.example/INBOX")


class TestMailbox:
    def fetched(self, box, **changes):
        with patch("imaplib.IMAP4_SSL", box):
            return mailbox.fetch(BOX | changes, at=AT)

    def test_what_is_stored_is_marked_and_the_rest_stays(self):
        mails = {"1": written(), "2": written(to="x@nowhere.example"), "3": b"huge"}
        box = Mailbox(mails, sizes={"3": 80 * 1024 * 1024})
        assert self.fetched(box) == mailbox.Fetched(stored=1, left=2)
        assert box.flags == {"1": r"(\Seen)", "2": r"(\Flagged)", "3": r"(\Flagged)"}
        assert box.peeked
        assert IncomingMail.objects.get().source == "mailbox"
        assert self.fetched(box) == mailbox.Fetched()

    def test_a_mail_that_comes_twice_after_a_break_is_taken_once(self):
        box = Mailbox({"1": written()})
        with patch("support.mailbox.take", side_effect=OSError("database")), pytest.raises(mailbox.MailboxFailed):
            self.fetched(box)
        assert box.flags == {}
        self.fetched(box)
        box.flags.clear()
        self.fetched(box)
        assert IncomingMail.objects.count() == 1

    @pytest.mark.parametrize("changes", [{"password": "wrong"}, {"folder": "None"}])
    def test_a_mailbox_that_refuses_is_told(self, changes):
        with pytest.raises(mailbox.MailboxFailed, match=r"mail\.example"):
            self.fetched(Mailbox({}), **changes)


def test_a_mailbox_address_is_read_and_checked():
    assert env.mailbox("") == {}
    assert env.mailbox("imap://a%40b:c@mail.example?tls=1") == {
        "host": "mail.example", "port": 143, "user": "a@b", "password": "c", "folder": "INBOX", "ssl": False,
        "tls": True,
    }  # fmt: skip
    for wrong in ("pop3://a:b@c", "imaps://mail.example/", "imaps://"):
        with pytest.raises(ValueError, match="imaps://"):
            env.mailbox(wrong)


@pytest.mark.django_db(transaction=True)
def test_mail_by_smtp_is_stored_before_it_is_taken(tenants):
    server = listener("127.0.0.1", free_port())
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as sender:
            sender.sendmail("dana@dovetail.example", ["support@acme.localhost"], written())
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                sender.sendmail("dana@dovetail.example", ["support@nowhere.example"], written())
            with patch("support.listener.take", side_effect=OSError), pytest.raises(smtplib.SMTPDataError) as later:
                sender.sendmail("dana@dovetail.example", ["support@acme.localhost"], written(number=2))
            assert later.value.smtp_code == 451
    finally:
        server.stop()
    row = IncomingMail.objects.get()
    assert (row.source, row.recipient) == ("smtp", "support@acme.localhost")
    assert b"The map does not load." in bytes(row.raw)


@pytest.mark.django_db(transaction=True)
def test_a_mail_larger_than_any_may_be_is_refused_with_its_reason_and_stays_with_its_sender(tenants):
    with patch("support.listener.MOST_BYTES", 2000):
        server = listener("127.0.0.1", free_port())
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as sender, pytest.raises(smtplib.SMTPException) as no:
            sender.sendmail("dana@dovetail.example", ["support@acme.localhost"], written("x" * 3000))
    finally:
        server.stop()
    assert "552" in str(no.value)
    assert not IncomingMail.objects.exists()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
