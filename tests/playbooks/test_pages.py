"""The pages of CTAs and playbooks, through the door."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Workspace
from health.models import Trigger
from playbooks.actions import add_task, close_cta, install_playbook, snooze_cta
from playbooks.models import Cta, Playbook, Task
from playbooks.queries import waiting_ctas
from tests.factories import AT, AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


def titles(response):
    body = text(response)
    return [cta.title for cta in Cta.objects.order_by("title") if f">{cta.title}</a>" in body]


@pytest.fixture
def ctas(leader):
    today = timezone.localdate()
    halden, brook = AccountFactory(name="Halden", arr=500), AccountFactory(name="Brook", arr=900)
    CtaFactory(title="A late", account=halden, due_on=today - timedelta(days=1), priority="high", owner=leader)
    CtaFactory(title="B today", account=brook, due_on=today, kind="renewal")
    CtaFactory(title="C week", account=brook, due_on=today + timedelta(days=7), owner=UserFactory())
    CtaFactory(title="D later", account=halden, due_on=today + timedelta(days=8), priority="low")
    snoozed = CtaFactory(title="E snoozed", account=halden)
    snooze_cta(snoozed, until_on=date(2099, 1, 1), reason="waits", actor=leader, at=AT)
    close_cta(CtaFactory(title="F closed", account=halden), outcome="resolved", actor=leader, at=AT)
    return {cta.title: cta for cta in Cta.objects.all()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A late", "B today", "C week", "D later"]),
        ("status=snoozed", ["E snoozed"]),
        ("status=closed", ["F closed"]),
        ("status=unclosed", ["A late", "B today", "C week", "D later", "E snoozed"]),
        ("status=all&q=halden", ["A late", "D later", "E snoozed", "F closed"]),
        ("kind=renewal", ["B today"]),
        ("priority=high", ["A late"]),
        ("owner=me", ["A late"]),
        ("owner=none", ["B today", "D later"]),
        ("due=overdue", ["A late"]),
        ("due=today", ["B today"]),
        ("due=week", ["B today", "C week"]),
        ("due=later", ["D later"]),
        ("q=week", ["C week"]),
        ("q=nothing", []),
        ("status=nonsense&owner=nobody&kind=%00&due=x", ["A late", "B today", "C week", "D later"]),
    ],
)
def test_the_list_is_narrowed_by_its_address(desk, ctas, query, expected):
    response = desk.get(f"/ctas/?{query}")
    assert response.status_code == 200
    assert titles(response) == expected


@pytest.mark.parametrize(
    ("sort", "first"),
    [("due", "A late"), ("-due", "D later"), ("priority", "A late"), ("-arr", "B today"), ("account", "B today")],
)
def test_the_list_is_sorted_by_its_address(desk, ctas, sort, first):
    body = text(desk.get(f"/ctas/?sort={sort}"))
    positions = {title: body.find(f">{title}</a>") for title in ("A late", "B today", "C week", "D later")}
    assert min(positions, key=positions.get) == first


def test_pages_follow_each_other_without_gaps(desk):
    account = AccountFactory()
    for number in range(120):
        CtaFactory(title=f"T{number:03}", account=account, priority=("high", "medium", "low")[number % 3])
    seen, url = [], "/ctas/?sort=priority"
    while url:
        body = text(desk.get(url))
        seen += [f"T{n:03}" for n in range(120) if f">T{n:03}</a>" in body]
        marker = 'rel="next" href="'
        at = body.find(marker)
        url = (
            "/ctas/" + body[at + len(marker) : body.index('"', at + len(marker))].replace("&amp;", "&")
            if at >= 0
            else ""
        )
    assert sorted(seen) == [f"T{number:03}" for number in range(120)]


def test_the_list_takes_the_same_queries_for_one_and_three_rows(desk):
    counts = []
    desk.get("/ctas/")  # the first visit also notes the session
    for rows in (1, 3):
        while Cta.objects.count() < rows:
            cta = CtaFactory(owner=UserFactory())
            add_task(cta, title="x", actor=UserFactory(), at=AT)
        with CaptureQueriesContext(connection) as queries:
            desk.get("/ctas/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_htmx_gets_the_results_alone(desk, ctas):
    body = text(desk.get("/ctas/", headers={"HX-Request": "true"}))
    assert "<html" not in body
    assert ">A late</a>" in body


def test_the_csv_holds_the_same_rows_and_defuses_formulas(desk, ctas):
    Cta.objects.filter(title="A late").update(title="=cmd()")
    response = desk.get("/ctas/export.csv?owner=me")
    rows = list(csv.DictReader(io.StringIO(text(response).removeprefix("\ufeff"))))
    assert [(row["title"], row["account_name"], row["status"]) for row in rows] == [("'=cmd()", "Halden", "open")]


def test_an_empty_list_says_so(desk):
    assert "Nothing needs attention" in text(desk.get("/ctas/"))
    assert "No CTA matches" in text(desk.get("/ctas/?q=x"))


def test_the_record_tells_why_and_shows_what_to_do(desk, leader):
    cta = CtaFactory(
        title="Usage fell",
        reason="31 % in five weeks",
        trigger_key="declining-usage",
        evidence={"facts": {"usage_change_pct": -31}, "window_days": 14},
    )
    add_task(cta, title="Call <Pieter>", actor=leader, at=AT)
    body = text(desk.get(f"/ctas/{cta.pk}/"))
    for expected in (
        "31 % in five weeks",
        "<dt>Usage change</dt>",
        "-31 %",
        "/triggers/declining-usage/",
        "Call &lt;Pieter&gt;",
    ):
        assert expected in body


def test_the_record_takes_the_same_queries_for_one_and_three_tasks(desk, leader):
    cta, counts = CtaFactory(), []
    desk.get("/ctas/")  # the first visit also notes the session
    for number in (1, 3):
        while cta.tasks.count() < number:
            add_task(cta, title="x", actor=leader, at=AT)
        with CaptureQueriesContext(connection) as queries:
            desk.get(f"/ctas/{cta.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_closing_by_the_page_and_the_way_back(desk, leader):
    cta = CtaFactory()
    response = desk.post(f"/ctas/{cta.pk}/close/", {"close-outcome": "resolved", "close-note": "Done."})
    assert response.status_code == 302
    cta.refresh_from_db()
    assert (cta.status, cta.closed_by, cta.close_note) == ("closed", leader, "Done.")
    desk.post(f"/ctas/{cta.pk}/reopen/")
    cta.refresh_from_db()
    assert cta.status == "open"


def test_a_refused_form_comes_back_with_the_error_and_the_input(desk):
    cta = CtaFactory()
    response = desk.post(f"/ctas/{cta.pk}/snooze/", {"snooze-until_on": "2020-01-01", "snooze-reason": "kept input"})
    assert response.status_code == 422
    body = text(response)
    assert "Choose a day after today." in body
    assert "kept input" in body
    cta.refresh_from_db()
    assert cta.status == "open"


def test_handing_over_and_snoozing_by_the_page(desk):
    cta, successor = CtaFactory(), UserFactory()
    desk.post(f"/ctas/{cta.pk}/reassign/", {"reassign-owner": successor.pk})
    desk.post(f"/ctas/{cta.pk}/snooze/", {"snooze-until_on": "2099-01-01", "snooze-reason": "waits"})
    cta.refresh_from_db()
    assert (cta.owner, cta.status, cta.snooze_reason) == (successor, "snoozed", "waits")
    desk.post(f"/ctas/{cta.pk}/wake/")
    cta.refresh_from_db()
    assert cta.status == "open"


def test_a_task_is_ticked_with_and_without_script(desk, leader):
    task = add_task(CtaFactory(), title="Call", actor=leader, at=AT)
    assert desk.post(f"/tasks/{task.pk}/toggle/", {"done": "1"}).status_code == 302
    assert Task.objects.get().completed_by == leader
    fragment = desk.post(f"/tasks/{task.pk}/toggle/", {}, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert text(fragment).lstrip().startswith('<div id="tasks">')
    assert Task.objects.get().completed_at is None


def test_a_task_is_changed_by_the_page_and_a_refusal_keeps_the_input(desk, leader):
    task = add_task(CtaFactory(), title="Call", actor=leader, at=AT)
    address = f"/tasks/{task.pk}/edit/"
    assert f'href="{address}"' in text(desk.get(f"/ctas/{task.cta_id}/"))
    refused = desk.post(address, {"title": "Write", "due_on": "soon"})
    assert refused.status_code == 422
    assert 'value="Write"' in text(refused)
    desk.post(address, {"title": "Write", "detail": "by hand", "due_on": "2027-01-31"})
    task.refresh_from_db()
    assert (task.title, task.detail, task.due_on) == ("Write", "by hand", date(2027, 1, 31))
    assert "Task changed: Write" in text(desk.get(f"/ctas/{task.cta_id}/"))


def test_who_takes_over_is_chosen_with_how_much_they_have_open(desk):
    busy = UserFactory(name="Otto Reed")
    for status in (False, False, True):
        cta = CtaFactory(owner=busy)
        if status:
            close_cta(cta, outcome="resolved", actor=busy, at=AT)
    body = text(desk.get(f"/ctas/{CtaFactory().pk}/"))
    assert "Otto Reed · 2 open" in body
    assert "Vera Prince · 0 open" in body


def test_bulk_close_can_be_undone_from_the_list(desk, ctas):
    keys = [ctas["A late"].pk, ctas["B today"].pk]
    desk.post("/ctas/bulk/", {"id": keys, "verb": "close", "outcome": "no_action"})
    assert Cta.objects.filter(pk__in=keys, status="closed").count() == 2
    assert "2 CTAs closed." in text(desk.get("/ctas/"))
    desk.post("/ctas/undo/")
    assert Cta.objects.filter(pk__in=keys, status="open").count() == 2


@pytest.mark.parametrize(
    "data",
    [
        {"verb": "snooze", "until_on": "", "reason": "x"},
        {"verb": "reassign", "new_owner": "not-a-key"},
        {"verb": "close", "outcome": "bogus"},
        {"verb": "explode"},
    ],
)
def test_a_bulk_change_that_makes_no_sense_changes_nothing(desk, ctas, data):
    response = desk.post("/ctas/bulk/", {"id": [ctas["A late"].pk, "garbage"], **data})
    assert response.status_code == 302
    ctas["A late"].refresh_from_db()
    assert (ctas["A late"].status, ctas["A late"].version) == ("open", 1)


def test_a_cta_opened_by_hand(desk, leader):
    account = AccountFactory(name="Halden")
    desk.post("/ctas/new/", {"account": account.pk, "title": "Call them", "kind": "activity", "priority": "high"})
    cta = Cta.objects.get()
    assert (cta.account, cta.title, cta.opened_by) == (account, "Call them", leader)
    desk.post(f"/ctas/{cta.pk}/edit/", {"title": "Call now", "kind": "risk", "priority": "low", "due_on": "2099-01-01"})
    cta.refresh_from_db()
    assert (cta.title, cta.kind, cta.priority, cta.due_on) == ("Call now", "risk", "low", date(2099, 1, 1))


def test_a_reader_sees_and_may_not_do(client):
    client.force_login(UserFactory(role=Role.READ_ONLY))
    cta = CtaFactory()
    assert client.get(f"/ctas/{cta.pk}/").status_code == 200
    assert "close-outcome" not in text(client.get(f"/ctas/{cta.pk}/"))
    assert client.post(f"/ctas/{cta.pk}/close/", {"close-outcome": "resolved"}).status_code == 403


def test_a_csm_works_only_their_own_and_may_not_even_see_others_by_setting(client):
    csm = UserFactory()
    client.force_login(csm)
    own, other = CtaFactory(account=AccountFactory(owner=csm)), CtaFactory(title="SECRET-CANARY")
    assert client.post(f"/ctas/{other.pk}/close/", {"close-outcome": "resolved"}).status_code == 403
    Workspace.objects.update(csm_reads_all_accounts=False)
    assert client.get(f"/ctas/{other.pk}/").status_code == 404
    assert client.post(f"/ctas/{other.pk}/close/", {"close-outcome": "resolved"}).status_code == 404
    assert "SECRET-CANARY" not in text(client.get("/ctas/"))
    assert "SECRET-CANARY" not in text(client.get("/ctas/export.csv"))
    assert client.post(f"/ctas/{own.pk}/close/", {"close-outcome": "resolved"}).status_code == 302
    other.refresh_from_db()
    assert other.status == "open"


def test_the_number_in_the_side_bar_counts_ones_own_that_are_near():
    me = UserFactory()
    today = timezone.localdate()
    CtaFactory(owner=me, due_on=today + timedelta(days=7))
    CtaFactory(owner=me, due_on=today + timedelta(days=8))
    CtaFactory(due_on=today)
    assert waiting_ctas(me).count() == 1


def test_playbooks_are_listed_and_their_triggers_chosen(client):
    client.force_login(UserFactory(role=Role.ADMIN))
    definition = {
        "key": "save",
        "name": "Save plan",
        "objective": "keep them",
        "entry": "red",
        "steps": [{"name": "Look", "tasks": ["call"]}],
    }
    playbook = install_playbook(definition, pack="fmea", version="1", at=AT)
    assert "Save plan" in text(client.get("/playbooks/"))
    body = text(client.get(f"/playbooks/{playbook.pk}/"))
    assert "Call" in body
    assert "2 business days" in body
    for key, name in (("red-account", "Account in red"), ("churn", "Churn threatened"), ("idle", "Idle")):
        Trigger.objects.create(key=key, name=name, created_at=AT)
    client.post(f"/playbooks/{playbook.pk}/", {"trigger_keys": ["red-account", "churn"]})
    assert Playbook.objects.get().trigger_keys == ["churn", "red-account"]
    assert client.post(f"/playbooks/{playbook.pk}/", {"trigger_keys": "unheard-of"}).status_code == 422
    Trigger.objects.filter(key="churn").delete()
    client.force_login(UserFactory(role=Role.READ_ONLY))
    body = text(client.get(f"/playbooks/{playbook.pk}/"))
    assert ["<li>Account in red</li>" in body, "<li>Churn</li>" in body, "Idle" in body] == [True, True, False]
    client.force_login(UserFactory(role=Role.ADMIN))
    client.post(f"/playbooks/{playbook.pk}/", {})
    assert Playbook.objects.get().trigger_keys == []


def test_the_accounts_panel_shows_what_is_open_there(desk, ctas):
    account = ctas["A late"].account
    body = text(desk.get(f"/accounts/{account.pk}/ctas/", headers={"HX-Request": "true"}))
    assert [title for title in ctas if f">{title}</a>" in body] == ["A late", "D later", "E snoozed"]
    whole = text(desk.get(f"/accounts/{account.pk}/ctas/"))
    assert '<a href="/accounts/' in whole
    assert ">A late</a>" in whole
    assert desk.get("/accounts/01a20f8d-9745-7429-b707-c8ab137dc9b4/ctas/").status_code == 404
