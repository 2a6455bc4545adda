"""The head of an account's page: its place in the list, the one warning, what is to do and what was agreed."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contact, create_contract, log_touch, mark_contact_left
from accounts.choices import Role
from accounts.models import Account, ExternalId
from health.book.accounts.asked import Asked
from health.book.accounts.place import place_of
from health.book.warning import Facts, warning
from health.models import Segment, SegmentMember
from playbooks.actions import open_cta
from playbooks.models import Cta, Task
from tests.factories import AccountFactory, UserFactory
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED


@pytest.mark.parametrize(
    ("facts", "title", "text"),
    [
        (Facts(), None, None),
        (Facts(change=Decimal("-4.9"), renewal_days=31, silent_days=44), None, None),
        (Facts(renewal_days=30), "The renewal is in 30 days.", "Nothing else is wrong."),
        (Facts(renewal_days=-2), "The renewal is 2 days overdue.", "Nothing else is wrong."),
        (
            Facts(change=Decimal("-5"), why="Logins High → Low", renewal_days=74),
            "The score fell 5 points in 30 days and the renewal is in 74 days.",
            "Logins High → Low.",
        ),
        (Facts(change=Decimal("-12"), renewal_days=121), "The score fell 12 points in 30 days.", ""),
        (Facts(is_red=True, band="Red", change=Decimal(2), why="Tickets High → Low"), "The account is Red.", ""),
        (Facts(silent_days=45, risks=2), "Nobody was in touch for 45 days.", "2 CTAs for risks are open."),
        (
            Facts(people=["Champion left."], change=Decimal(-9), silent_days=50, risks=1, renewal_days=0),
            "Champion left and the renewal is today.",
            "The score fell 9 points in 30 days. Nobody was in touch for 50 days. A CTA for a risk is open.",
        ),
    ],
)
def test_one_warning_says_the_worst_and_then_the_rest(facts, title, text):
    found = warning(facts)
    assert (found and found.title, found and found.text) == (title, text)


@pytest.fixture
def vp(client):
    user = UserFactory(role=Role.VP_CS)
    client.force_login(user)
    return user


@pytest.mark.django_db
class TestPlace:
    def test_the_place_follows_the_lists_own_filter_and_order(self, vp):
        for name, arr in (("Beta", 10), ("Alpha", 30), ("Gamma", 20), ("Other", 40)):
            AccountFactory(name=name, arr=arr, segment="x" if name != "Other" else "y")
        keys = dict(Account.objects.values_list("name", "pk"))

        def told(name, query):
            place = place_of(vp, keys[name], query)
            return place and (
                place.position, place.total, place.previous and place.previous[1], place.next and place.next[1]
            )  # fmt: skip

        assert told("Alpha", "segment=x&sort=-arr") == (1, 3, None, "Gamma")
        assert told("Gamma", "segment=x&sort=-arr") == (2, 3, "Alpha", "Beta")
        assert told("Beta", "segment=x&sort=name") == (2, 3, "Alpha", "Gamma")
        assert told("Beta", "segment=x&sort=-arr") == (3, 3, "Gamma", None)
        assert told("Other", "segment=x") is None
        assert told("Other", "sort=name") == (4, 4, "Gamma", None)

    @pytest.mark.parametrize("sort", ["health", "-change", "touch", "-seats", "owner", "-tier", "stage", "renewal"])
    def test_the_neighbours_are_those_of_the_list_under_every_order(self, vp, client, sort):
        for number in range(4):
            AccountFactory(arr=number, seats=10, assigned_users=number or None)
        rows = client.get("/accounts/", {"sort": sort}).content.decode()
        listed = re.findall(r'href="/accounts/([0-9a-f-]{36})/\?list=', rows)
        places = [place_of(vp, key, Asked.parse(f"sort={sort}").canonical()) for key in listed]
        assert [place.position for place in places] == [1, 2, 3, 4]
        assert [str(place.next[0]) for place in places[:-1]] == listed[1:]

    def test_a_csm_counts_only_their_own_book(self):
        csm = UserFactory(role=Role.CSM)
        csm.workspace_settings.csm_reads_all_accounts = False
        mine = AccountFactory(owner=csm)
        AccountFactory()
        assert place_of(csm, mine.pk, "")[:2] == (1, 1)

    def test_the_page_leads_on_and_back_and_keeps_the_tab(self, vp, client):
        for name in ("A", "B", "C"):
            AccountFactory(name=name)
        first, second, third = Account.objects.order_by("name")
        page = client.get(f"/accounts/{second.pk}/timeline/?list=sort%3Dname").content.decode()
        assert "2 of 3" in page
        assert f'data-key="k" href="/accounts/{first.pk}/timeline/?list=sort%3Dname"' in page
        assert f'data-key="j" href="/accounts/{third.pk}/timeline/?list=sort%3Dname"' in page
        assert 'href="/accounts/?sort=name"' in page
        assert f'href="/accounts/{second.pk}/people/?list=sort%3Dname"' in page
        assert "2 of 3" not in client.get(f"/accounts/{second.pk}/timeline/").content.decode()
        assert client.get(f"/accounts/{second.pk}/?list=%00%ff&sort=1").status_code == 200


@pytest.mark.django_db
class TestOverview:
    def test_a_sponsor_who_left_and_a_near_renewal_are_one_warning_with_its_play(self, vp, client):
        now, today = timezone.now(), timezone.localdate()
        account = AccountFactory(renewal_on=today + timedelta(days=74))
        sponsor = create_contact(account, actor=None, at=now, name="Ilse", stakeholder_role="executive_sponsor")
        mark_contact_left(sponsor, left_on=today, actor=None, at=now)
        page = client.get(f"/accounts/{account.pk}/").content.decode()
        assert "Executive sponsor left and the renewal is in 74 days." in page
        assert "Start a playbook" in page
        start = re.search(r'href="(/ctas/new/[^"]+title[^"]+)"', page)[1].replace("&amp;", "&")
        form = client.get(start).content.decode()
        assert 'value="Executive sponsor left and the renewal is in 74 days."' in form
        cta = open_cta(account, title="Find a sponsor", kind="risk", priority="high", reason="", evidence={}, at=now)
        page = client.get(f"/accounts/{account.pk}/").content.decode()
        assert f'href="/ctas/{cta.pk}/"' in page
        assert "Start a playbook" not in page

    def test_a_fall_of_the_score_warns_with_its_reason(self, vp, client):
        at = timezone.now()
        world.card(at=at - timedelta(days=60))
        account = world.account()
        for days, values in ((40, FLEET_BEST), (1, FLEET_RED)):
            world.measure(account, values, at=at - timedelta(days=days))
            world.score(account, at=at - timedelta(days=days))
        found = client.get(f"/accounts/{account.pk}/").context["warning"]
        assert re.match(r"The score fell \d+ points in 30 days", found.title)
        assert "→" in found.text

    def test_a_task_is_ticked_where_it_stands(self, vp, client):
        account = AccountFactory()
        cta = open_cta(
            account, title="Win back", kind="risk", priority="high", reason="", evidence={}, at=timezone.now()
        )
        task = Task.objects.create(cta=cta, position=1, title="Call Pieter", due_on=timezone.localdate())
        page = f"/accounts/{account.pk}/"
        assert "Call Pieter" in client.get(page).content.decode()
        answer = client.post(f"/tasks/{task.pk}/toggle/", {"done": "1", "next": page}, headers={"hx-request": "true"})
        assert (answer.status_code, answer["Location"]) == (302, page)
        assert "Call Pieter" not in client.get(page).content.decode()
        assert Cta.objects.get().tasks.get().completed_at is not None
        away = client.post(f"/tasks/{task.pk}/toggle/", {"next": "https://evil.example/"})
        assert away["Location"] == f"/ctas/{cta.pk}/"

    def test_the_next_meeting_is_shown_however_old_its_entry_is(self, vp, client):
        account, now = AccountFactory(), timezone.now()
        ahead = timezone.localdate() + timedelta(days=9)
        old = {"happened_at": now - timedelta(days=80), "next_step": "Review with the board", "next_step_on": ahead}
        log_touch(account, kind="call", title="Long ago", actor=vp, at=now, **old)
        for number in range(9):
            log_touch(account, kind="note", title=f"Note {number}", actor=vp, at=now)
        page = client.get(f"/accounts/{account.pk}/")
        assert [step["next_step"] for step in page.context["steps"]] == ["Review with the board"]
        assert "Long ago" not in page.content.decode()

    def test_at_most_twelve_queries_as_many_for_one_as_for_three(self, vp, client):
        account, now = AccountFactory(name="A"), timezone.now()
        counts = []
        for times in (1, 2):
            for _ in range(times):
                number = str(Account.objects.count())
                AccountFactory(parent=account)
                create_contact(account, actor=None, at=now, name=number)
                log_touch(account, kind="call", title=number, actor=vp, at=now, attendees=[number])
                cta = open_cta(account, title=number, kind="risk", priority="high", reason="", evidence={}, at=now)
                Task.objects.create(cta=cta, position=1, title="x", due_on=now.date())
            client.get(f"/accounts/{account.pk}/")
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/accounts/{account.pk}/?list=sort%3Dname")
            # Finding the tenant is no page's own business, and kept for a busy host.
            counts.append(sum(not re.match(r'SET|SELECT "tenants_', query["sql"]) for query in queries))
        assert counts[0] == counts[1] <= 12


@pytest.mark.django_db
def test_the_key_facts_tell_segments_names_own_fields_and_when_notice_ends(client):
    vp, now = UserFactory(role=Role.VP_CS), timezone.now()
    account = AccountFactory(custom={"Data centre": "Riga", "Pilot": True})
    for source, key in (("crm", "0015"), ("billing", "K-7"), ("crm", "0016")):
        ExternalId.objects.create(account=account, source=source, external_id=key)
    segment = Segment.objects.create(name="Key <ones>", rule={}, created_at=now, updated_at=now)
    gone = Segment.objects.create(name="Former", rule={}, created_at=now, updated_at=now)
    SegmentMember.objects.create(segment=segment, account=account, entered_at=now)
    SegmentMember.objects.create(segment=gone, account=account, entered_at=now, left_at=now)
    today = timezone.localdate()
    notice = f"{today + timedelta(days=640):%-d %b %Y}"
    create_contract(
        account, actor=vp, at=now, start_on=today, end_on=today + timedelta(days=700), notice_days=60,
        arr=Decimal(5), currency="USD",
    )  # fmt: skip
    client.force_login(vp)
    for page in (
        client.get(f"/accounts/{account.pk}/").content.decode(),
        client.post(
            f"/accounts/{account.pk}/cells/industry/",
            {"value": "Rail", "version": Account.objects.get().version},
            headers={"HX-Request": "true", "HX-Current-URL": f"http://acme.localhost/accounts/{account.pk}/"},
        ).content.decode(),
    ):
        assert f'<a href="/accounts/segments/{segment.pk}/">Key &lt;ones&gt;</a>' in page
        assert "Former" not in page
        assert page.index("Id in billing") < page.index("0015") < page.index("0016")
        assert "<dt>Data centre</dt><dd>Riga</dd>" in page
        assert notice in page[page.index("Notice until") :][:120]
    assert f"60 days, by {notice}" in client.get(f"/accounts/{account.pk}/contracts/").content.decode()
