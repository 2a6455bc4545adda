"""Many tickets at once, and everything back as it was."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import RuleViolated
from support import actions
from support.models import SlaClock, TicketEdit, TicketEvent
from tests.factories import AccountFactory, UserFactory
from tests.support.world import agent, at, customer, install, ticket

pytestmark = pytest.mark.django_db
CLOCK = ("kind", "cycle", "due_at", "stopped_at", "verdict", "missed_at", "started_at", "target_seconds")


@pytest.fixture
def me():
    return agent()


@pytest.fixture
def desk(client, me):
    client.force_login(me)
    return client


def state(of):
    """Everything a ticket shows, without what counts changes; and its clocks."""
    of.refresh_from_db()
    row = {name: value for name, value in model_to_dict(of).items() if name not in {"version", "policies"}}
    return row, list(of.clocks.order_by("kind", "cycle").values(*CLOCK))


def some(number=2):
    install("fmea")
    account = customer("basic", pack="fmea")
    return [ticket(account, at("2026-11-23 09:00"), severity="S2", tags=["old"]) for _ in range(number)]


NOW = at("2026-11-23 11:00")


class TestUndo:
    def verbs(self, me):
        return {
            "assign": lambda keys: actions.bulk_assign(keys, me, actor=me, at=NOW),
            "tag": lambda keys: actions.bulk_tag(keys, ["new", "old"], actor=me, at=NOW),
            "wait": lambda keys: actions.bulk_status(keys, "waiting_customer", actor=me, at=NOW),
            "resolve": lambda keys: actions.bulk_status(keys, "resolved", actor=me, at=NOW),
            "cancel": lambda keys: actions.bulk_status(keys, "cancelled", actor=me, at=NOW),
        }

    @pytest.mark.parametrize("verb", ["assign", "tag", "wait", "resolve", "cancel"])
    def test_gives_every_ticket_and_its_deadlines_back_exactly(self, me, verb):
        tickets = some()
        before = [state(each) for each in tickets]
        done = self.verbs(me)[verb]([each.pk for each in tickets])
        assert done.edit.tickets == 2
        assert [state(each) for each in tickets] != before
        restored, kept = actions.undo_bulk(done.edit, actor=me, at=NOW + timedelta(minutes=5))
        assert (restored, kept) == (2, [])
        assert [state(each) for each in tickets] == before

    def test_closing_and_reopening_are_taken_back_with_their_cycles(self, me):
        (one,) = some(1)
        actions.resolve(one, actor=me, at=NOW)
        before = state(one)
        done = actions.bulk_status([one.pk], "open", actor=me, at=NOW + timedelta(minutes=1))
        assert state(one)[0]["cycle"] == 2
        actions.undo_bulk(done.edit, actor=me, at=NOW + timedelta(minutes=2))
        assert state(one) == before

    def test_edits_on_top_of_each_other_are_undone_newest_first(self, me):
        (one,) = some(1)
        before = state(one)
        first = actions.bulk_tag([one.pk], ["a"], actor=me, at=NOW)
        middle = state(one)
        second = actions.bulk_assign([one.pk], me, actor=me, at=NOW)
        assert actions.undo_bulk(first.edit, actor=me, at=NOW)[0] == 0
        assert actions.undo_bulk(second.edit, actor=me, at=NOW)[0] == 1
        assert state(one) == middle
        assert actions.undo_bulk(first.edit, actor=me, at=NOW)[0] == 1
        assert state(one) == before

    def test_what_somebody_changed_since_stays_and_is_told(self, me):
        one, other = some()
        done = actions.bulk_tag([one.pk, other.pk], ["new"], actor=me, at=NOW)
        actions.update_ticket(one, subject="Mine", actor=me, at=NOW)
        restored, kept = actions.undo_bulk(done.edit, actor=me, at=NOW)
        assert (restored, [(each.ticket.pk, each.why) for each in kept]) == (1, [(one.pk, "somebody changed it since")])
        with pytest.raises(RuleViolated, match="undone before"):
            actions.undo_bulk(done.edit, actor=me, at=NOW)

    def test_nobody_gets_a_ticket_back_who_left(self, me):
        (one,) = some(1)
        leaver = agent()
        actions.assign(one, leaver, actor=me, at=NOW)
        done = actions.bulk_assign([one.pk], me, actor=me, at=NOW)
        type(leaver).objects.filter(pk=leaver.pk).update(is_active=False, deactivated_at=NOW)
        _restored, kept = actions.undo_bulk(done.edit, actor=me, at=NOW)
        assert kept[0].why == "the person it was with is gone"

    def test_the_log_keeps_both_and_says_so(self, desk, me):
        (one,) = some(1)
        done = actions.bulk_status([one.pk], "resolved", actor=me, at=NOW)
        actions.undo_bulk(done.edit, actor=me, at=NOW)
        kinds = list(TicketEvent.objects.filter(ticket=one).order_by("pk").values_list("kind", flat=True))
        assert kinds[-2:] == ["status", "undone"]
        shown = desk.get(f"/tickets/{one.pk}/").content.decode()
        assert "Taken back" in shown
        assert "set to resolved" in shown

    def test_a_ticket_that_had_it_already_is_not_part_of_the_edit(self, me):
        one, other = some()
        actions.assign(one, me, actor=me, at=NOW)
        done = actions.bulk_assign([one.pk, other.pk], me, actor=me, at=NOW)
        assert (len(done.changed), done.edit.tickets) == (2, 1)
        assert actions.bulk_assign([one.pk], me, actor=me, at=NOW).edit is None
        assert SlaClock.objects.filter(ticket=one).exists()


class TestDoors:
    def test_the_queue_offers_to_take_it_back_and_does(self, desk, me):
        (one,) = some(1)
        told = desk.post("/tickets/bulk/", {"verb": "tag", "id": [str(one.pk)], "add_tags": "new"}, follow=True)
        edit = TicketEdit.objects.get()
        assert f"/tickets/edits/{edit.pk}/undo/" in told.content.decode()
        assert "Tagged new" in desk.get("/tickets/edits/").content.decode()
        desk.post(f"/tickets/edits/{edit.pk}/undo/")
        one.refresh_from_db()
        assert one.tags == ["old"]
        assert "Undone" in desk.get("/tickets/edits/").content.decode()

    def test_whoever_may_not_work_the_tickets_takes_nothing_back(self, client, me):
        (one,) = some(1)
        done = actions.bulk_tag([one.pk], ["new"], actor=me, at=NOW)
        client.force_login(UserFactory(role="csm"))
        assert client.post(f"/tickets/edits/{done.edit.pk}/undo/").status_code == 403

    def test_over_rest(self, desk, me):
        one, other = some()

        def send(path, body, status=200):
            response = desk.post(f"/api/v1/support/{path}", json.dumps(body), content_type="application/json")
            assert response.status_code == status, response.content
            return response.json()

        keys = [str(one.pk), str(other.pk)]
        done = send("ticket-edits/", {"tickets": keys, "verb": "status", "status": "resolved"})
        assert (sorted(done["changed"]), done["refused"]) == (sorted(keys), [])
        again = send("ticket-edits/", {"tickets": keys, "verb": "status", "status": "waiting_customer"})
        assert (again["edit"], sorted(again["refused"])) == (None, sorted(keys))
        assert send(f"ticket-edits/{done['edit']}/undo/", {}) == {"restored": 2, "kept": []}
        send("ticket-edits/", {"tickets": keys, "verb": "status"}, 422)
        send("ticket-edits/", {"tickets": keys, "verb": "assign", "team": "none"}, 422)
        listed = desk.get("/api/v1/support/ticket-edits/").json()["results"]
        assert [(each["label"], each["tickets"]) for each in listed] == [("set to resolved", 2)]

    def test_one_edit_and_three_are_shown_in_the_same_number_of_queries(self, desk, me):
        tickets = some(3)
        actions.bulk_tag([tickets[0].pk], ["a"], actor=me, at=timezone.now())

        def shown():
            with CaptureQueriesContext(connection) as queries:
                desk.get("/tickets/edits/")
            return len(queries)

        shown()
        one = shown()
        for each in tickets[1:]:
            actions.bulk_tag([each.pk], ["b"], actor=UserFactory(role="support_agent"), at=timezone.now())
        assert shown() <= one


def test_accounts_of_others_are_left_alone(me):
    one = ticket(AccountFactory(), NOW)
    csm = UserFactory(role="csm")
    done = actions.bulk_tag([one.pk], ["x"], actor=csm, at=NOW)
    assert (done.changed, done.refused, done.edit) == ([], [one.pk], None)
