"""The usage pages: what they show, who may change what, and the same number of queries for any number of rows."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import ExternalId, User
from tests.usage.world import event, make_account, post, post_metrics
from usage.actions import define_metric, drain
from usage.models import FeatureSlot, MetricDefinition, MetricValue, ParkedEvent

pytestmark = pytest.mark.django_db


def now():
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def people():
    return {
        role: User.objects.create_user(f"{role}@example.com", "a long password", role=role, name=role) for role in Role
    }


@pytest.fixture
def owner(people):
    return people[Role.OWNER]


def send(*events):
    return post(list(events), now=now())


def an_event(number, **fields):
    return event(number, at=fields.pop("at", now() - dt.timedelta(hours=1)), **fields)


class TestReceived:
    def test_batches_with_what_became_of_them(self, client, owner):
        make_account(external_id="A-1")
        _, receipt = send(an_event(0), an_event(0), an_event(1, account="nobody"), {"id": "<script>alert(1)</script>"})
        drain(at=now())
        client.force_login(owner)
        page = client.get("/usage/")
        detail = client.get(f"/usage/receipts/{receipt.pk}/").content.decode()

        assert page.status_code == 200
        assert "Events from crm" in page.content.decode()
        assert "missing" in detail
        assert "<script>alert" not in detail

    def test_one_and_three_batches_take_the_same_queries(self, client, owner):
        client.force_login(owner)
        numbers = set()
        for _ in range(2):
            send(an_event(0))
            drain(at=now())
            client.get("/usage/")
            with CaptureQueriesContext(connection) as queries:
                client.get("/usage/")
            numbers.add(len(queries))
            send(an_event(1), an_event(2))
            send(an_event(3))
        assert len(numbers) == 1

    def test_an_unknown_receipt_is_404(self, client, owner):
        client.force_login(owner)
        assert client.get(f"/usage/receipts/{uuid.uuid4()}/").status_code == 404


class TestUnknownAccounts:
    def test_a_leader_says_which_account_a_name_stands_for_and_it_counts(self, client, owner):
        account = make_account("Contoso")
        _, receipt = send(an_event(0, account="C-9"))
        drain(at=now())
        client.force_login(owner)
        assert "C-9" in client.get("/usage/unknown/").content.decode()
        answer = client.post("/usage/unknown/map/", {"source": "crm", "external_id": "C-9", "account": account.pk})

        assert (answer.status_code, answer["Location"]) == (302, "/usage/unknown/")
        assert ExternalId.objects.get().account == account
        drain(at=now())
        receipt.refresh_from_db()
        assert (receipt.accepted, receipt.parked) == (1, 0)

    @pytest.mark.parametrize("named", ["", "Nobody", "Twin", "{pk}x"])
    def test_an_account_that_cannot_be_told_changes_nothing(self, client, owner, named):
        for name in ("Twin", "twin"):
            make_account(name)
        send(an_event(0, account="C-9"))
        drain(at=now())
        client.force_login(owner)
        client.post("/usage/unknown/map/", {"source": "crm", "external_id": "C-9", "account": named})

        assert not ExternalId.objects.exists()

    def test_the_account_may_be_named_instead(self, client, owner):
        account = make_account("Contoso")
        send(an_event(0, account="C-9"))
        drain(at=now())
        client.force_login(owner)
        client.post("/usage/unknown/map/", {"source": "crm", "external_id": "C-9", "account": " contoso "})

        assert ExternalId.objects.get().account == account

    def test_a_name_can_be_thrown_away(self, client, owner):
        send(an_event(0, account="C-9"))
        drain(at=now())
        client.force_login(owner)
        client.post("/usage/unknown/discard/", {"source": "crm", "account": "C-9"})

        assert not ParkedEvent.objects.exists()

    @pytest.mark.parametrize("role", [Role.CSM, Role.READ_ONLY, Role.SUPPORT_AGENT])
    def test_others_read_only(self, client, people, role):
        client.force_login(people[role])
        assert client.get("/usage/unknown/").status_code == 200
        assert client.post("/usage/unknown/map/", {}).status_code == 403
        assert client.post("/usage/unknown/discard/", {}).status_code == 403


class TestAccount:
    def test_the_panel_and_the_page_show_use_features_and_metrics(self, client, owner):
        account = make_account(external_id="A-1", assigned_users=4)
        define_metric("login_pct", name="Logins", unit="percent", at=now())
        send(*(an_event(n, user=f"u{n}", name=name) for n, name in enumerate(["login", "gps.open", "gps.close"])))
        drain(at=now())
        client.force_login(owner)
        page = client.get(f"/usage/accounts/{account.pk}/").content.decode()
        panel = client.get(f"/usage/accounts/{account.pk}/", HTTP_HX_REQUEST="true").content.decode()

        assert "<html" in page
        assert "<html" not in panel
        for text in ("People using the product", "Gps", "Logins", "25"):
            assert text in page
            assert text in panel

    def test_one_and_three_metrics_take_the_same_queries(self, client, owner):
        account = make_account(external_id="A-1")
        client.force_login(owner)
        numbers = set()
        for count in (1, 3):
            for number in range(count):
                define_metric(f"m_{number}", name=f"M {number}", at=now())
                post_metrics(
                    [{"account": "A-1", "metric": f"m_{number}", "on": "2026-01-01", "value": count}], now=now()
                )
            client.get(f"/usage/accounts/{account.pk}/")
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/usage/accounts/{account.pk}/")
            numbers.add(len(queries))
        assert len(numbers) == 1

    def test_a_csm_states_a_metric_of_their_own_account(self, client, people):
        account = make_account(owner=people[Role.CSM])
        define_metric("mood", name="Mood", kind="choice", options=["good", "bad"], at=now())
        client.force_login(people[Role.CSM])
        address = f"/usage/accounts/{account.pk}/metrics/mood/"
        assert client.post(address, {"value": "sideways", "on": "2026-11-01"}).status_code == 422
        assert client.post(address, {"value": "good", "on": "2199-01-01"}).status_code == 422
        assert client.post(address, {"value": "good", "on": "2026-11-01"}).status_code == 302
        assert client.post(address, {"value": "bad", "on": "2026-11-01"}).status_code == 302
        shown = client.get(address).content.decode()

        rows = MetricValue.objects.order_by("recorded_at").values_list("choice", "recorded_by__role", "source")
        assert list(rows) == [("good", "csm", "entered"), ("bad", "csm", "entered")]
        assert "replaced" in shown
        assert "Bad" in shown

    def test_not_of_anothers_account_and_not_by_readers(self, client, people):
        account = make_account(owner=people[Role.OWNER])
        define_metric("nps", name="NPS", at=now())
        address = f"/usage/accounts/{account.pk}/metrics/nps/"
        for role in (Role.CSM, Role.READ_ONLY):
            client.force_login(people[role])
            assert client.get(address).status_code == 200
            assert client.post(address, {"value": "1", "on": "2026-11-01"}).status_code == 403
        assert not MetricValue.objects.exists()

    def test_an_account_or_metric_nobody_has_is_404(self, client, owner):
        client.force_login(owner)
        assert client.get(f"/usage/accounts/{uuid.uuid4()}/").status_code == 404
        account = make_account()
        assert client.get(f"/usage/accounts/{account.pk}/metrics/none/").status_code == 404


class TestSetup:
    def test_an_administrator_defines_a_metric(self, client, owner):
        client.force_login(owner)
        answer = client.post(
            "/usage/metrics/",
            {"key": "uptime", "name": "Uptime", "kind": "number", "aggregation": "latest", "lowest": "0"},
        )
        assert answer.status_code == 302
        assert MetricDefinition.objects.get(key="uptime").lowest == 0
        again = client.post(
            "/usage/metrics/", {"key": "uptime", "name": "x", "kind": "choice", "aggregation": "latest"}
        )
        assert again.status_code == 422

    def test_the_key_features_as_lines_of_text(self, client, owner):
        client.force_login(owner)
        answer = client.post("/usage/features/", {"features": "GPS tracking: gps, gps_tracking\n- Dashboard\n\n"})

        assert answer.status_code == 302
        assert list(FeatureSlot.objects.values_list("slot", "key", "name", "events", "counted")) == [
            (1, "gps_tracking", "GPS tracking", ["gps", "gps_tracking"], True),
            (2, "dashboard", "Dashboard", ["dashboard"], False),
        ]
        assert client.post("/usage/features/", {"features": "\n".join("abcdefghi")}).status_code == 422
        assert client.post("/usage/features/", {"features": "Same\nsame"}).status_code == 422

    @pytest.mark.parametrize("path", ["/usage/metrics/", "/usage/features/"])
    def test_others_read_only(self, client, people, path):
        client.force_login(people[Role.CSM])
        assert client.get(path).status_code == 200
        assert client.post(path, {}).status_code == 403


@pytest.mark.parametrize("path", ["/usage/", "/usage/unknown/", "/usage/metrics/", "/usage/features/"])
def test_a_visitor_signs_in_and_a_customer_is_refused(client, people, path):
    assert client.get(path).status_code == 302
    client.force_login(people[Role.PORTAL_USER])
    assert client.get(path).status_code == 403
