"""An incident over many accounts: its stages, promises, letters, review and what health hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.actions import create_contact
from accounts.errors import RuleViolated
from accounts.models import Activity, AuditEntry, ChangedAccount, Severity
from engagement.models import Notification, OutboxMessage
from health.actions import open_ctas, recompute
from health.models import TriggerFiring
from playbooks.actions import close_cta
from playbooks.models import Cta
from support import actions
from support.lifecycle import letter_of
from support.metrics import provide
from support.models import Incident, IncidentDelivery, SlaAlert, Ticket
from support.queries import incident_letters as letters
from support.queries import incidents as queries
from tests.factories import UserFactory
from tests.support.world import agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db
MONDAY = at("2026-11-23 10:00")


def after(**span):
    return MONDAY + timedelta(**span)


@pytest.fixture
def leader(db):
    install("fmea")
    return UserFactory(role="vp_cs", name="Vera Paulsen")


@pytest.fixture
def rail(leader):
    return customer("enterprise", pack="fmea", name="Rail", owner=leader)


def person(account, email, role="administrator"):
    return create_contact(account, name=email.partition("@")[0].title(), email=email, stakeholder_role=role, actor=None,
                          at=MONDAY)  # fmt: skip


def opened(accounts, leader, severity="S1", **fields) -> Incident:
    return actions.open_incident(
        title="Sign-in is down", severity=Severity.objects.get(key=severity), impact=1, summary="Nobody can sign in.",
        component="sign-in", commander=leader, accounts=accounts, actor=leader, at=fields.pop("at", MONDAY), **fields,
    )  # fmt: skip


def resolved(incident, leader, moment):
    return actions.move_incident(
        incident, "closure", resolution="Certificate renewed.", confirmed=True, confirmation="Rail",
        actor=leader, at=moment,
    )  # fmt: skip


def words_said(incident):
    found = queries.incident_record(incident.commander, incident.pk, MONDAY)
    return queries.words_said(found.said, found.first_notice_at)


def timeline(user, incident):
    entries = queries.entries_of(incident)
    near = queries.tickets_near(user, incident, entries)
    return queries.timeline(incident, entries, queries.affected(user, incident), near)


def send(incident, key, leader, moment, contacts, **fields):
    template = letter_of(incident.letters, key)
    values = fields.pop("values", None) or letters.filled(incident, template)
    subject = letters.subject_of(incident, template)
    return actions.send_letter(
        incident, key, values=values, contacts=contacts, subject=subject, actor=leader, at=moment, **fields
    )


KEYS = "detection logging categorization prioritization investigation resolution closure post-mortem".split()


@pytest.mark.requirement("FMEA-6.1")
def test_it_moves_only_along_the_eight_stages_each_move_stamped_with_who_and_when(leader, rail):
    incident = opened([rail], leader)
    assert [stage["key"] for stage in incident.stages] == KEYS
    for number, key in enumerate(KEYS[1:5], 1):
        incident = actions.move_incident(incident, key, actor=leader, at=after(minutes=number))
    for stage, why in (("monitoring", "no such stage"), ("logging", "reason"), ("resolution", "how it was resolved")):
        with pytest.raises(RuleViolated, match=why):
            actions.move_incident(incident, stage, actor=leader, at=MONDAY)
    stamped = incident.entries.filter(kind="stage").order_by("pk").values_list("data__to", "actor", "at")
    assert list(stamped) == [(key, leader.pk, after(minutes=n)) for n, key in enumerate(KEYS[1:5], 1)]
    incident = resolved(incident, leader, after(hours=1))
    assert (incident.status, incident.stage, incident.resolved_at) == ("resolved", "closure", after(hours=1))
    # Each stage on the way was entered.
    assert list(incident.entries.filter(kind="stage").order_by("pk").values_list("data__to", flat=True)) == KEYS[1:7]
    with pytest.raises(Exception, match="never rewritten"):
        incident.entries.update(body="It was nobody's fault")


@pytest.mark.requirement("FMEA-6.5")
def test_closing_asks_whether_customers_agreed_and_a_critical_one_needs_its_review(leader, rail):
    incident = opened([rail], leader)
    with pytest.raises(RuleViolated, match="Did customers agree"):
        actions.move_incident(incident, "closure", resolution="Renewed", actor=leader, at=MONDAY)
    incident.refresh_from_db()
    assert (incident.status, incident.stage) == ("open", "detection")
    incident = resolved(incident, leader, after(hours=1))
    with pytest.raises(RuleViolated, match="without a published review"):
        actions.close_incident(incident, actor=leader, at=after(hours=2))
    parts = ["root cause", "contributing factors", "timeline", "impact", "lessons"]
    actions.save_review(incident, {"root cause": "Nobody watched the certificate"}, actor=leader, at=after(hours=2))
    with pytest.raises(RuleViolated, match="contributing factors, timeline, impact, lessons"):
        actions.publish_review(incident, actor=leader, at=after(hours=2))
    actions.save_review(incident, dict.fromkeys(parts, "Told"), actor=leader, at=after(hours=2))
    actions.publish_review(incident, actor=leader, at=after(hours=3))
    incident = actions.close_incident(incident, actor=leader, at=after(hours=3))
    assert (incident.status, incident.closed_at, incident.confirmed_by_customer) == ("closed", after(hours=3), True)
    with pytest.raises(RuleViolated, match="is closed"):
        actions.note_incident(incident, "And another thing", actor=leader, at=after(hours=4))
    # A minor one needs none, and still asks.
    minor = actions.move_incident(
        opened([rail], leader, "S3"), "resolution", resolution="Fixed", actor=leader, at=after(hours=1)
    )
    with pytest.raises(RuleViolated, match="Did customers agree"):
        actions.close_incident(minor, actor=leader, at=after(hours=2))
    minor = actions.close_incident(minor, confirmation="Nobody answered for a week", actor=leader, at=after(hours=2))
    assert (minor.status, minor.confirmed_by_customer) == ("closed", False)


def test_it_is_opened_again_with_a_reason_and_its_promises_begin_anew(leader, rail):
    incident = resolved(opened([rail], leader), leader, after(minutes=30))
    assert clock(incident, "update").verdict == "met"
    assert clock(incident, "review").due_at == at("2026-11-30 10:30")
    with pytest.raises(RuleViolated, match="reason"):
        actions.reopen_incident(incident, reason=" ", actor=leader, at=after(hours=1))
    incident = actions.reopen_incident(incident, reason="It is back", actor=leader, at=after(hours=1))
    assert (incident.status, incident.stage, incident.resolved_at) == ("open", "investigation", None)
    assert clock(incident, "review").verdict == "cancelled"
    assert clock(incident, "update", 2).due_at == after(hours=2)
    assert incident.next_update_at == after(hours=2)


@pytest.mark.parametrize(
    ("tier", "severity", "due"),
    [
        # An hour round the clock for a plan that is served so; an hour of business for one that is not.
        ("enterprise", "S1", "2026-11-28 11:00"),
        ("basic", "S1", "2026-11-30 10:00"),
        ("professional", "S2", "2026-11-30 11:00"),
    ],
)
def test_the_next_word_is_promised_in_the_time_of_the_plans_of_those_affected(leader, tier, severity, due):
    account = customer(tier, pack="fmea", zone="")
    saturday = at("2026-11-28 10:00", "UTC")
    incident = opened([account], leader, severity, at=saturday)
    assert clock(incident, "update").due_at == at(due, "UTC")


def test_a_plan_that_promises_updates_goes_before_the_workspace_and_the_shortest_counts(leader):
    from accounts.models import WorkCalendar

    rules = [{"severity": "S1", "response": {"value": 30, "unit": "minutes"},
              "update_every": {"value": 20, "unit": "minutes"}}]  # fmt: skip
    actions.create_policy(
        key="gold", name="Gold", calendar=WorkCalendar.objects.get(key="24x7"), rules=rules, tiers=["enterprise"],
        actor=leader, at=MONDAY,
    )  # fmt: skip
    both = [customer("enterprise", pack="fmea"), customer("basic", pack="fmea")]
    incident = opened(both, leader)
    assert (incident.update_minutes, incident.calendar) == (20, None)
    assert clock(incident, "first_response").due_at == after(minutes=30)


def test_each_warning_and_breach_of_the_next_word_is_told_once(leader, rail):
    incident = opened([rail], leader)
    for minutes in (47, 48, 49, 60, 61, 61, 62):
        actions.sweep(at=after(minutes=minutes))
    told = SlaAlert.objects.filter(clock__incident=incident, clock__kind="update").order_by("fell_due_at")
    assert list(told.values_list("threshold", flat=True)) == ["80%", "100%"]
    mine = Notification.objects.filter(user=leader, title__startswith="Next update")
    assert sorted(mine.values_list("title", flat=True)) == [
        "Next update at risk: INC-1 Sign-in is down", "Next update missed: INC-1 Sign-in is down",
    ]  # fmt: skip
    assert set(mine.values_list("url", flat=True)) == {f"/incidents/{incident.pk}/"}
    # A word starts the next promise, which is told of again.
    actions.post_incident_update(incident, "We found the cause.", actor=leader, at=after(minutes=70))
    assert clock(incident, "update", 2).due_at == after(minutes=130)
    actions.sweep(at=after(minutes=131))
    assert SlaAlert.objects.filter(clock__incident=incident, clock__cycle=2, clock__kind="update").count() == 2


@pytest.mark.requirement("FMEA-8.4")
def test_the_first_notice_stops_the_response_clocks_and_the_four_words_follow_in_order(leader, rail):
    asked = ticket(rail, MONDAY, severity="S1", requester=person(rail, "ann@rail.example"))
    boss = person(rail, "bo@rail.example", "executive_sponsor")
    incident = opened([], leader, tickets=[asked])
    assert clock(asked, "first_response").verdict == "running"
    send(incident, "incident-alert", leader, after(minutes=20), [asked.requester, boss], tickets=[asked])
    assert clock(asked, "first_response").verdict == "met"
    assert clock(incident, "first_response").stopped_at == after(minutes=20)
    assert [word.label for word in words_said(incident)] == ["First notice", "Updates", "Resolution", "Post-mortem"]
    assert [bool(word.at) for word in words_said(incident)] == [True, False, False, False]
    actions.post_incident_update(incident, "The certificate ran out.", actor=leader, at=after(minutes=30))
    send(incident, "status-update", leader, after(minutes=40), [boss])
    incident = resolved(incident, leader, after(minutes=50))
    send(incident, "resolution-notice", leader, after(minutes=55), [boss])
    assert [word.at for word in words_said(incident)] == [after(minutes=20), after(minutes=40), after(minutes=55), None]


@pytest.mark.requirement("FMEA-8.5")
def test_five_letters_are_filled_with_what_is_known_and_a_missing_part_is_flagged(leader, rail):
    incident = opened([rail], leader)
    ann = person(rail, "ann@rail.example")
    keys = ["incident-alert", "status-update", "resolution-notice", "post-incident-review", "preventive-measures"]
    assert [letter["key"] for letter in incident.letters] == keys
    alert = letters.filled(incident, letter_of(incident.letters, "incident-alert"))
    assert alert == {
        "issue": "Nobody can sign in.", "affected service": "sign-in", "severity": "Critical",
        "acknowledged at": "{acknowledged_at}", "next update": "{next_update}",
    }  # fmt: skip
    with pytest.raises(actions.PartMissing) as refused:
        send(incident, "status-update", leader, MONDAY, [ann])
    assert refused.value.parts == ["progress"]
    assert not OutboxMessage.objects.filter(is_letter=True).exists()
    row = send(incident, "incident-alert", leader, after(minutes=5), [ann], opening="We are at it, {account}.")
    mail = OutboxMessage.objects.get(is_letter=True)
    assert (mail.to, mail.title) == ("ann@rail.example", "[INC-1] Incident Alert: Sign-in is down")
    for words in ("Dear Ann,", "We are at it, Rail.", "Issue: Nobody can sign in.", "Severity: Critical",
                  "Acknowledged at: 23 Nov 2026, 10:00 (Europe/Berlin)",
                  "Next update: 23 Nov 2026, 11:05 (Europe/Berlin)"):  # fmt: skip
        assert words in mail.body
    assert row.deliveries.get().body == mail.body
    ((_letter, (told,)),) = letters.trail(leader, incident)
    assert (told.state, told.delivery.email) == ("waiting", "ann@rail.example")


def test_each_account_reads_its_own_name_and_zone_and_nobody_outside_is_written_to(leader, rail):
    road = customer("basic", pack="fmea", name="Road", zone="America/New_York")
    incident = opened([rail, road], leader)
    people = [person(rail, "ann@rail.example"), person(road, "ron@road.example")]
    send(incident, "incident-alert", leader, MONDAY, people)
    bodies = dict(IncidentDelivery.objects.values_list("email", "body"))
    assert "11:00 (Europe/Berlin)" in bodies["ann@rail.example"]
    assert "05:00 (America/New_York)" in bodies["ron@road.example"]
    stranger = person(customer("basic", pack="fmea"), "eve@else.example")
    with pytest.raises(RuleViolated, match="affected accounts"):
        send(incident, "incident-alert", leader, MONDAY, [stranger])
    actions.remove_accounts(incident, [road], actor=leader, at=after(minutes=1))
    with pytest.raises(RuleViolated, match="affected accounts"):
        send(incident, "incident-alert", leader, MONDAY, people)


def test_words_in_braces_are_filled_once_and_never_from_what_a_customer_wrote(leader):
    account = customer("basic", pack="fmea", name="{contact} {next_update} Ltd")
    incident = opened([account], leader)
    send(incident, "incident-alert", leader, MONDAY, [person(account, "ann@rail.example")], opening="To {account}")
    assert "To {contact} {next_update} Ltd" in IncidentDelivery.objects.get().body


def test_linked_tickets_are_answered_in_one_go_and_belong_to_one_incident(leader, rail):
    road = customer("basic", pack="fmea", name="Road")
    first, second = ticket(rail, MONDAY, severity="S1"), ticket(road, MONDAY, severity="S1")
    done = ticket(road, MONDAY, severity="S2")
    actions.resolve(done, actor=leader, at=MONDAY)
    incident = opened([], leader, tickets=[first, second, done])
    assert {row.account for row in incident.affected.present()} == {rail, road}
    with pytest.raises(RuleViolated, match="another incident"):
        actions.link_ticket(opened([], leader), first, actor=leader, at=MONDAY)
    worker = agent()
    waiting = list(Ticket.objects.filter(incident=incident))
    given = {"tickets": waiting, "status": "resolved", "actor": worker, "at": after(minutes=9)}
    answered = actions.answer_tickets(incident, "It works again.", **given)
    assert set(answered) == {first, second}
    for each in answered:
        each.refresh_from_db()
        assert (each.status, each.messages.last().body) == ("resolved", "It works again.")
        assert clock(each, "first_response").verdict == "met"
    assert clock(incident, "first_response").verdict == "met"
    with pytest.raises(RuleViolated, match="still waiting"):
        actions.answer_tickets(incident, "Again", **(given | {"tickets": list(Ticket.objects.all())}))
    actions.unlink_ticket(incident, first, actor=leader, at=after(minutes=10))
    first.refresh_from_db()
    assert first.incident is None
    assert list(first.events.filter(kind="incident").values_list("data__linked", flat=True)) == [True, False]


def test_accounts_come_and_go_with_a_trail_and_their_timelines_hear_of_it(leader, rail):
    road = customer("basic", pack="fmea", name="Road")
    incident = opened([rail], leader)
    assert actions.add_accounts(incident, [rail, road], actor=leader, at=after(minutes=1)) == [road]
    assert actions.add_accounts(incident, [rail, road], actor=leader, at=after(minutes=1)) == []
    assert actions.remove_accounts(incident, [road], actor=leader, at=after(minutes=2)) == [road]
    row = incident.affected.get(account=road)
    assert (row.added_by, row.removed_by, row.removed_at) == (leader, leader, after(minutes=2))
    titles = Activity.objects.filter(account=road).order_by("at", "pk").values_list("title", flat=True)
    assert list(titles) == [
        "Affected by an incident: INC-1 Sign-in is down", "No longer affected by an incident: INC-1 Sign-in is down",
    ]  # fmt: skip
    said = [words for _entry, words in timeline(leader, incident)]
    assert "Road added" in said
    assert "Road removed" in said
    # Who may not see an account does not read its name.
    stranger = UserFactory(role="csm")
    stranger.workspace_settings.csm_reads_all_accounts = False
    assert not any("Road" in words for _entry, words in timeline(stranger, incident))
    verbs = set(AuditEntry.objects.filter(action__startswith="incident.").values_list("action", flat=True))
    assert verbs == {"incident.open", "incident.accounts_added", "incident.accounts_removed"}


def test_the_measures_of_a_review_are_ctas_with_owners_and_days(leader, rail):
    road = customer("basic", pack="fmea", name="Road", owner=UserFactory(role="csm"))
    incident = resolved(opened([rail, road], leader), leader, after(hours=1))
    given = {"actor": leader, "at": after(hours=2)}
    with pytest.raises(RuleViolated, match="today or a day to come"):
        actions.add_action(incident, title="Watch it", owner=None, due_on=MONDAY.date() - timedelta(days=1),
                           accounts=[rail], **given)  # fmt: skip
    day = MONDAY.date() + timedelta(days=7)
    found = actions.add_action(
        incident, title="Watch certificates", owner=None, due_on=day, accounts=[rail, road], **given
    )
    assert {(each.account.name, each.owner, each.cta.owner, each.cta.due_on) for each in found} == {
        ("Rail", leader, leader, day), ("Road", road.owner, road.owner, day),
    }  # fmt: skip
    assert {each.cta.priority for each in found} == {"high"}
    close_cta(found[0].cta, outcome="resolved", actor=leader, at=after(hours=3))
    actions.drop_action(found[1], actor=leader, at=after(hours=3))
    assert Cta.objects.get(account=road).outcome == "no_action"
    assert incident.actions.get().cta.outcome == "resolved"
    nobodys = customer("basic", pack="fmea", name="Nobody's")
    with pytest.raises(RuleViolated, match="Say who does it"):
        actions.add_action(incident, title="Other", owner=None, due_on=day, accounts=[nobodys], **given)


@pytest.mark.requirement("FMEA-7.3")
def test_a_critical_incident_opens_the_work_its_trigger_asks_for_on_each_account_it_affects(leader, rail):
    road = customer("basic", pack="fmea", name="Road", owner=leader)
    other = customer("basic", pack="fmea", name="Other", owner=leader)
    ChangedAccount.objects.all().delete()
    incident = opened([rail, road], leader)
    assert set(ChangedAccount.objects.values_list("account_id", flat=True)) == {rail.pk, road.pk}
    for minutes in (1, 2):
        recompute(at=after(minutes=minutes))
        open_ctas(at=after(minutes=minutes))
    fired = TriggerFiring.objects.filter(version__trigger__key="critical-incident")
    assert set(fired.values_list("account", flat=True)) == {rail.pk, road.pk}
    assert not Cta.objects.filter(account=other).exists()
    asked = {"open_tickets:S1", "ticket_count:S1", "critical_incident", "open_tickets"}
    found = {name: column[rail.pk].value for name, column in provide([rail.pk], asked, MONDAY.date()).items()}
    assert found == {"open_tickets:S1": 1, "ticket_count:S1": 1, "critical_incident": 1, "open_tickets": 0}
    # A ticket that tells of it is not counted twice.
    actions.link_ticket(incident, ticket(rail, after(minutes=3), severity="S1"), actor=leader, at=after(minutes=3))
    assert provide([rail.pk], asked, MONDAY.date())["open_tickets:S1"][rail.pk].value == 1
    resolved(incident, leader, after(hours=1))
    assert provide([road.pk], asked, MONDAY.date())["open_tickets:S1"][road.pk].value == 0


def test_methodologies_that_say_nothing_of_incidents_get_the_products_own_stages_and_letters():
    install("mna")
    leader = UserFactory(role="vp_cs")
    account = customer("fortune-500", pack="mna")
    incident = opened([account], leader, "critical")
    assert incident.stages[0]["key"] == "detected"
    assert len(incident.letters) == 5
    assert clock(incident, "resolution").due_at == after(hours=4)
    assert clock(incident, "resolution").strict


def test_a_methodology_with_twenty_one_stages_is_walked_to_its_end():
    install("bis")
    leader = UserFactory(role="vp_cs")
    incident = opened([customer()], leader, "L4")
    assert len(incident.stages) == 21
    given = {"resolution": "Fixed", "confirmed": True, "actor": leader, "at": after(hours=1)}
    incident = actions.move_incident(incident, "process-improvement", **given)
    assert (incident.status, incident.entries.filter(kind="stage").count()) == ("resolved", 20)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"severity": None}, "how bad it is"),
        ({"impact": 9}, "Use one of"),
        ({"title": " "}, "Give a title"),
        ({"title": "x" * 201}, "At most 200"),
        ({"summary": "x" * 20_001}, "At most 20,000"),
        ({"detected_at": after(days=1)}, "detected now or was detected before"),
        ({"update_minutes": -5, "has_cadence": True}, "minutes"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_opened(leader, fields, why):
    given = {"title": "Down", "severity": Severity.objects.get(key="S1"), "impact": 1, "actor": leader, "at": MONDAY}
    with pytest.raises(RuleViolated, match=why):
        actions.open_incident(**(given | fields))
    assert not Incident.objects.exists()
