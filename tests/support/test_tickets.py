"""What a ticket goes through, and what its clocks make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.audit import verify_chain
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import AuditEntry, Severity, WorkCalendar
from businesstime import read_calendar
from support import actions
from support.models import HolidayList, Message, SlaPolicy, Ticket
from support.queries.explain import clocks_of, explain_clock
from tests.support.world import agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db
CREATED = at("2026-11-23 09:00")


@pytest.fixture
def desk():
    install("fmea")
    return customer("basic", pack="fmea")


@pytest.fixture
def found(desk):
    return ticket(desk, CREATED, severity="S1")


def hours(amount):
    return CREATED + timedelta(hours=amount)


class TestFirstResponse:
    def test_an_answer_counts_and_a_note_an_automatic_message_or_a_customers_does_not(self, found):
        worker = agent()
        actions.note(found, "Looks like the cache", actor=worker, at=hours(1))
        actions.reply(found, "We got your mail", actor=None, at=hours(1), is_automatic=True)
        actions.customer_reply(found, "Anybody there?", contact=None, at=hours(2))
        assert clock(found, "first_response").verdict == "running"
        actions.reply(found, "Here we are", actor=worker, at=hours(3))
        assert clock(found, "first_response").verdict == "met"
        found.refresh_from_db()
        assert (found.first_responded_at, found.status, found.assignee) == (hours(3), "open", worker)

    def test_an_answer_that_never_arrived_is_none(self, found):
        message = actions.reply(found, "Hello", actor=agent(), at=hours(1), delivery="pending")
        assert clock(found, "first_response").verdict == "met"
        actions.mark_failed(message, error="550 no such user", at=hours(2))
        again = clock(found, "first_response")
        assert (again.verdict, again.due_at) == ("running", at("2026-11-23 17:00"))
        found.refresh_from_db()
        assert found.first_responded_at is None

    def test_a_ticket_opened_by_staff_owes_none(self, desk):
        logged = ticket(desk, CREATED, severity="S1", opened_by_staff=True, actor=agent())
        assert not logged.clocks.filter(kind="first_response").exists()


class TestStatus:
    @pytest.mark.parametrize(
        ("path", "refused"),
        [
            (["open", "resolved", "closed", "open"], "new"),
            (["waiting_customer", "open", "resolved"], "waiting_customer"),
            (["cancelled"], "resolved"),
        ],
    )
    def test_moves_along_the_transitions_and_nowhere_else(self, found, path, refused):
        for step, status in enumerate(path):
            found = actions.change_status(found, status, actor=None, at=hours(step))
        with pytest.raises(actions.NotAllowed):
            actions.change_status(found, refused, actor=None, at=hours(9))

    def test_resolved_at_once_by_the_first_line_is_solved_at_first_contact_until_it_is_reopened(self, found):
        found = actions.resolve(found, actor=agent(), at=hours(1))
        assert found.solved_at_first_contact is True
        found = actions.reopen(found, actor=None, at=hours(2))
        assert (found.solved_at_first_contact, found.reopened_count) == (None, 1)
        assert actions.resolve(found, actor=None, at=hours(3)).solved_at_first_contact is False

    def test_a_resolved_ticket_is_closed_when_nobody_objects(self, found):
        actions.resolve(found, actor=None, at=hours(1))
        assert actions.close_quiet(at=hours(24)) == 0
        assert actions.close_quiet(at=hours(1) + timedelta(days=5)) == 1
        assert Ticket.objects.get(pk=found.pk).status == "closed"

    def test_the_customer_writing_again_reopens_and_can_rate_each_resolution_once(self, found):
        found = actions.close(found, actor=agent(), at=hours(1), confirmed=True)
        assert found.confirmed_by_customer is True
        actions.rate(found, 2, at=hours(2))
        actions.rate(found, 3, comment="Better", at=hours(2))
        actions.customer_reply(found, "It is back", contact=None, at=hours(3))
        found = actions.resolve(Ticket.objects.get(pk=found.pk), actor=None, at=hours(4))
        actions.rate(found, 5, at=hours(5))
        assert list(found.ratings.order_by("cycle").values_list("cycle", "score")) == [(1, 3), (2, 5)]


class TestPriorityAndLevel:
    @pytest.mark.requirement("FMEA-6.4")
    def test_a_larger_impact_gives_a_higher_priority_at_the_same_severity(self, desk):
        one, many = (ticket(desk, CREATED, severity="S2", impact=impact) for impact in (3, 1))
        assert (one.priority, many.priority) == (5, 3)
        assert list(Ticket.objects.order_by("priority")) == [many, one]

    @pytest.mark.requirement("FMEA-5.10")
    @pytest.mark.requirement("FMEA-5.11")
    def test_a_ticket_enters_the_first_line_and_goes_up_one_step_at_a_time_with_a_reason(self, found):
        worker = agent()
        assert found.level == 1
        with pytest.raises(RuleViolated):
            actions.change_level(found, 3, reason="Hard", actor=worker, at=hours(1))
        with pytest.raises(RuleViolated):
            actions.change_level(found, 2, reason=" ", actor=worker, at=hours(1))
        actions.change_level(found, 2, reason="Needs logs", actor=worker, at=hours(1))
        found = actions.change_level(found, 3, reason="A bug", actor=worker, at=hours(2))
        steps = found.events.filter(kind="level").values_list("data__from", "data__to", "data__reason", "actor")
        assert list(steps) == [(1, 2, "Needs logs", worker.pk), (2, 3, "A bug", worker.pk)]


class TestChangesOfPromise:
    def test_a_tier_sold_later_changes_nothing_for_tickets_that_are_open(self, desk, found):
        other = customer("enterprise", pack="fmea")
        desk.tier = other.tier
        desk.save()
        actions.change_severity(found, Severity.objects.get(key="S2"), actor=None, at=hours(1))
        assert clock(found, "first_response").due_at == at("2026-11-24 17:00")
        assert clock(ticket(desk, CREATED, severity="S1"), "first_response").due_at == hours(1)

    def test_a_holiday_entered_later_moves_open_deadlines_and_no_verdict(self, desk, found):
        judged = ticket(desk, CREATED, severity="S2")
        actions.reply(judged, "Done", actor=agent(), at=hours(26))
        assert clock(judged, "first_response").consumed_seconds == 10 * 3600
        actions.recompute_where_calendars_changed(at=hours(1))
        days_off = HolidayList.objects.create(key="own", name="Own", days=["2026-11-23"])
        days_off.calendars.add(WorkCalendar.objects.get(key="bh-9-17"))
        run = actions.recompute_where_calendars_changed(at=hours(27))
        assert (run.total, run.done, run.changed) == (2, 2, 1)
        assert clock(found, "first_response").due_at == at("2026-11-24 17:00")
        assert clock(judged, "first_response").consumed_seconds == 10 * 3600
        assert actions.recompute_where_calendars_changed(at=hours(28)) is None

    def test_public_holidays_of_a_country_do_not_count(self, desk):
        germany = HolidayList.objects.create(key="de", name="Germany", country="DE")
        germany.calendars.add(WorkCalendar.objects.get(key="bh-9-17"))
        found = ticket(desk, at("2026-12-24 16:00"), severity="S1")
        # 25 December is a Friday and a holiday, 26 a Saturday.
        assert clock(found, "first_response").due_at == at("2026-12-28 16:00")

    def test_a_policy_of_ones_own_comes_first_and_its_change_moves_open_tickets(self, desk):
        worker = agent("vp_cs")
        rules = [{"severity": "*", "response": {"value": 2, "unit": "hours", "op": "<="}}]
        calendar = WorkCalendar.objects.get(key="bh-9-17")
        own = actions.create_policy(key="gold", name="Gold", calendar=calendar, rules=rules, actor=worker, at=CREATED)
        found = ticket(desk, CREATED, severity="S1")
        assert clock(found, "first_response").due_at == hours(2)
        rules[0]["response"]["value"] = 3
        actions.change_policy(own, rules=rules, actor=worker, at=hours(1))
        actions.recompute_open("Service level changed", at=hours(1))
        assert clock(found, "first_response").due_at == hours(3)
        assert own.versions.count() == 2

    @pytest.mark.parametrize(
        ("rule", "field"),
        [
            ({"severity": "*", "response": {"value": 0, "unit": "hours"}}, "rules/0/response/value"),
            ({"response": {"value": 1, "unit": "hours"}}, "rules/0/severity"),
            (
                {
                    "severity": "*",
                    "response": {"value": 8, "unit": "hours"},
                    "resolution": {"value": 4, "unit": "hours"},
                },
                "rules/0/resolution",
            ),
        ],
    )
    def test_a_promise_nobody_can_keep_is_refused_when_it_is_saved(self, desk, rule, field):
        calendar = WorkCalendar.objects.get(key="bh-9-17")
        with pytest.raises(RuleViolated) as refused:
            actions.create_policy(key="x", name="X", calendar=calendar, rules=[rule], actor=agent("owner"), at=CREATED)
        assert refused.value.field == field


class TestMergeAndSplit:
    def test_merging_moves_the_conversation_and_cancels_the_clocks(self, desk, found):
        other = ticket(desk, hours(1), severity="S1")
        into = actions.merge(found, other, actor=agent(), at=hours(2))
        assert into.messages.count() == 2
        found.refresh_from_db()
        assert (found.status, found.merged_into) == ("cancelled", into)
        assert clock(found, "first_response").verdict == "cancelled"
        assert clock(into, "first_response").verdict == "running"

    def test_splitting_gives_no_more_time_and_keeps_an_answer_given_since(self, found):
        worker = agent()
        second = actions.customer_reply(found, "And another thing", contact=None, at=hours(2))
        unanswered = actions.split(found, second, subject="Another thing", actor=worker, at=hours(5))
        assert clock(unanswered, "first_response").started_at == hours(2)
        assert clock(unanswered, "first_response").due_at == at("2026-11-24 11:00")
        third = actions.customer_reply(found, "A third", contact=None, at=hours(6))
        actions.reply(found, "Yes", actor=worker, at=hours(7))
        answered = actions.split(found, third, subject="A third", actor=worker, at=hours(8))
        assert clock(answered, "first_response").verdict == "met"


class TestExplain:
    def test_every_second_since_the_start_is_accounted_for(self, found):
        [held] = clocks_of(found)
        explained = explain_clock(held, actions.settings_row(), at=hours(4))
        assert [part.why for part in explained.intervals] == ["counted"]
        assert explained.counted.total_seconds() == held.target_seconds
        assert explained.intervals[-1].end == held.due_at
        assert explained.zone == "Europe/Berlin"


class TestTheRest:
    def test_numbers_follow_each_other_and_everything_is_audited(self, desk, found):
        second = ticket(desk, CREATED, severity="S2")
        assert second.number == found.number + 1
        actions.assign(second, agent(), actor=None, at=hours(1))
        written = AuditEntry.objects.filter(object_id=str(second.pk)).values_list("action", flat=True)
        assert set(written) == {"ticket.open", "ticket.assign"}
        assert verify_chain().intact

    def test_a_lost_race_is_refused(self, found):
        actions.assign(found, agent(), actor=None, at=hours(1))
        with pytest.raises(StaleVersion):
            actions.assign(found, None, actor=None, at=hours(1), expected_version=found.version)

    def test_customers_never_see_internal_messages(self, desk, found):
        actions.note(found, "They are difficult", actor=agent(), at=hours(1))
        person = agent("portal_admin")
        person.portal_accounts.add(desk)
        assert Message.objects.visible_to(person).count() == 1
        assert Message.objects.visible_to(agent()).count() == 2

    def test_what_packs_promise_can_be_counted_in_their_calendars(self):
        for pack in ("fmea", "mna", "fleet", "bis"):
            install(pack)
        assert SlaPolicy.objects.count() == 19
        for calendar in WorkCalendar.objects.all():
            read_calendar(calendar.definition, default_timezone="UTC")
