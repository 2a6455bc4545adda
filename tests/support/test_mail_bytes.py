"""Whatever bytes arrive, the mail room keeps them and says what became of them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagement.models import OutboxMessage
from support.choices import MailState
from support.models import IncomingMail, Message
from tests.support.mails import CUSTOMER, PASSED, arrive, known, trusting

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana():
    trusting()
    return known()


HEADERS = st.sampled_from(
    ["From", "To", "Subject", "Message-ID", "References", "Content-Type", "Content-Transfer-Encoding", "Date", "Cc",
     "Authentication-Results", "Auto-Submitted", "Content-Disposition", "MIME-Version", "Delivered-To"]
)  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [CUSTOMER.encode(), PASSED.encode(), b"multipart/mixed; boundary=b", b"text/plain; charset=no-such", b"base64",
         b"=?utf-8?q?=FF=00?=", b"=?x?b?a?=", b"<a@b>", b'"', b"message/rfc822", b"message/delivery-status", b"8bit",
         b"multipart/report; boundary=b", b"text/html; charset=utf-7", b"a@b, c@d", b"@@", b"<>", b"x-uuencode",
         b"attachment; filename*=utf-9''%FF%00", b"reply+1.aaaaaaaaaaaaaaaaaaaa@acme.localhost", b"quoted-printable"]
    ),
)  # fmt: skip
LINES = st.lists(st.tuples(HEADERS, VALUES), max_size=8)
MARKS = st.sampled_from([b"--b", b"--b--", b"\n", b"<script>"])
BODIES = st.lists(st.one_of(st.binary(max_size=80), MARKS), max_size=6)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(lines=LINES, body=BODIES, as_is=st.binary(max_size=200), structured=st.booleans())
def test_whatever_bytes_arrive_are_stored_and_end_in_a_state_with_a_reason(dana, lines, body, as_is, structured):
    head = b"\n".join(name.encode() + b": " + value for name, value in lines)
    raw = head + b"\n\n" + b"\n".join(body) if structured else as_is
    before = OutboxMessage.objects.count()
    row = arrive(raw)
    assert bytes(row.raw) == raw
    assert row.attempts == 1, row.reason
    assert row.state not in {MailState.WAITING, MailState.FAILED}
    assert row.reason or row.ticket
    assert OutboxMessage.objects.count() == before
    assert IncomingMail.objects.filter(sha256=row.sha256).count() == 1
    assert Message.objects.exclude(ticket__account=dana.account).count() == 0
