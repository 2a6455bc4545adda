"""Customers are asked once for each resolution, and answer by a link that is theirs alone."""

from __future__ import annotations

import random
import re
import string
from datetime import timedelta

import pytest
from django.db import connection

from engagement.delivery import deliver_due
from engagement.models import OutboxMessage
from support import actions
from support.models import TicketRating
from support.queries.ratings import rating_token
from tests.factories import AT
from tests.support.mails import CUSTOMER, arrive, known, trusting, written
from tests.support.world import agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def resolved():
    trusting()
    known()
    ticket = arrive(written()).ticket
    actions.resolve(ticket, actor=agent(), at=AT)
    ticket.refresh_from_db()
    return ticket


def link(ticket):
    return f"/support/rate/{rating_token(ticket)}/"


def test_a_resolution_is_asked_about_once(resolved, mailoutbox):
    before = resolved.version
    assert actions.ask_for_ratings(at=AT) == 1
    assert actions.ask_for_ratings(at=AT + timedelta(hours=1)) == 0
    deliver_due(now=AT)
    (mail,) = mailoutbox
    assert (mail.to, mail.extra_headers["Auto-Submitted"]) == ([CUSTOMER], "auto-generated")
    assert re.search(r"http://acme\.localhost\S*/support/rate/\S+/\n", mail.body)
    resolved.refresh_from_db()
    assert (resolved.csat_asked_at, resolved.version) == (AT, before)


def test_one_opened_again_is_asked_about_again(resolved):
    actions.ask_for_ratings(at=AT)
    old = link(resolved)
    later = AT + timedelta(hours=2)
    actions.resolve(actions.reopen(resolved, actor=agent(), at=later), actor=agent(), at=later)
    assert actions.ask_for_ratings(at=later) == 1
    resolved.refresh_from_db()
    assert link(resolved) != old


@pytest.mark.parametrize("case", ["off", "long ago", "rated", "no address"])
def test_nobody_is_asked_in_vain(resolved, case):
    moment = AT + timedelta(days=3) if case == "long ago" else AT
    if case == "off":
        trusting(ask_for_rating=False)
    elif case == "rated":
        actions.rate(resolved, 5, at=AT)
    elif case == "no address":
        type(resolved.requester).objects.update(email="")
    assert actions.ask_for_ratings(at=moment) == 0
    assert not OutboxMessage.objects.exists()


def test_reading_records_nothing_and_sending_records_once(client, resolved):
    shown = client.get(link(resolved))
    assert (shown.status_code, shown["Referrer-Policy"]) == (200, "same-origin")
    assert resolved.subject not in shown.content.decode()
    assert not TicketRating.objects.exists()
    sent = client.post(link(resolved), {"score": "2", "comment": "Took long"}, follow=True)
    assert "Thank you" in sent.content.decode()
    again = client.post(link(resolved), {"score": "5"})
    assert again.status_code == 409
    resolved.refresh_from_db()
    assert (resolved.csat_score, resolved.csat_comment, TicketRating.objects.count()) == (2, "Took long", 1)


@pytest.mark.parametrize("score", ["", "0", "6", "five", "1.5"])
def test_only_one_to_five_is_an_answer(client, resolved, score):
    assert client.post(link(resolved), {"score": score}).status_code == 422
    assert not TicketRating.objects.exists()


def test_a_link_is_worth_nothing_once_the_ticket_is_open_again(client, resolved):
    old = link(resolved)
    actions.reopen(resolved, actor=agent(), at=AT)
    assert client.post(old, {"score": "5"}).status_code == 410
    assert not TicketRating.objects.exists()


def test_a_link_of_another_workspace_or_an_altered_one_is_unknown(client, resolved, tenants):
    token = rating_token(resolved)
    chosen = random.Random(7)
    for place in chosen.sample(range(len(token)), 12):
        other = chosen.choice([sign for sign in string.ascii_letters if sign != token[place]])
        altered = token[:place] + other + token[place + 1 :]
        assert client.get(f"/support/rate/{altered}/").status_code == 404
    connection.set_tenant(tenants["globex"])
    foreign = rating_token(type(resolved)(pk=resolved.pk, cycle=1))
    connection.set_tenant(tenants["acme"])
    assert client.get(f"/support/rate/{foreign}/").status_code == 404
