"""Fields of a workspace's own on tickets, saved views of the queue, and answers kept ready over REST."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from accounts.actions import create_contact
from accounts.errors import RuleViolated
from accounts.models import SavedView
from support import actions
from support.models import Macro, Ticket, TicketField
from tests.factories import AccountFactory, UserFactory
from tests.support.world import agent, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return agent("vp_cs")


def field(lead, label, kind="text", **given):
    return actions.save_field(None, label=label, kind=kind, actor=lead, at=timezone.now(), **given)


def send(client, method, path, body=None, status=200):
    given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
    response = getattr(client, method)(f"/api/v1/support/{path}", **given)
    assert response.status_code == status, response.content
    return response.json() if response.content else None


class TestFields:
    def test_a_field_is_made_changed_and_taken_away_on_its_pages(self, desk):
        sent = {"label": "Product version", "kind": "choice", "options": "4.1\n4.2\n4.2", "position": "1"}
        assert desk.post("/tickets/fields/new/", sent).status_code == 302
        row = TicketField.objects.get()
        assert (row.key, row.options) == ("product-version", ["4.1", "4.2"])
        refused = desk.post(f"/tickets/fields/{row.pk}/", sent | {"kind": "text"})
        assert "make another field" in refused.content.decode()
        desk.post(f"/tickets/fields/{row.pk}/", sent | {"label": "Version", "is_required": "on"})
        shown = desk.get("/tickets/fields/").content.decode()
        assert "Version" in shown
        assert "always" in shown
        desk.post(f"/tickets/fields/{row.pk}/retire/")
        assert "No fields of your own" in desk.get("/tickets/fields/").content.decode()

    def test_a_choice_without_options_and_a_key_in_use_are_refused(self, desk, lead):
        refused = desk.post("/tickets/fields/new/", {"label": "Version", "kind": "choice", "position": "0"})
        assert (refused.status_code, "List the options" in refused.content.decode()) == (422, True)
        field(lead, "Site")
        with pytest.raises(RuleViolated, match="is or was a field"):
            field(lead, "Site")

    def test_they_are_asked_kept_and_shown_on_tickets(self, desk, lead):
        field(lead, "Site", is_required=True)
        field(lead, "Seats", "number")
        field(lead, "Seen on", "day")
        field(lead, "On the phone", "yes_no")
        account = AccountFactory()
        sent = {
            "account": str(account.pk), "subject": "Down", "body": "It is", "impact": "1", "type": "question",
            "channel": "phone",
        }  # fmt: skip
        refused = desk.post("/tickets/new/", sent)
        assert (refused.status_code, Ticket.objects.count()) == (422, 0)
        told = {
            "custom-site": "Lyon",
            "custom-seats": "12",
            "custom-seen-on": "2026-11-24",
            "custom-on-the-phone": "false",
        }
        desk.post("/tickets/new/", sent | told)
        opened = Ticket.objects.get()
        assert opened.custom == {"site": "Lyon", "seats": 12, "seen-on": "2026-11-24", "on-the-phone": False}
        shown = desk.get(f"/tickets/{opened.pk}/").content.decode()
        assert "<dt>Site</dt><dd>Lyon</dd>" in shown
        assert "<dt>On the phone</dt><dd>No</dd>" in shown
        edit = {"subject": "Down", "impact": "1", "type": "question", "custom-site": "Nice", "custom-seats": ""}
        desk.post(f"/tickets/{opened.pk}/edit/", edit | {"custom-on-the-phone": "true"})
        opened.refresh_from_db()
        assert opened.custom == {"site": "Nice", "on-the-phone": True}

    @pytest.mark.parametrize(
        ("kind", "value"),
        [("number", "12"), ("number", True), ("choice", "c"), ("day", "24.11."), ("yes_no", "yes"), ("text", 5),
         ("text", "x" * 1001)],
    )  # fmt: skip
    def test_a_value_that_does_not_fit_is_named(self, desk, lead, kind, value):
        field(lead, "Thing", kind, options=["a", "b"] if kind == "choice" else [])
        body = {"account": str(AccountFactory().pk), "subject": "X", "impact": 1, "custom": {"thing": value}}
        found = send(desk, "post", "tickets/", body, 422)
        assert [error["pointer"] for error in found["errors"]] == ["/custom/thing"]

    def test_unknown_and_missing_ones_are_named_over_rest(self, desk, lead):
        field(lead, "Site", is_required=True)
        body = {"account": str(AccountFactory().pk), "subject": "X", "impact": 1}
        assert send(desk, "post", "tickets/", body, 422)["errors"][0]["pointer"] == "/custom/site"
        found = send(desk, "post", "tickets/", body | {"custom": {"site": "Lyon", "wing": "B"}}, 422)
        assert found["errors"][0]["pointer"] == "/custom/wing"
        made = send(desk, "post", "tickets/", body | {"custom": {"site": "Lyon"}}, 201)
        changed = send(desk, "patch", f"tickets/{made['id']}/", {"custom": {"site": "Nice"}})
        assert changed["custom"] == {"site": "Nice"}

    def test_what_a_ticket_holds_in_a_retired_field_stays(self, lead):
        row = field(lead, "Site")
        opened = ticket(AccountFactory(), timezone.now(), custom={"site": "Lyon"})
        actions.retire_field(row, actor=lead, at=timezone.now())
        field(lead, "Wing")
        actions.update_ticket(opened, custom={"wing": "B"}, actor=lead, at=timezone.now())
        opened.refresh_from_db()
        assert opened.custom == {"site": "Lyon", "wing": "B"}

    def test_customers_see_and_fill_in_only_those_meant_for_them(self, client, lead):
        field(lead, "Site", shown_to_customer=True)
        field(lead, "Churn risk")
        account, person = AccountFactory(), UserFactory(role="portal_user")
        person.portal_accounts.add(account)
        create_contact(account, name="Ann", email=person.email, actor=lead, at=timezone.now())
        client.force_login(person)
        form = client.get("/portal/tickets/new/").content.decode()
        assert "Site" in form
        assert "Churn risk" not in form
        sent = {"account": str(account.pk), "subject": "Down", "body": "It is", "impact": "1"}
        client.post("/portal/tickets/new/", sent | {"custom-site": "Lyon", "custom-churn-risk": "high"})
        opened = Ticket.objects.get()
        assert opened.custom == {"site": "Lyon"}
        actions.update_ticket(opened, custom={"churn-risk": "high"}, actor=lead, at=timezone.now())
        shown = client.get(f"/portal/tickets/{opened.pk}/").content.decode()
        assert "Lyon" in shown
        assert "high" not in shown

    def test_over_rest(self, desk):
        made = send(desk, "post", "ticket-fields/", {"label": "Site", "is_required": True}, 201)
        assert (made["key"], made["kind"], made["is_required"]) == ("site", "text", True)
        changed = send(desk, "patch", f"ticket-fields/{made['id']}/", {"label": "Where"})
        assert (changed["label"], changed["is_required"]) == ("Where", True)
        send(desk, "patch", f"ticket-fields/{made['id']}/", {"kind": "number"}, 422)
        send(desk, "delete", f"ticket-fields/{made['id']}/", status=204)
        assert send(desk, "get", "ticket-fields/")["results"] == []


class TestViews:
    def test_what_the_queue_shows_is_kept_under_a_name_and_opened_again(self, desk, lead):
        ticket(AccountFactory(), timezone.now(), tags=["sso"])
        query = "tag=sso&view=all&nonsense=1&sort=-number"
        saved = desk.post("/tickets/views/", {"name": "Sign-in", "query": query, "is_shared": "on"})
        view = SavedView.objects.get(page="tickets")
        assert (view.query, view.is_shared) == ("tag=sso&view=all", True)
        assert saved.url == f"/tickets/?saved={view.pk}&tag=sso&view=all"
        shown = desk.get(saved.url).content.decode()
        assert "Sign-in" in shown
        assert "Keep the changes" not in shown
        assert "Keep the changes in Sign-in" in desk.get(f"{saved.url}&severity=S1").content.decode()
        desk.post(f"/tickets/views/{view.pk}/", {"query": "tag=sso"})
        view.refresh_from_db()
        assert view.query == "tag=sso"
        desk.post(f"/tickets/views/{view.pk}/delete/")
        assert not SavedView.objects.filter(page="tickets").exists()

    def test_one_is_seen_by_others_only_when_it_is_shared_and_kept_by_its_owner(self, desk, client, lead):
        desk.post("/tickets/views/", {"name": "Mine", "query": "tag=a"})
        desk.post("/tickets/views/", {"name": "Ours", "query": "tag=b", "is_shared": "on"})
        client.force_login(agent())
        shown = client.get("/tickets/").content.decode()
        assert "Ours" in shown
        assert ">Mine</a>" not in shown
        ours, mine = SavedView.objects.get(name="Ours"), SavedView.objects.get(name="Mine")
        assert client.post(f"/tickets/views/{mine.pk}/delete/").status_code == 404
        client.post(f"/tickets/views/{ours.pk}/delete/")
        assert SavedView.objects.filter(name="Ours").exists()

    def test_over_rest(self, desk):
        made = send(desk, "post", "ticket-views/", {"name": "Sign-in", "query": "?tag=SSO&wrong=1"}, 201)
        assert (made["query"], made["shared"]) == ("tag=sso", False)
        changed = send(desk, "patch", f"ticket-views/{made['id']}/", {"shared": True})
        assert changed["shared"] is True
        assert [view["name"] for view in send(desk, "get", "ticket-views/")["results"]] == ["Sign-in"]
        send(desk, "delete", f"ticket-views/{made['id']}/", status=204)


class TestMacros:
    def test_over_rest(self, desk):
        made = send(desk, "post", "macros/", {"name": "Thanks", "body": "Thank you", "tags": ["Praise"]}, 201)
        assert made["actions"] == {"tags": ["praise"]}
        changed = send(desk, "patch", f"macros/{made['id']}/", {"status": "resolved"})
        assert (changed["actions"], changed["body"]) == ({"status": "resolved", "tags": ["praise"]}, "Thank you")
        send(desk, "post", "macros/", {"name": "Thanks", "body": "x"}, 422)
        send(desk, "delete", f"macros/{made['id']}/", status=204)
        assert Macro.objects.get().retired_at is not None
        assert send(desk, "get", "macros/")["results"] == []


@pytest.mark.parametrize(("counted", "shown"), [(5, "2 of 5 tickets"), (4, "2 of 4+ tickets")])
def test_a_long_history_is_counted_up_to_a_limit(desk, monkeypatch, counted, shown):
    monkeypatch.setattr("support.queries.listing.PAGE_SIZE", 2)
    monkeypatch.setattr("support.queries.listing.MOST_COUNTED", counted)
    account = AccountFactory()
    for _number in range(5):
        ticket(account, timezone.now())
    assert shown in desk.get("/tickets/?view=all").content.decode()
