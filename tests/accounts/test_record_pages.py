"""The pages of one account: forms through the actions, lost races told, refusals on their field, nothing foreign."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit
from accounts.actions.verification import read_on, start_check
from accounts.choices import Role
from accounts.models import Account, Activity, AuditEntry, ChainCheck, Contact, Contract, Workspace
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
UNKNOWN = "01a20f90-41aa-77bd-bf50-0fb7c86ebe6a"


@pytest.fixture
def vp(client):
    user = UserFactory(role=Role.VP_CS, name="Vera Paulsen")
    client.force_login(user)
    return user


@pytest.fixture
def account(vp):
    return AccountFactory(name="Halden Logistics", owner=vp)


def url(account, rest=""):
    return f"/accounts/{account.pk}/{rest}"


class TestHome:
    @pytest.mark.parametrize(
        ("role", "target"),
        [
            (Role.OWNER, "/portfolio/"),
            (Role.VP_CS, "/portfolio/"),
            (Role.READ_ONLY, "/portfolio/"),
            (Role.CSM, "/day/"),
            (Role.RENEWALS, "/day/"),
            (Role.SUPPORT_AGENT, "/accounts/"),
            (Role.PORTAL_USER, "/portal/"),
        ],
    )
    def test_everybody_lands_where_their_work_is(self, client, role, target):
        client.force_login(UserFactory(role=role))
        answer = client.get("/")
        assert (answer.status_code, answer["Location"]) == (302, target)

    @pytest.mark.parametrize(
        ("chosen", "status"), [("dark", 302), ("light", 302), ("auto", 302), ("pink", 400), ("", 400)]
    )
    def test_the_theme_is_kept_in_a_cookie_and_drawn_by_the_server(self, client, vp, chosen, status):
        answer = client.post("/theme/", {"theme": chosen})
        assert answer.status_code == status
        page = client.get("/accounts/").content.decode()
        assert f'data-theme="{chosen if status == 302 else "auto"}"' in page

    def test_the_theme_form_returns_only_to_this_host(self, client, vp):
        for referrer, target in (
            ("http://acme.localhost/accounts/?q=x", "http://acme.localhost/accounts/?q=x"),
            ("http://evil.example/", "/"),
        ):
            assert client.post("/theme/", {"theme": "dark"}, headers={"referer": referrer})["Location"] == target


class TestAccountForm:
    def test_a_new_account_is_created_through_the_action(self, client, vp):
        answer = client.post(
            "/accounts/new/",
            {"name": "Tessera", "status": "active", "currency": "eur", "owner": vp.pk, "country": "de"},
        )
        account = Account.objects.get()
        assert answer["Location"] == url(account)
        assert (account.name, account.currency, account.country, account.owner) == ("Tessera", "EUR", "DE", vp)
        assert AuditEntry.objects.filter(object_id=str(account.pk)).exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [("name", ""), ("country", "Germany"), ("timezone", "Mars/Base"), ("currency", "E1"), ("name", "\x07")],
    )
    def test_a_wrong_value_is_told_at_its_field_and_kept(self, client, vp, field, value):
        answer = client.post("/accounts/new/", {"name": "T", "status": "active", "currency": "EUR", field: value})
        assert answer.status_code == 422
        assert answer.context["form"].errors[field]
        assert Account.objects.count() == 0

    def test_a_lost_race_is_told_and_changes_nothing(self, client, account):
        form = {"name": "Mine", "status": "active", "currency": "USD", "version": account.version}
        assert client.post(url(account, "edit/"), form).status_code == 302
        late = client.post(url(account, "edit/"), {**form, "name": "Too late"})
        assert (late.status_code, Account.objects.get().name) == (422, "Mine")
        assert "Somebody changed this" in late.content.decode()

    def test_an_account_cannot_stand_above_itself(self, client, account):
        form = {"name": "X", "status": "active", "currency": "USD", "version": account.version, "parent": account.pk}
        assert "parent" in client.post(url(account, "edit/"), form).context["form"].errors

    def test_a_reader_sees_the_account_but_no_form(self, client, account):
        client.force_login(UserFactory(role=Role.READ_ONLY))
        assert client.get(url(account)).status_code == 200
        assert [client.get(url(account, page)).status_code for page in ("edit/", "owner/", "people/new/")] == [403] * 3

    def test_a_csm_edits_only_their_own_book(self, client, account):
        client.force_login(UserFactory(role=Role.CSM))
        assert client.get(url(account)).status_code == 200
        assert client.get(url(account, "edit/")).status_code == 403
        Workspace.objects.update(csm_reads_all_accounts=False)
        assert client.get(url(account)).status_code == 404

    @pytest.mark.parametrize("page", ["", "edit/", "health/", "usage/", "timeline/", "people/", "contracts/", "owner/"])
    def test_an_unknown_account_is_not_found(self, client, vp, page):
        assert client.get(f"/accounts/{UNKNOWN}/{page}").status_code == 404

    def test_the_owner_changes_hands_with_an_entry_in_the_log(self, client, account):
        heir = UserFactory(role=Role.CSM)
        client.post(url(account, "owner/"), {"owner": heir.pk, "reason": "Leave"})
        assert Account.objects.get().owner == heir
        assert AuditEntry.objects.filter(account_id=account.pk).exists()

    def test_only_an_administrator_archives(self, client, account):
        assert client.post(url(account, "archive/")).status_code == 403
        client.force_login(UserFactory(role=Role.OWNER))
        for archived in (True, False):
            client.post(url(account, "archive/"))
            assert bool(Account.objects.get().archived_at) is archived


class TestPeople:
    @pytest.mark.requirement("FMEA-1.6")
    def test_the_stakeholder_map_shows_who_sits_where_and_which_seat_is_empty(self, client, account):
        client.post(
            url(account, "people/new/"),
            {"name": "Ilse de Boer", "stakeholder_role": "champion", "influence": "high", "sentiment": "warm"},
        )
        page = client.get(url(account, "people/"))
        seats = {role: (empty, cells) for role, empty, cells in page.context["seats"]}
        high = [label for _value, label in page.context["columns"]].index("High")
        assert [person.contact.name for person in seats["Champion"][1][high]] == ["Ilse de Boer"]
        assert seats["Executive sponsor"] == (True, [[], [], []])
        assert seats["Champion"][0] is False
        text = page.content.decode()
        assert all(words in text for words in ("Ilse de Boer", "Warm", "Nobody known", "Single-threaded"))

    def test_a_contact_who_leaves_stays_on_the_page_with_the_day(self, client, account):
        contact = Contact.objects.create(account=account, name="Ilse", stakeholder_role="champion")
        day = timezone.localdate() - timedelta(days=3)
        client.post(url(account, f"people/{contact.pk}/left/"), {"left_on": day.isoformat()})
        contact.refresh_from_db()
        page = client.get(url(account, "people/")).content.decode()
        assert (contact.left_on, "Left the customer" in page) == (day, True)

    def test_a_contact_of_another_account_is_not_found_here(self, client, account):
        foreign = Contact.objects.create(account=AccountFactory(), name="X")
        assert client.get(url(account, f"people/{foreign.pk}/")).status_code == 404


class TestContracts:
    def form(self, **changes):
        return {
            "status": "active",
            "start_on": "2026-01-01",
            "end_on": "2026-12-31",
            "currency": "USD",
            "lines-TOTAL_FORMS": 2,
            "lines-INITIAL_FORMS": 0,
            "lines-0-product": "Fleet",
            "lines-0-seats": 10,
            "lines-0-arr": "1200.50",
            **changes,
        }

    def test_lines_make_the_arr_and_the_account_follows(self, client, account):
        client.post(url(account, "contracts/new/"), self.form(**{"lines-1-product": "Maps", "lines-1-arr": 99}))
        contract = Contract.objects.get()
        assert sorted(contract.lines.values_list("product", "arr")) == [("Fleet", 1200.5), ("Maps", 99)]
        assert str(Account.objects.get().arr) == "1299.50"
        page = client.get(url(account, "contracts/")).content.decode()
        assert "$1,299.50" in page

    @pytest.mark.parametrize(
        "wrong",
        [{"end_on": "2025-01-01"}, {"start_on": "x"}, {"lines-0-arr": ""}, {"lines-0-arr": "-1"}, {"currency": "US"}],
    )
    def test_a_wrong_contract_is_refused_whole(self, client, account, wrong):
        answer = client.post(url(account, "contracts/new/"), self.form(**wrong))
        assert (answer.status_code, Contract.objects.count()) == (422, 0)


class TestTimeline:
    def test_a_call_is_logged_and_shown_by_its_day(self, client, account):
        client.post(url(account, "timeline/log/"), {"kind": "call", "title": "Asked for a fix date", "shared": "on"})
        entry = Activity.objects.get(title="Asked for a fix date")
        assert (entry.kind, entry.visibility, entry.actor.name) == ("call", "shared", "Vera Paulsen")
        assert "Asked for a fix date" in client.get(url(account, "timeline/")).content.decode()

    def test_a_moment_ahead_is_refused(self, client, account):
        ahead = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        answer = client.post(url(account, "timeline/log/"), {"kind": "call", "title": "x", "at": ahead})
        assert (answer.status_code, Activity.objects.count()) == (422, 0)

    def test_filters_narrow_by_kind_and_by_what_the_customer_sees(self, client, account):
        for kind, title, visibility in (
            ("call", "One", "internal"),
            ("note", "Two", "shared"),
            ("ticket", "Three", "shared"),
        ):
            Activity.objects.create(account=account, kind=kind, title=title, visibility=visibility, at=timezone.now())
        found = {}
        for query in ("", "?kind=call&kind=note", "?shared=1", "?kind=junk"):
            page = client.get(url(account, "timeline/") + query).content.decode()
            found[query] = [title for title in ("One", "Two", "Three") if f">{title}" in page]
        assert found == {
            "": ["One", "Two", "Three"],
            "?kind=call&kind=note": ["One", "Two"],
            "?shared=1": ["Two", "Three"],
            "?kind=junk": ["One", "Two", "Three"],
        }

    @pytest.mark.parametrize("page", ["", "timeline/", "people/", "contracts/", "health/", "usage/"])
    def test_the_number_of_queries_does_not_grow_with_the_rows(self, client, account, page):
        counts = []
        for total in (1, 3):
            for at in range(account.activities.count(), total):
                Activity.objects.create(account=account, kind="call", title="x", at=timezone.now(), actor=account.owner)
                Contact.objects.create(account=account, name=f"P{at}")
                contract = Contract.objects.create(account=account, start_on="2026-01-01")
                contract.lines.create(product="Fleet", arr=1)
                AccountFactory(parent=account)
            client.get(url(account, page))
            with CaptureQueriesContext(connection) as queries:
                client.get(url(account, page))
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestSearch:
    def test_accounts_people_and_pages_are_found_by_any_part_of_their_name(self, client, account):
        Contact.objects.create(account=account, name="Pieter Vos")
        found = {
            words: client.get("/search/", {"q": words}).content.decode() for words in ("alden", "ieter", "portf", "h")
        }
        assert url(account) in found["alden"]
        assert "Pieter Vos" in found["ieter"]
        assert "s-pages" in found["portf"]
        assert url(account) not in found["h"]

    def test_the_palette_gets_options_alone(self, client, account):
        part = client.get("/search/?q=hal", headers={"HX-Request": "true"}).content.decode()
        assert ("<html" in part, part.count('role="option"'), "Everything found" in part) == (False, 2, True)

    def test_what_may_not_be_seen_is_not_found(self, client, account):
        Workspace.objects.update(csm_reads_all_accounts=False)
        Contact.objects.create(account=account, name="Halden Person")
        client.force_login(UserFactory(role=Role.CSM))
        assert "Nothing found" in client.get("/search/?q=halden").content.decode()


class TestAuditPage:
    @pytest.fixture
    def log(self, client, account):
        client.force_login(UserFactory(role=Role.OWNER))
        for at in range(3):
            audit.record(
                "account.updated" if at else "user.invited",
                account,
                actor=account.owner,
                at=timezone.now() - timedelta(days=at),
                before={"name": f"<b>old {at}"},
                after={"name": f"new {at}"},
            )

    def test_entries_show_newest_first_with_their_changes_as_text(self, client, log):
        page = client.get("/audit/").content.decode()
        assert page.index("new 0") < page.index("new 1") < page.index("new 2")
        assert ("<b>old" in page, "&lt;b&gt;old 0" in page) == (False, True)

    @pytest.mark.parametrize(
        ("query", "count"), [("action=account", 2), ("action=user", 1), ("actor=nobody", 0), ("object=halden", 3)]
    )
    def test_filters(self, client, log, query, count):
        assert len(client.get(f"/audit/?{query}").context["rows"]) == count

    @pytest.mark.parametrize(
        ("query", "count"),
        [("account=halden", 3), ("account=nobody", 0), ("period=1", 1), ("period=2", 3), ("period=7", 3)],
    )
    def test_entries_of_an_account_and_of_a_period(self, client, log, account, query, count):
        assert len(client.get(f"/audit/?{query}").context["rows"]) == count
        assert len(client.get(f"/audit/?account={account.pk}").context["rows"]) == 3

    def test_the_chain_is_verified_in_the_background_and_a_change_behind_its_back_is_found(self, client, log):
        assert "not verified yet" in client.get("/audit/").content.decode()
        client.post("/audit/verify/")
        assert "0 of 3 entries read" in client.get("/audit/verify/progress/").content.decode()
        client.post("/audit/verify/")
        assert ChainCheck.objects.count() == 1
        assert read_on(ChainCheck.objects.get().pk)
        page = client.get("/audit/").content.decode()
        assert ("The chain is whole" in page, audit.head()[:16] in page) == (True, True)
        first = audit.AuditEntry.objects.order_by("pk").first()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
            cursor.execute("UPDATE accounts_auditentry SET actor_label = 'nobody' WHERE id = %s", [first.pk])
            cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER USER")
        client.post("/audit/verify/")
        assert read_on(ChainCheck.objects.order_by("-started_at").first().pk)
        assert f"/audit/{first.pk}/" in client.get("/audit/verify/progress/").content.decode()
        assert "is not the hash of its content" in client.get(f"/audit/{first.pk}/").content.decode()

    def test_a_long_chain_is_read_in_turns(self, client, log, monkeypatch):
        monkeypatch.setattr("accounts.actions.verification.CHUNK", 2)
        check = start_check(actor=None, at=timezone.now())
        assert not read_on(check.pk, seconds=-1)
        assert read_on(check.pk)
        check.refresh_from_db()
        assert (check.read, check.entries, check.broken_at) == (3, 3, None)

    def test_an_entry_has_a_page_with_its_neighbours(self, client, log):
        first, second, third = audit.AuditEntry.objects.order_by("pk")
        page = client.get(f"/audit/{second.pk}/").content.decode()
        assert all(text in page for text in (f"/audit/{first.pk}/", f"/audit/{third.pk}/", first.hash, second.hash))
        assert ("Does not fit" in page, "&lt;b&gt;old 1" in page) == (False, True)
        assert client.get("/audit/999999999/").status_code == 404

    def test_the_csv_holds_the_filter_s_rows(self, client, log):
        lines = client.get("/audit/export.csv?action=account").content.decode("utf-8-sig").strip().splitlines()
        assert len(lines) == 3
        assert "account.updated" in lines[1]


def test_a_contract_without_a_last_day_shows_that_a_churn_ended_it(client, account):
    Contract.objects.create(account=account, start_on=timezone.localdate() - timedelta(days=90), arr=1000)
    before = client.get(url(account, "contracts/")).content.decode()
    Account.objects.filter(pk=account.pk).update(churned_on=timezone.localdate(), status="churned")
    page = client.get(url(account, "contracts/")).content.decode()
    assert ("Given up" in before, "Given up" in page, "Contracts without a last day count no more" in page) == (
        False,
        True,
        True,
    )
