"""Teams and routing: whom a ticket goes to, why, and who is away."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Tier, WorkCalendar
from knowledge import actions as knowledge
from knowledge.models import Category
from support import actions
from support.models import Team, TeamSeat, TicketEvent
from support.routing import Asked, Crew, Person, route
from tests.factories import AccountFactory, UserFactory
from tests.support.world import agent, install, ticket

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def person(name, **fields):
    return Person(name, name, **fields)


def chosen(asked, *crews, **more):
    found = route(asked, crews, at=AT, **more)
    return (found.crew and found.crew.name, found.person and found.person.name)


class TestWhom:
    def test_the_line_of_the_ticket_then_its_tier(self):
        first = Crew(1, "First", people=(person("Ann"),))
        gold = Crew(2, "Gold", tiers=frozenset({"gold"}), people=(person("Bea"),))
        second = Crew(3, "Second", level=2, people=(person("Cid"),))
        assert chosen(Asked(1), first, gold, second) == ("First", "Ann")
        assert chosen(Asked(1, "gold"), first, gold, second) == ("Gold", "Bea")
        assert chosen(Asked(2, "gold"), first, gold, second) == ("Second", "Cid")
        assert chosen(Asked(3), first, gold, second) == (None, None)

    def test_skill_counts_before_load_and_load_before_whose_turn_it_is(self):
        asked = Asked(1, words=frozenset({"sso"}))
        knows = person("Ann", skills=frozenset({"sso"}), load=15)
        idle, later = person("Bea", routed_at=AT), person("Cid", routed_at=AT - timedelta(hours=1))
        crew = Crew(1, "First", people=(knows, idle, later))
        assert chosen(asked, crew) == ("First", "Ann")
        assert chosen(Asked(1), crew) == ("First", "Cid")
        assert chosen(Asked(1), Crew(1, "First", people=(person("Ann", load=4), person("Bea", load=3)))) == (
            "First",
            "Bea",
        )
        # Load is a share of what each takes.
        small = Crew(1, "First", people=(person("Ann", load=2, capacity=4), person("Bea", load=6, capacity=20)))
        assert chosen(Asked(1), small) == ("First", "Bea")

    def test_whoever_is_away_or_full_is_passed_by_and_the_reason_is_told(self):
        away = person("Ann", away_until=AT + timedelta(hours=1))
        back = person("Bea", away_until=AT, load=19)
        full = person("Cid", load=20)
        found = route(Asked(1), [Crew(1, "First", people=(away, back, full))], at=AT)
        assert found.person.name == "Bea"
        why = {step.name: step.why for step in found.steps}
        assert why["Ann"] == "is away until 24 Nov 2026 10:00"
        assert why["Cid"] == "has 20 of at most 20 tickets"

    def test_where_nobody_is_free_the_next_team_takes_it_else_it_waits_with_the_first(self):
        closed = Crew(1, "Days", is_open=False, people=(person("Ann"),))
        nights = Crew(2, "Nights", people=(person("Bea"),))
        assert chosen(Asked(1), closed, nights) == ("Nights", "Bea")
        assert chosen(Asked(1), closed) == ("Days", None)
        assert chosen(Asked(1), nights, people=False) == ("Nights", None)


@pytest.fixture
def lead(db):
    return agent("vp_cs")


def team(name, lead, *people, **fields):
    made = actions.save_team(None, name=name, actor=lead, at=timezone.now(), **fields)
    for each in people:
        actions.seat(made, each, actor=lead, at=timezone.now())
    return made


class TestRouting:
    def test_a_new_ticket_goes_to_a_team_and_a_person_and_the_log_says_why(self, lead):
        ann = agent()
        first = team("First line", lead, ann, skills=["sso"])
        found = ticket(AccountFactory(), timezone.now(), tags=["sso"])
        found.refresh_from_db()
        assert (found.team, found.assignee) == (first, ann)
        event = TicketEvent.objects.get(ticket=found, kind="assigned")
        assert any("knows sso" in why for why in event.data["routed"])
        assert TeamSeat.objects.get().last_routed_at is not None

    def test_tickets_are_dealt_out_by_load_up_to_the_limit(self, lead):
        ann, bea = agent(), agent()
        first = team("First line", lead, ann)
        actions.seat(first, bea, capacity=1, actor=lead, at=timezone.now())
        for _number in range(3):
            ticket(AccountFactory(), timezone.now())
        assert ann.assigned_tickets.count() == 2
        assert bea.assigned_tickets.count() == 1

    @pytest.mark.parametrize(("mode", "routed"), [("off", (False, False)), ("team", (True, False))])
    def test_how_far_it_goes_by_itself_is_the_workspaces_choice(self, lead, mode, routed):
        team("First line", lead, agent())
        actions.set_routing(mode, actor=lead, at=timezone.now())
        found = ticket(AccountFactory(), timezone.now())
        found.refresh_from_db()
        assert (found.team is not None, found.assignee is not None) == routed

    def test_what_was_assigned_on_opening_or_brought_from_elsewhere_stays_as_it_is(self, lead):
        team("First line", lead, agent())
        given = ticket(AccountFactory(), timezone.now(), assignee=lead)
        brought = ticket(AccountFactory(), timezone.now(), policies=[])
        assert (given.assignee, given.team, brought.assignee) == (lead, None, None)

    def test_the_next_line_finds_its_own_people(self, lead):
        bea = agent()
        team("First line", lead, agent())
        second = team("Second line", lead, bea, level=2)
        found = ticket(AccountFactory(), timezone.now())
        actions.change_level(found, 2, reason="Logs needed", actor=lead, at=timezone.now())
        found.refresh_from_db()
        assert (found.team, found.assignee) == (second, bea)

    def test_whoever_may_not_see_the_account_is_passed_by(self, lead):
        settings = lead.workspace_settings
        type(settings).objects.update(csm_reads_all_accounts=False)
        csm, ann = UserFactory(role="csm", name="Aaron"), agent()
        first = team("First line", lead, csm, ann)
        found = ticket(AccountFactory(), timezone.now())
        found.refresh_from_db()
        assert (found.team, found.assignee) == (first, ann)

    def test_hours_of_the_team_count(self, lead):
        never = {"timezone": "UTC", "weekly": {"sun": [["00:00", "00:01"]]}}
        calendar = WorkCalendar.objects.create(key="days", name="Days", definition=never)
        days = team("Days", lead, agent(), calendar=calendar)
        found = ticket(AccountFactory(), datetime(2026, 11, 24, 9, tzinfo=UTC))
        found.refresh_from_db()
        assert (found.team, found.assignee) == (days, None)


class TestRules:
    def test_a_team_with_active_tickets_is_not_taken_away(self, lead):
        first = team("First line", lead)
        found = ticket(AccountFactory(), timezone.now())
        with pytest.raises(RuleViolated, match="1 active ticket is with this team"):
            actions.retire_team(first, actor=lead, at=timezone.now())
        actions.resolve(found, actor=lead, at=timezone.now())
        actions.retire_team(first, actor=lead, at=timezone.now())
        assert Team.objects.get().retired_at is not None

    def test_being_away_holds_for_every_team_and_later_ones_too(self, lead):
        ann, until = agent(), timezone.now() + timedelta(days=3)
        team("First line", lead, ann)
        actions.set_away(ann, until, actor=ann, at=timezone.now())
        team("Second line", lead, ann, level=2)
        assert set(TeamSeat.objects.values_list("away_until", flat=True)) == {until}
        with pytest.raises(RuleViolated, match="still to come"):
            actions.set_away(ann, timezone.now() - timedelta(hours=1), actor=ann, at=timezone.now())
        with pytest.raises(RuleViolated, match="on no team"):
            actions.set_away(lead, until, actor=lead, at=timezone.now())

    def test_customers_join_no_team(self, lead):
        with pytest.raises(RuleViolated, match="active colleague"):
            team("First line", lead, UserFactory(role="portal_user"))


class TestPages:
    def test_a_team_is_made_staffed_and_shown(self, desk):
        tier = Tier.objects.create(key="gold", name="Gold", rank=3)
        ann = agent()
        made = desk.post("/support/teams/new/", {"name": "First line", "level": "1", "skills": "SSO, maps,",
                                                 "tiers": str(tier.pk)})  # fmt: skip
        first = Team.objects.get()
        assert made.url == f"/support/teams/{first.pk}/"
        assert (first.key, first.skills, list(first.tiers.all())) == ("first-line", ["maps", "sso"], [tier])
        desk.post(f"{made.url}seats/", {"user": str(ann.pk), "capacity": "5", "skills": "billing"})
        shown = desk.get("/support/teams/").content.decode()
        assert "Serves Gold" in shown
        assert "0 of 5" in shown
        refused = desk.post(f"{made.url}seats/", {"user": str(ann.pk), "capacity": "0"})
        assert (refused.status_code, TeamSeat.objects.get().capacity) == (422, 5)

    def test_a_place_is_changed_and_given_up(self, desk, lead):
        team("First line", lead, agent())
        row = TeamSeat.objects.get()
        page = f"/support/teams/seats/{row.pk}/"
        assert desk.get(page).status_code == 200
        assert desk.post(page, {"capacity": "7", "away_until": "2020-01-01T09:00"}).status_code == 422
        row.refresh_from_db()
        assert row.capacity == 20
        until = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        assert desk.post(page, {"capacity": "7", "away_until": until}).status_code == 302
        row.refresh_from_db()
        assert (row.capacity, row.away_until is not None) == (7, True)
        assert "Away" in desk.get("/support/teams/").content.decode()
        desk.post(f"{page}remove/")
        assert not TeamSeat.objects.exists()

    def test_an_agent_says_that_they_are_away(self, client, lead):
        ann = agent()
        team("First line", lead, ann)
        client.force_login(ann)
        assert "I am away until" in client.get("/support/teams/").content.decode()
        until = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        client.post("/support/teams/away/", {"away_until": until})
        assert TeamSeat.objects.get().away_until is not None
        client.post("/support/teams/away/", {"away_until": ""})
        assert TeamSeat.objects.get().away_until is None

    def test_what_routing_would_do_is_told_with_the_reasons_and_done_on_request(self, desk, lead):
        found = ticket(AccountFactory(), timezone.now(), tags=["sso"])
        ann = agent()
        first = team("First line", lead, ann, skills=["sso"])
        team("Second line", lead, level=2)
        shown = desk.get(f"/support/teams/routing/?number={found.number}").content.decode()
        assert "works on level 2, the ticket is on level 1" in shown
        assert "knows sso" in shown
        found.refresh_from_db()
        assert found.team is None
        desk.post(f"/tickets/{found.pk}/route/")
        found.refresh_from_db()
        assert (found.team, found.assignee) == (first, ann)
        assert desk.get("/support/teams/routing/?number=999999").status_code == 422

    def test_one_team_and_three_take_the_same_number_of_queries(self, desk, lead):
        calendar = WorkCalendar.objects.create(key="all", name="All", definition={"always_open": True})
        team("First line", lead, agent(), calendar=calendar)
        desk.get("/support/teams/")
        cache.clear()
        with CaptureQueriesContext(connection) as one:
            desk.get("/support/teams/")
        for number in range(2):
            team(f"More {number}", lead, agent(), agent(), calendar=calendar)
        cache.clear()
        with CaptureQueriesContext(connection) as three:
            assert "More 1" in desk.get("/support/teams/").content.decode()
        assert len(three) <= len(one)


class TestApi:
    def send(self, client, method, path, body=None, status=200):
        given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        response = getattr(client, method)(f"/api/v1/support/{path}", **given)
        assert response.status_code == status, response.content
        return response.json() if response.content else None

    def test_teams_and_places_are_kept_over_rest(self, desk):
        ann = agent()
        made = self.send(desk, "post", "teams/", {"name": "First line", "skills": ["SSO"]}, 201)
        assert (made["key"], made["skills"], made["tiers"], made["level"]) == ("first-line", ["sso"], [], 1)
        changed = self.send(desk, "patch", "teams/first-line/", {"level": 2})
        assert (changed["level"], changed["skills"], changed["version"]) == (2, ["sso"], 2)
        self.send(desk, "patch", "teams/first-line/", {"tiers": ["none-such"]}, 422)
        row = self.send(desk, "post", "teams/first-line/seats/", {"user": ann.email, "capacity": 3}, 201)
        past = {"capacity": 9, "away_until": "2020-01-01T00:00:00Z"}
        self.send(desk, "patch", f"seats/{row['id']}/", past, 422)
        self.send(desk, "post", "teams/first-line/seats/", {"user": ann.email, **past}, 422)
        assert TeamSeat.objects.get().capacity == 3
        until = "2199-01-01T00:00:00Z"
        changed = self.send(desk, "patch", f"seats/{row['id']}/", {"away_until": until})
        assert (changed["capacity"], changed["load"]) == (3, 0)
        assert datetime.fromisoformat(changed["away_until"]).year in {2198, 2199}
        assert [each["user"] for each in self.send(desk, "get", "seats/?team=first-line")["results"]] == [ann.email]
        self.send(desk, "delete", f"seats/{row['id']}/", status=204)
        self.send(desk, "delete", "teams/first-line/", status=204)
        self.send(desk, "get", "teams/first-line/", status=404)

    def test_routing_is_asked_and_done_over_rest(self, desk, lead):
        found = ticket(AccountFactory(), timezone.now())
        ann = agent()
        team("First line", lead, ann)
        told = self.send(desk, "get", f"tickets/{found.pk}/routing/")
        assert (told["team"], told["assignee"]) == ("First line", str(ann))
        assert {step["kind"] for step in told["steps"]} == {"team", "person"}
        self.send(desk, "post", f"tickets/{found.pk}/routing/")
        found.refresh_from_db()
        assert found.assignee == ann
        assert self.send(desk, "put", "routing/", {"routing": "team"}) == {"routing": "team"}
        assert self.send(desk, "get", "routing/") == {"routing": "team"}


@pytest.mark.requirement("FMEA-14.7")
def test_the_form_suggests_articles_routing_assigns_and_an_alert_opens_a_ticket(client, lead):
    install("fmea")
    ann, at = agent(), timezone.now()
    team("First line", lead, ann)
    shelf = Category.objects.earliest("position")
    article = knowledge.write_article(
        actor=ann, at=at, category=shelf, title="Import stops with an unknown column", body="Put the name in quotes.",
        audience="internal",
    )  # fmt: skip
    knowledge.submit_article(article, actor=ann, at=at)
    for kind in ("technical", "editorial"):
        knowledge.review_text(article, kind, approve=True, actor=lead, at=at)
    knowledge.publish_article(article, actor=lead, at=at)
    client.force_login(ann)
    suggest = reverse("knowledge:suggest")
    assert f'hx-get="{suggest}"' in client.get("/tickets/new/").content.decode()
    assert article.title in client.get(f"{suggest}?subject=unknown+column+in+import").content.decode()
    body = {
        "account": str(AccountFactory().pk), "subject": "Disk is full", "impact": 2, "severity": "S2",
        "channel": "monitoring",
    }  # fmt: skip
    made = client.post("/api/v1/support/tickets/", json.dumps(body), content_type="application/json")
    assert made.status_code == 201
    assert (made.json()["channel"], made.json()["assignee"], made.json()["team"]) == (
        "monitoring",
        ann.email,
        "first-line",
    )
