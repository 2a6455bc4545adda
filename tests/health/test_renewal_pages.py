"""The page of renewals: what comes up with both signals, the call in its place, the decision, and the file."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contract
from accounts.models import Tier, Workspace
from health.actions.renewal_sweep import record_signals
from health.actions.renewals import give_call
from health.models import RenewalReview
from tests.health import world

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
URL = "/health/renewals/"


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def ann(client):
    person = world.person("ann@acme.test", name="Ann")
    client.force_login(person)
    return person


@pytest.fixture
def vp():
    return world.person("vera@acme.test", role="vp_cs", name="Vera")


def renewing(name, days, now, *, owner=None, signal="at_risk", arr="12000", **fields):
    """A renewal in ``days`` at its checkpoint, for which the system says ``signal``."""
    account = world.account(name, owner=owner, **fields)
    today = timezone.localdate(now)
    create_contract(
        account, actor=None, at=now, start_on=today - timedelta(days=300), end_on=today + timedelta(days=days),
        arr=Decimal(arr), number=f"C-{name}",
    )  # fmt: skip
    record_signals(at=now)
    RenewalReview.objects.filter(account=account).update(signal=signal, reasons=[f"Why {name} is {signal}."])
    return RenewalReview.objects.get(account=account, is_latest=True)


def page(client, query="", status=200):
    answer = client.get(URL + query)
    assert answer.status_code == status
    return answer.content.decode()


def names(client, query=""):
    return [review.account.name for review in client.get(URL + query).context["page"]]


def test_a_csm_sees_their_own_renewals_nearest_first_and_everybodys_when_asked(client, ann, now):
    for name, days, owner in (("Later", 120, ann), ("Soon", 20, ann), ("Elsewhere", 10, None)):
        renewing(name, days, now, owner=owner)
    assert names(client) == ["Soon", "Later"]
    assert names(client, "?owner=all") == ["Elsewhere", "Soon", "Later"]
    assert names(client, "?owner=none") == ["Elsewhere"]
    assert names(client, f"?owner={ann.pk}") == ["Soon", "Later"]
    assert names(client, "?owner=nonsense&tier=x&state=y&quarter=2026-Q9") == ["Soon", "Later"]


def test_filters_by_tier_and_quarter_stand_in_the_address(client, ann, now):
    gold = Tier.objects.create(key="gold", name="Gold", rank=3)
    near, far = renewing("Near", 5, now, owner=ann, tier=gold), renewing("Far", 175, now, owner=ann)
    assert names(client, f"?tier={gold.pk}") == ["Near"]
    for review, name in ((near, "Near"), (far, "Far")):
        quarter = f"{review.ends_on.year}-Q{(review.ends_on.month + 2) // 3}"
        assert names(client, f"?quarter={quarter}") == [name]
        assert f'<option value="{quarter}" selected>' in page(client, f"?quarter={quarter}")


def test_each_state_tells_its_arr_and_leads_to_its_rows(client, ann, now):
    for name, call, arr in (
        ("A", "", "1000"),
        ("B", "", "2500"),
        ("C", "at_risk", "40000"),
        ("D", "will_renew", "700"),
    ):
        review = renewing(name, 30, now, owner=ann, arr=arr)
        if call:
            give_call(review, call=call, reason="x", actor=ann, at=now)
    tabs = client.get(URL).context["tabs"]
    assert [(tab["label"], tab["count"], tab["arr"]) for tab in tabs] == [
        ("All", 4, "$44k"), ("Disagree", 1, "$700"), ("No call yet", 2, "$4k"), ("One signal only", 0, ""),
        ("Agree", 1, "$40k"), ("Decided", 0, ""),
    ]  # fmt: skip
    assert [sorted(names(client, tab["url"])) for tab in tabs] == [
        ["A", "B", "C", "D"], ["D"], ["A", "B"], [], ["C"], [],
    ]  # fmt: skip


def test_the_systems_signal_is_hidden_until_there_is_a_call_or_it_is_overdue(client, ann, now):
    review = renewing("Hidden", 80, now, owner=ann)
    for text in (page(client), client.get(f"{URL}export.csv").content.decode()):
        assert "Why Hidden" not in text
    assert "Why Hidden" not in client.get(f"{URL}{review.pk}/call/").content.decode()
    late = timezone.localdate() - timedelta(days=1)
    RenewalReview.objects.update(call_due_on=late)
    assert "Why Hidden is at_risk." in page(client)
    RenewalReview.objects.update(call_due_on=timezone.localdate())
    assert "Why Hidden" not in page(client)
    give_call(review, call="at_risk", reason="x", actor=ann, at=now)
    assert "Why Hidden is at_risk." in page(client)


def test_the_call_is_made_in_its_row_and_without_script_on_a_page(client, ann, now):
    first, second = renewing("First", 80, now, owner=ann), renewing("Second", 80, now, owner=ann)
    form = client.get(f"{URL}{first.pk}/call/", **HTMX).content.decode()
    assert form.startswith(f'<tr id="r-{first.pk}">')
    assert "Monitor" not in form
    refused = client.post(f"{URL}{first.pk}/call/", {"call": "monitor", "reason": "x"}, **HTMX)
    assert (refused.status_code, "Monitor is not offered" in refused.content.decode()) == (422, True)
    answer = client.post(f"{URL}{first.pk}/call/", {"call": "will_renew", "reason": "Signed"}, **HTMX)
    assert answer.status_code == 200
    assert answer.content.decode().startswith(f'<tr id="r-{first.pk}">')
    assert "Why First is at_risk." in answer.content.decode()
    assert f"c-{first.pk}" in answer["HX-Trigger-After-Settle"]

    refused = client.post(f"{URL}{second.pk}/call/", {"call": "at_risk", "reason": ""})
    assert (refused.status_code, "<title>Error: " in refused.content.decode()) == (422, True)
    answer = client.post(f"{URL}{second.pk}/call/", {"call": "at_risk", "reason": "Budget"}, follow=True)
    assert answer.redirect_chain == [(f"{URL}#r-{second.pk}", 302)]
    assert "Second: at risk. The system says at risk." in answer.content.decode()


def test_monitor_is_offered_while_there_is_time(client, ann, now):
    review = renewing("Early", 91, now, owner=ann)
    assert '<option value="monitor">' in client.get(f"{URL}{review.pk}/call/").content.decode()
    answer = client.post(f"{URL}{review.pk}/call/", {"call": "monitor", "reason": "New sponsor"})
    assert answer.status_code == 302


def test_only_who_works_the_account_makes_the_call(client, ann, now):
    bob = world.person("bob@acme.test", name="Bob")
    theirs = renewing("Theirs", 80, now, owner=bob)
    assert client.get(f"{URL}{theirs.pk}/call/").status_code == 403
    assert client.post(f"{URL}{theirs.pk}/call/", {"call": "at_risk", "reason": "x"}).status_code == 403
    assert f"{URL}{theirs.pk}/call/" not in page(client, "?owner=all")
    Workspace.objects.update(csm_reads_all_accounts=False)
    assert client.get(f"{URL}{theirs.pk}/call/").status_code == 404
    assert names(client, "?owner=all") == []


def test_a_leader_decides_on_a_page_that_shows_both(client, ann, vp, now):
    review = renewing("Split", 80, now, owner=ann)
    give_call(review, call="will_renew", reason="They love us", actor=ann, at=now)
    url = f"{URL}{review.pk}/decision/"
    assert client.get(url).status_code == 403
    assert url not in page(client)

    client.force_login(vp)
    assert url in page(client)
    text = client.get(url).content.decode()
    assert all(part in text for part in ("Why Split is at_risk.", "They love us", "The system: at risk"))
    refused = client.post(url, {"side": "system", "reason": ""})
    assert refused.status_code == 422
    answer = client.post(url, {"side": "system", "reason": "No sponsor"}, follow=True)
    assert "Split: decided." in answer.content.decode()
    text = page(client)
    assert "counts: No sponsor" in text
    assert url not in text
    again = client.post(url, {"side": "call", "reason": "x"})
    assert (again.status_code, "A leader has decided" in again.content.decode()) == (422, True)


def test_the_file_holds_every_row_of_the_address(client, ann, now):
    called = renewing("=Called", 80, now, owner=ann)
    give_call(called, call="will_renew", reason="Signed", actor=ann, at=now)
    renewing("Open", 20, now, owner=ann)
    renewing("Other", 20, now)
    rows = list(csv.DictReader(io.StringIO(client.get(f"{URL}export.csv").content.decode("utf-8-sig"))))
    kept = "Account,Owner,Contract,Days left,ARR,Checkpoint,System,Because,Call,Why,State".split(",")
    assert [[row[name] for name in kept] for row in rows] == [
        ["Open", "Ann", "C-Open", "20", "12000.00", "30", "", "", "", "", "No call yet"],
        [
            "'=Called", "Ann", "C-=Called", "80", "12000.00", "90", "At risk", "Why =Called is at_risk.", "Will renew",
            "Signed", "Disagree",
        ],
    ]  # fmt: skip


def test_an_empty_list_says_when_something_appears(client, ann, now):
    assert "No renewal is near" in page(client)
    renewing("Mine", 20, now, owner=ann)
    assert "No renewal matches" in page(client, "?state=decided")


def test_pages_go_on_after_fifty(client, ann, now):
    today = timezone.localdate(now)
    for number in range(51):
        account = world.account(f"A{number:02}", owner=ann)
        create_contract(account, actor=None, at=now, start_on=today, end_on=today + timedelta(days=10), arr=Decimal(1))
    record_signals(at=now)
    assert (len(names(client)), len(names(client, "?page=2"))) == (50, 1)


def test_the_list_costs_the_same_with_one_row_and_with_three(client, ann, now):
    def cost():
        client.get(URL)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(URL).status_code == 200
        return sum("search_path" not in query["sql"] and "tenants_domain" not in query["sql"] for query in seen)

    renewing("One", 20, now, owner=ann)
    first = cost()
    renewing("Two", 20, now, owner=ann)
    give_call(renewing("Three", 20, now, owner=ann), call="will_renew", reason="x", actor=ann, at=now)
    assert (first, cost()) == (10, 10)


def test_another_workspace_sees_none_of_it(client, other_client, ann, now, tenants):
    review = renewing("Ours", 20, now, owner=ann)
    connection.set_tenant(tenants["globex"])
    other_client.force_login(world.person("olga@globex.test", role="owner"))
    assert "Ours" not in other_client.get(f"{URL}?owner=all").content.decode()
    assert other_client.get(f"{URL}{review.pk}/call/").status_code == 404
