"""Mail that arrives: what it becomes, and what never comes of it (the seven that must be shown, and any bytes)."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from unittest.mock import patch

import pytest

from engagement.delivery import deliver_due
from engagement.models import OutboxMessage
from support import actions
from support.choices import MailState
from support.models import Ticket
from support.queries.addresses import reply_address, tenant_of
from tests.factories import AT, AccountFactory
from tests.support.mails import CUSTOMER, PASSED, RELAY, arrive, known, trusting, written
from tests.support.world import agent

pytestmark = pytest.mark.django_db
CHECK = "Authentication-Results"


@pytest.fixture(autouse=True)
def desk():
    return trusting()


@pytest.fixture
def dana():
    return known()


def nothing_came_of(row, state, rule):
    """It is kept as it came, says why it stands there, and neither a ticket nor a mail came of it."""
    assert (row.state, row.rule) == (state, rule)
    assert row.reason
    assert not Ticket.objects.exists()
    assert not OutboxMessage.objects.exists()
    return True


class TestBecoming:
    def test_a_customers_mail_becomes_a_ticket(self, dana):
        row = arrive(written(files=[("map.png", "image/png", b"\x89PNG\r\n\x1a\n123")]))
        ticket = Ticket.objects.get()
        assert (row.state, row.ticket) == (MailState.OPENED, ticket)
        assert (ticket.subject, ticket.account, ticket.requester) == ("Map broken", dana.account, dana)
        assert (ticket.channel, ticket.created_at) == ("email", AT)
        message = ticket.messages.get()
        assert (message.body, message.from_customer) == ("The map does not load.", True)
        assert message.attachments.get().name == "map.png"

    def test_an_answer_with_the_signed_address_joins_its_ticket(self, dana):
        ticket = arrive(written()).ticket
        actions.change_status(ticket, "waiting_customer", actor=agent(), at=AT)
        to = reply_address(ticket, "acme.localhost")
        row = arrive(written("Still broken.\n\nOn Tue, Ann wrote:\n> Try again", to=to, number=2), recipient=to)
        ticket.refresh_from_db()
        assert (row.state, row.ticket, ticket.status) == (MailState.JOINED, ticket, "open")
        assert (row.message.body, row.message.quoted) == ("Still broken.", "On Tue, Ann wrote:\n> Try again")

    def test_references_are_a_hint_for_the_same_account_only(self, dana):
        ticket = arrive(written()).ticket
        hint = {"References": "<mail-1@dovetail.example>"}
        assert arrive(written(number=2, headers=hint)).ticket == ticket
        known("eve@other.example")
        passed = f"{RELAY}; dkim=pass header.d=other.example"
        row = arrive(written(number=3, sender="eve@other.example", passed=passed, headers=hint))
        assert row.ticket != ticket

    def test_the_same_mail_is_taken_once(self, dana):
        first = arrive(written())
        assert arrive(written()).pk == first.pk
        again = arrive(written(headers={"Received": "by another way"}))
        assert (again.state, again.reason) == (MailState.DUPLICATE, "This message came before, by another way.")
        assert Ticket.objects.count() == 1

    def test_somebody_copied_may_answer(self, dana):
        ticket = arrive(written(headers={"Cc": "bo@partner.example"})).ticket
        assert ticket.cc == ["bo@partner.example"]
        to = reply_address(ticket, "acme.localhost")
        passed = f"{RELAY}; spf=pass smtp.mailfrom=bo@partner.example"
        row = arrive(written(number=2, sender="bo@partner.example", passed=passed, to=to), recipient=to)
        assert (row.state, row.ticket, row.message.contact) == (MailState.JOINED, ticket, None)

    def test_a_holiday_answer_is_kept_and_changes_nothing(self, dana):
        ticket = arrive(written()).ticket
        actions.change_status(ticket, "waiting_customer", actor=agent(), at=AT)
        to = reply_address(ticket, "acme.localhost")
        row = arrive(written(number=2, to=to, headers={"Auto-Submitted": "auto-replied"}), recipient=to)
        ticket.refresh_from_db()
        assert (row.message.is_automatic, ticket.status) == (True, "waiting_customer")


class TestMustShow:
    """Refused or quarantined with a reason, nothing lost, nothing sent."""

    @pytest.mark.parametrize(
        ("verdict", "rule"),
        [
            (None, "unverified"),
            (f"{RELAY}; dmarc=fail header.from=dovetail.example", "forged"),
            (f"{RELAY}; dmarc=fail; dkim=pass header.d=dovetail.example", "forged"),
            (f"{RELAY}; spf=pass smtp.mailfrom=evil.example; dkim=none", "unverified"),
            (f"{RELAY}; dkim=pass header.d=com", "unverified"),
            (f"{RELAY}; spf=softfail smtp.mailfrom=dovetail.example", "unverified"),
            (f'{RELAY}; spf=fail reason="dkim=pass header.d=dovetail.example"', "unverified"),
            (f"{RELAY} (; dmarc=pass header.from=dovetail.example)", "unverified"),
        ],
    )
    def test_a_forged_sender(self, dana, verdict, rule):
        row = arrive(written(passed=verdict))
        assert nothing_came_of(row, MailState.QUARANTINED, rule)
        assert bytes(row.raw) == written(passed=verdict)

    @pytest.mark.parametrize(
        "headers",
        [
            # Written by the sender, below what our relay put on top, or in its place.
            f"{CHECK}: {RELAY}; dmarc=fail header.from=dovetail.example\n{CHECK}: {PASSED}\n",
            f"{CHECK}: mx.evil.example; dmarc=pass header.from=dovetail.example\n{CHECK}: {PASSED}\n",
            f"X-Authentication-Results: {PASSED}\n",
            f"ARC-Authentication-Results: i=1; {PASSED}\n",
        ],
    )
    def test_an_injected_authentication_header(self, dana, headers):
        row = arrive(headers.encode() + written(passed=None))
        nothing_came_of(row, MailState.QUARANTINED, row.rule)
        assert row.rule in {"forged", "other_relay", "unverified"}

    def test_without_a_trusted_relay_nobody_is_believed(self, dana):
        trusting(trusted_relay="")
        nothing_came_of(arrive(written()), MailState.QUARANTINED, "no_relay")

    def test_two_senders_in_one_mail(self, dana):
        raw = b"From: eve@evil.example\n" + written()
        nothing_came_of(arrive(raw), MailState.QUARANTINED, "senders")
        both = written(sender=f"{CUSTOMER}, eve@evil.example", number=2)
        nothing_came_of(arrive(both), MailState.QUARANTINED, "senders")

    @pytest.mark.parametrize("forged", ["reply+{number}@", "reply+{number}." + "a" * 20 + "@", "reply+{other}.{seal}@"])
    def test_a_reply_with_a_guessed_number(self, dana, forged):
        ticket = arrive(written()).ticket
        seal = reply_address(ticket, "acme.localhost").split("@")[0].split(".")[1]
        address = forged.format(number=ticket.number, other=ticket.number + 1, seal=seal) + "acme.localhost"
        row = arrive(written(number=2, to=address), recipient=address)
        assert (row.state, row.rule) == (MailState.QUARANTINED, "forged_reply")
        assert ticket.messages.count() == 1
        assert not OutboxMessage.objects.exists()

    def test_a_number_in_the_subject_leads_nowhere(self, dana):
        victim = arrive(written()).ticket
        known("eve@other.example")
        passed = f"{RELAY}; dkim=pass header.d=other.example"
        subject = f"Re: Map broken [#{victim.number}]"
        mail = written(number=2, subject=subject, sender="eve@other.example", passed=passed)
        assert arrive(mail).ticket != victim
        assert victim.messages.count() == 1

    def test_a_signed_address_is_worth_nothing_to_another_account(self, dana):
        ticket = arrive(written()).ticket
        known("eve@other.example")
        to = reply_address(ticket, "acme.localhost")
        passed = f"{RELAY}; dkim=pass header.d=other.example"
        row = arrive(written(number=2, to=to, sender="eve@other.example", passed=passed), recipient=to)
        assert (row.state, row.rule) == (MailState.QUARANTINED, "other_account")
        assert ticket.messages.count() == 1

    def test_an_attachment_of_30_megabytes(self, dana):
        big = b"%PDF-" + b"0" * (30 * 1024 * 1024)
        raw = written(files=[("plan.pdf", "application/pdf", big), ("log.txt", "application/x-log", b"ok")])
        row = arrive(raw)
        assert row.state == MailState.OPENED
        assert bytes(row.raw) == raw
        assert not OutboxMessage.objects.exists()
        assert row.refused_files == ["plan.pdf is larger than 10 MB."]
        assert [file.name for file in row.message.attachments.all()] == ["log.txt"]
        assert row.size > 40 * 1024 * 1024
        assert row.message.body == "The map does not load."
        assert "plan.pdf is larger than 10 MB." in row.ticket.messages.get(is_internal=True).body

    def test_html_with_scripts(self, dana):
        html = (
            '<p onclick="steal()">Hello <b>you</b><script>alert(1)</script><img src="https://evil.example/seen.gif">'
            '<a href="javascript:alert(2)">click</a><iframe src="https://evil.example"></iframe>'
            '<style>body{display:none}</style><svg onload="alert(3)"><a href="https://ok.example">fine</a></svg></p>'
        )
        row = arrive(written("", html=html))
        message = row.message
        assert bytes(row.raw) == written("", html=html)
        assert not OutboxMessage.objects.exists()
        for bad in ("script", "alert", "onclick", "evil.example", "javascript", "style", "svg", "onload"):
            assert bad not in message.html
            assert bad not in message.body
        assert "<b>you</b>" in message.html
        assert message.body == "Hello youclick"

    @pytest.mark.parametrize(
        ("headers", "rule"),
        [
            ({"Auto-Submitted": "auto-generated"}, "automatic"),
            ({"Precedence": "bulk"}, "automatic"),
            ({"List-Id": "<news.dovetail.example>"}, "automatic"),
            ({"X-Auto-Response-Suppress": "All"}, "automatic"),
            ({"Return-Path": "<>"}, "automatic"),
            ({"From": "mailer-daemon@dovetail.example"}, "automatic"),
            ({"From": "support@acme.localhost"}, "loop"),
            ({"X-Loop": "acme.localhost"}, "loop"),
        ],
    )
    def test_a_mail_loop(self, dana, headers, rule):
        trusting(acknowledge_mail=True)
        nothing_came_of(arrive(written(headers=headers)), MailState.NOTED, rule)

    def test_our_own_mail_that_comes_back(self, dana):
        ticket = arrive(written()).ticket
        answer = actions.reply(ticket, "We look at it.", actor=agent(), at=AT)
        row = arrive(written(number=2, headers={"Message-ID": answer.mail_id}))
        assert (row.state, row.rule) == (MailState.NOTED, "loop")

    def test_more_mails_than_a_person_writes(self, dana):
        trusting(mails_per_hour=2, acknowledge_mail=True)
        states = [arrive(written(number=number)).state for number in range(4)]
        assert states == [MailState.OPENED, MailState.OPENED, MailState.NOTED, MailState.NOTED]
        assert OutboxMessage.objects.count() == 2
        assert arrive(written(number=9), at=AT + timedelta(hours=2)).state == MailState.OPENED


class TestSenders:
    def test_an_unknown_sender_waits_in_quarantine(self):
        nothing_came_of(arrive(written()), MailState.QUARANTINED, "unknown_sender")

    def test_a_name_that_looks_like_an_address_is_none(self, dana):
        passed = f"{RELAY}; dkim=pass header.d=evil.example"
        row = arrive(written(sender=f'"{CUSTOMER}" <eve@evil.example>', passed=passed))
        nothing_came_of(row, MailState.QUARANTINED, "unknown_sender")

    @pytest.mark.parametrize(
        "sender",
        [
            "=?utf-8?q?Dana_=3Cdana=40dovetail=2Eexample=3E?= <eve@evil.example>",
            "dana@dovetail.example(<eve@evil.example>",
            "dana@dovetail.example <eve@evil.example>",
        ],
    )
    def test_an_address_hidden_in_another_is_not_believed(self, dana, sender):
        raw = written(passed=f"{RELAY}; dmarc=pass header.from=evil.example")
        raw = raw.replace(f"From: Dana <{CUSTOMER}>".encode(), f"From: {sender}".encode())
        row = arrive(raw)
        nothing_came_of(row, MailState.QUARANTINED, row.rule)

    def test_somebody_at_two_accounts_is_asked_about(self, dana):
        known(account=AccountFactory(name="Second"))
        row = arrive(written())
        nothing_came_of(row, MailState.QUARANTINED, "many_accounts")
        assert "Second" in row.reason

    def test_a_person_who_left_is_nobody(self, dana):
        dana.left_on = AT.date()
        dana.save()
        nothing_came_of(arrive(written()), MailState.QUARANTINED, "unknown_sender")


class TestWorkspaces:
    def test_a_reply_address_of_one_workspace_is_refused_by_another(self, dana, tenants):
        from django.db import connection

        ticket = arrive(written()).ticket
        foreign = reply_address(ticket, "globex.localhost")
        connection.set_tenant(tenants["globex"])
        trusting()
        known()
        assert arrive(written(), recipient="support@globex.localhost").ticket.number == ticket.number
        row = arrive(written(number=2, to=foreign), recipient=foreign)
        assert (row.state, row.rule) == (MailState.QUARANTINED, "forged_reply")

    def test_the_host_of_the_address_names_the_workspace(self, tenants):
        assert tenant_of(["x@nowhere.example", "support@GLOBEX.localhost"]) == tenants["globex"]
        assert tenant_of(["support@nowhere.example"]) is None


class TestFailing:
    def test_what_we_could_not_do_is_tried_again_and_then_shown(self, dana):
        row = actions.receive(written(), source="file", at=AT)
        with patch("support.actions.mailroom.open_ticket", side_effect=OSError("disk")):
            moment = AT
            for _round in range(8):
                actions.work_due(at=moment)
                moment += timedelta(hours=3)
        row.refresh_from_db()
        assert (row.state, row.attempts, row.reason) == (MailState.FAILED, 5, "OSError: disk")
        assert not Ticket.objects.exists()

    def test_once_it_goes_again_nothing_was_lost(self, dana):
        actions.receive(written(), source="file", at=AT)
        with patch("support.actions.mailroom.open_ticket", side_effect=OSError("disk")):
            actions.work_due(at=AT)
        assert actions.work_due(at=AT) == {}
        assert actions.work_due(at=AT + timedelta(minutes=1)) == {MailState.OPENED: 1}


class TestAnswers:
    def bounced(self, mail_id, action="failed"):
        report = EmailMessage()
        report["From"], report["To"] = "mailer-daemon@dovetail.example", "support@acme.localhost"
        report["Message-ID"] = "<bounce@dovetail.example>"
        head, _, _rest = report.as_bytes().partition(b"\n\n")
        return head + (
            b'\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            b"--b\nContent-Type: text/plain\n\nSorry\n--b\nContent-Type: message/delivery-status\n\n"
            b"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; dana@dovetail.example\nAction: " + action.encode() +
            b"\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n\n--b\nContent-Type: text/rfc822-headers\n\n"
            b"Message-ID: " + mail_id.encode() + b"\nSubject: y\n\n--b--\n"
        )  # fmt: skip

    def test_an_answer_leaves_with_its_address_and_references(self, dana, mailoutbox):
        ticket = arrive(written(headers={"Cc": "bo@partner.example"})).ticket
        answer = actions.reply(ticket, "We look at it.", actor=agent(), at=AT)
        assert answer.delivery == "pending"
        assert deliver_due(now=AT)["sent"] == 2
        mail = next(mail for mail in mailoutbox if mail.to == [CUSTOMER])
        assert (mail.body, mail.subject) == ("We look at it.", f"Re: Map broken [#{ticket.number}]")
        assert mail.reply_to == [reply_address(ticket, "acme.localhost")]
        assert mail.extra_headers["In-Reply-To"] == "<mail-1@dovetail.example>"
        assert mail.extra_headers["Message-ID"] == answer.mail_id
        assert "Auto-Submitted" not in mail.extra_headers
        assert actions.follow_mail(at=AT) == {"sent": 1, "failed": 0}
        answer.refresh_from_db()
        assert (answer.delivery, answer.sent_at) == ("sent", AT)

    def test_an_acknowledgement_says_that_it_is_automatic_and_answers_nothing(self, dana, mailoutbox):
        trusting(acknowledge_mail=True)
        ticket = arrive(written()).ticket
        deliver_due(now=AT)
        assert mailoutbox[0].extra_headers["Auto-Submitted"] == "auto-replied"
        assert f"#{ticket.number}" in mailoutbox[0].body
        ticket.refresh_from_db()
        assert (ticket.status, ticket.first_responded_at) == ("new", None)

    def test_an_answer_that_came_back_was_no_first_response(self, dana):
        ticket = arrive(written()).ticket
        answer = actions.reply(ticket, "We look at it.", actor=agent(), at=AT)
        row = arrive(self.bounced(answer.mail_id))
        ticket.refresh_from_db()
        answer.refresh_from_db()
        assert (row.state, answer.delivery, ticket.first_responded_at) == (MailState.BOUNCE, "failed", None)
        assert "550 no such user" in answer.delivery_error

    def test_a_report_that_is_late_or_not_about_us_changes_nothing(self, dana):
        ticket = arrive(written()).ticket
        answer = actions.reply(ticket, "We look at it.", actor=agent(), at=AT)
        late = self.bounced(answer.mail_id, "delayed").replace(b"5.1.1", b"4.4.1")
        assert arrive(late).rule == "delayed"
        assert arrive(self.bounced("<other@dovetail.example>")).rule == "unknown_bounce"
        answer.refresh_from_db()
        assert answer.delivery == "pending"

    def test_a_mail_the_outbox_gave_up_failed(self, dana):
        ticket = arrive(written()).ticket
        answer = actions.reply(ticket, "We look at it.", actor=agent(), at=AT)
        OutboxMessage.objects.update(dead_at=AT, last_error="SMTPRecipientsRefused")
        assert actions.follow_mail(at=AT) == {"sent": 0, "failed": 1}
        answer.refresh_from_db()
        assert (answer.delivery, answer.delivery_error) == ("failed", "SMTPRecipientsRefused")

    def test_files_leave_with_the_answer(self, dana, mailoutbox):
        from accounts.uploads import check_content

        ticket = arrive(written()).ticket
        answer = actions.reply(ticket, "Here.", actor=agent(), at=AT)
        actions.attach(answer, [check_content("log.txt", b"one line")], at=AT)
        deliver_due(now=AT)
        assert mailoutbox[0].attachments[0][:2] == ("log.txt", "one line")

    def test_a_call_is_not_answered_by_mail(self, dana):
        ticket = actions.open_ticket(
            dana.account, subject="x", channel="phone", requester=dana, actor=agent(), at=AT, opened_by_staff=True
        )
        assert actions.reply(ticket, "Told them.", actor=agent(), at=AT).delivery == "none"
        assert not OutboxMessage.objects.exists()
