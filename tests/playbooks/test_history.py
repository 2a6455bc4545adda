"""What a CTA's page tells of its past: every step with who and why, and how the same trigger ended before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from playbooks.actions import (
    add_task,
    close_cta,
    complete_task,
    open_cta,
    reassign_cta,
    reopen_cta,
    snooze_cta,
    update_cta,
    wake_cta,
)
from playbooks.models import Cta
from playbooks.queries import cta_history, earlier_ctas
from playbooks.queries.history import MOST_EARLIER
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


def fired(account, minutes=0, **values):
    given = {"title": "Low adoption", "reason": "", "kind": "risk", "priority": "high", "trigger_key": "low-adoption"}
    return open_cta(account, at=AT + timedelta(minutes=minutes), **{**given, **values})


def test_every_step_is_told_with_who_and_why_the_newest_first(leader):
    other = UserFactory(role=Role.VP_CS, name="Otto Reed")
    cta = fired(AccountFactory(), owner=leader)
    at = iter(AT + timedelta(hours=hour) for hour in range(1, 20))
    task = add_task(cta, title="Call them", actor=leader, at=next(at))
    update_cta(cta, priority="low", due_on=date(2027, 2, 1), reason="New", actor=leader, at=next(at))
    snooze_cta(cta, until_on=date(2027, 1, 5), reason="They are away", actor=leader, at=next(at))
    wake_cta(cta, actor=None, at=next(at))
    reassign_cta(cta, other, reason="Leave", actor=leader, at=next(at))
    complete_task(task, actor=other, at=next(at))
    close_cta(cta, outcome="resolved", note="Trained them", actor=other, at=next(at))
    reopen_cta(cta, actor=leader, at=next(at))
    steps = [(step.what, step.why, step.who) for step in cta_history(cta, [task])]
    assert steps == [
        ("Opened again", "", "Vera Prince"),
        ("Closed: Resolved", "Trained them", "Otto Reed"),
        ("Task done: Call them", "", "Otto Reed"),
        ("Handed from Vera Prince to Otto Reed", "Leave", "Vera Prince"),
        ("Back from the snooze", "", ""),
        ("Snoozed until 5 Jan 2027", "They are away", "Vera Prince"),
        (f"Changed: priority High → Low, due day {_day(cta)} → 1 Feb 2027, reason", "", "Vera Prince"),
        ("Task added: Call them", "", "Vera Prince"),
        ("Opened", "", ""),
    ]


def _day(cta):
    return f"{cta.due_on.day} {cta.due_on:%b} {cta.due_on.year}"


def test_the_same_trigger_on_the_account_before_is_shown_with_its_end(client, leader):
    account = AccountFactory()
    before = close_cta(fired(account), outcome="no_action", note="A holiday", actor=leader, at=AT + timedelta(hours=1))
    now = fired(account, minutes=120)
    fired(account, trigger_key="other")
    fired(AccountFactory())
    assert [cta.pk for cta in earlier_ctas(leader, now).rows] == [before.pk]
    client.force_login(leader)
    page = client.get(f"/ctas/{now.pk}/").content.decode()
    assert f"/ctas/{before.pk}/" in page
    assert "No action was needed" in page
    assert "A holiday" in page
    assert "/triggers/low-adoption/" in page


def test_of_many_the_newest_are_read_and_all_are_counted(leader):
    account = AccountFactory()
    ctas = [fired(account, minutes=number) for number in range(MOST_EARLIER + 3)]
    with CaptureQueriesContext(connection) as queries:
        found = earlier_ctas(leader, ctas[-1])
    assert found.rows == ctas[-2 : -2 - MOST_EARLIER : -1]
    assert found.total == MOST_EARLIER + 2
    assert len(queries) == 1
    assert f"LIMIT {MOST_EARLIER}" in queries[0]["sql"]


def test_of_a_cta_opened_by_hand_there_is_no_earlier_one(leader):
    account = AccountFactory()
    fired(account, trigger_key="")
    assert earlier_ctas(leader, fired(account, trigger_key="")).total == 0


def test_a_reader_without_sight_of_the_account_learns_nothing_of_the_others():
    account = AccountFactory()
    fired(account)
    cta = fired(account, minutes=5)
    portal = UserFactory(role=Role.PORTAL_USER)
    assert earlier_ctas(portal, cta).total == 0


def test_the_page_takes_the_same_queries_for_a_short_and_a_long_past_and_at_most_twelve(client, leader):
    client.force_login(leader)
    client.get("/ctas/")
    account = AccountFactory()
    cta, counts = fired(account), []
    other = UserFactory(role=Role.VP_CS)
    for round_ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/ctas/{cta.pk}/").status_code == 200
        counts.append(sum("search_path" not in query["sql"] for query in queries))
        if not round_:
            reassign_cta(cta, other, actor=leader, at=AT)
            reassign_cta(cta, leader, actor=leader, at=AT)
            for number in range(3):
                close_cta(fired(account, minutes=number), outcome="resolved", actor=leader, at=AT + timedelta(hours=1))
    assert counts[0] == counts[1] <= 12
    assert Cta.objects.count() == 4
