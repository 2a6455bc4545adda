"""The outbox against a real mail server on a socket: at least once, never lost, dead in the end."""

from __future__ import annotations

import email
import socketserver
import threading
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core import mail

from accounts.choices import Role
from accounts.models import AuditEntry
from engagement import delivery
from engagement.actions import notify, retry_message
from engagement.choices import Kind
from engagement.delivery import BACKOFF, LEASE, MAX_ATTEMPTS, claim, deliver_due
from engagement.models import Notification, OutboxMessage
from tests.factories import AT, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db


class Session(socketserver.StreamRequestHandler):
    """As much of SMTP as Django speaks; ``refuse`` answers every message with that line."""

    def handle(self):
        self.reply("220 test")
        while line := self.rfile.readline():
            command = line.split(b" ")[0].strip().upper()
            if command == b"DATA":
                self.reply("354 go on")
                self.take()
            elif command == b"QUIT":
                self.reply("221 bye")
                return
            else:
                self.reply("250 ok")

    def take(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        if self.server.refuse:
            self.reply(self.server.refuse)
            return
        self.server.received.append(email.message_from_bytes(b"".join(lines)))
        self.reply("250 taken")

    def reply(self, text):
        self.wfile.write(f"{text}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.received, self.refuse = [], ""


@pytest.fixture
def server(settings):
    with Server() as smtp:
        thread = threading.Thread(target=smtp.serve_forever, daemon=True)
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.server_address
        yield smtp
        smtp.shutdown()
        thread.join()


def queued(**changes):
    person = UserFactory()
    values = {"kind": Kind.HEALTH_BAND, "title": "Halden fell", "at": AT, "dedupe_key": "x"}
    notify([person], **{**values, **changes})
    return OutboxMessage.objects.get(user=person)


def test_a_message_arrives_with_both_bodies_its_link_and_a_stable_id(server):
    message = queued(body="Usage <b>fell</b>", url="/accounts/1/")
    assert deliver_due(now=AT) == {"sent": 1, "failed": 0, "dead": 0}
    assert deliver_due(now=AT + timedelta(hours=1)) == {"sent": 0, "failed": 0, "dead": 0}
    (arrived,) = server.received
    assert arrived["Message-ID"] == f"<{message.pk}@acme.localhost>"
    assert (arrived["To"], arrived["Subject"], arrived["Auto-Submitted"]) == (
        message.to,
        "Halden fell",
        "auto-generated",
    )
    text, html = [part.get_payload(decode=True).decode() for part in arrived.get_payload()]
    link = f"http://acme.localhost:{django_settings.PORT}/accounts/1/"
    assert "Usage <b>fell</b>" in text
    assert link in text
    assert "Usage &lt;b&gt;fell&lt;/b&gt;" in html
    assert f'href="{link}"' in html
    message.refresh_from_db()
    assert (message.state, message.sent_at, message.attempts) == ("sent", AT, 1)


def test_a_worker_that_dies_after_sending_sends_the_same_message_again_and_the_notice_stands_once(server, monkeypatch):
    queued()
    marked = []

    def die(*_arguments, **_more):
        marked.append(True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_mark_sent", die)
        with pytest.raises(KeyboardInterrupt):
            deliver_due(now=AT)
    assert deliver_due(now=AT + LEASE - timedelta(seconds=1))["sent"] == 0
    assert deliver_due(now=AT + LEASE)["sent"] == 1
    assert marked == [True]
    assert len(server.received) == 2
    assert len({arrived["Message-ID"] for arrived in server.received}) == 1
    assert Notification.objects.count() == 1


def test_a_worker_that_dies_before_sending_loses_nothing(server):
    queued()
    assert len(claim(at=AT)) == 1
    assert deliver_due(now=AT)["sent"] == 0
    assert deliver_due(now=AT + LEASE)["sent"] == 1
    assert len(server.received) == 1


def test_a_refused_message_is_tried_later_and_later_then_given_up_with_its_error(server):
    server.refuse = "451 mailbox busy"
    message = queued()
    at, waits = AT, []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        outcome = deliver_due(now=at)
        message.refresh_from_db()
        assert message.attempts == attempt
        assert "mailbox busy" in message.last_error
        if attempt < MAX_ATTEMPTS:
            assert outcome == {"sent": 0, "failed": 1, "dead": 0}
            waits.append(message.not_before - at)
            assert deliver_due(now=message.not_before - timedelta(seconds=1)) == {"sent": 0, "failed": 0, "dead": 0}
            at = message.not_before
    assert outcome == {"sent": 0, "failed": 0, "dead": 1}
    assert tuple(waits) == BACKOFF
    assert (message.state, message.dead_at) == ("dead", at)
    assert deliver_due(now=at + timedelta(days=30)) == {"sent": 0, "failed": 0, "dead": 0}


def test_a_server_that_is_away_counts_as_a_failure_of_each_message(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    message = queued()
    assert deliver_due(now=AT) == {"sent": 0, "failed": 1, "dead": 0}
    message.refresh_from_db()
    assert (message.lease_until, message.not_before) == (None, AT + BACKOFF[0])
    assert "Refused" in message.last_error


def test_a_message_that_kills_every_worker_is_given_up():
    message = queued()
    at = AT
    for _ in range(MAX_ATTEMPTS):
        assert len(claim(at=at)) == 1
        at += LEASE
    assert claim(at=at) == []
    message.refresh_from_db()
    assert (message.state, message.last_error) == ("dead", "The worker stopped at every attempt.")


def test_a_dead_message_can_be_tried_again_from_the_start(server):
    message = queued()
    OutboxMessage.objects.update(dead_at=AT, attempts=MAX_ATTEMPTS, last_error="x")
    message.refresh_from_db()
    admin = UserFactory(role=Role.ADMIN)
    assert retry_message(message, actor=admin, at=AT) is True
    assert deliver_due(now=AT)["sent"] == 1
    assert retry_message(message, actor=admin, at=AT) is False
    assert AuditEntry.objects.filter(action="outbox.retry").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_message_once(server):
    person = UserFactory()
    for number in range(20):
        notify([person], kind=Kind.HEALTH_BAND, title=f"N{number}", at=AT, dedupe_key=str(number))
    at_once(*[lambda: deliver_due(now=AT, limit=10)] * 3)
    assert sorted(arrived["Subject"] for arrived in server.received) == sorted(f"N{number}" for number in range(20))


def test_a_hostile_title_cannot_add_a_header():
    message = queued(title="Halden\r\nBcc: everyone@example.com")
    deliver_due(now=AT)
    assert mail.outbox[0].subject == "Halden Bcc: everyone@example.com"
    assert mail.outbox[0].recipients() == [message.to]
