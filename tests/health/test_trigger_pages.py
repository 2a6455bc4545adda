"""Trigger rules through their pages: write, check, draft, put in force, edit a methodology's, reset, limit."""

import re
from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from health.actions import (
    change_policy,
    create_segment,
    draft_trigger,
    install_trigger,
    open_ctas,
    recompute,
    record_event,
)
from health.actions.dry_runs import run as run_dry
from health.actions.triggers import forget_runs
from health.automation import editor
from health.models import DryRun, HealthEvent, Trigger, TriggerFiring, TriggerPolicy, TriggerRun
from health.validation import trigger_problems
from playbooks.models import Cta
from tests.health import world
from tests.health.definitions import TRIGGERS
from tests.health.world import FLEET_BEST, NOON
from usage.actions import define_metric

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEW = "/health/automation/triggers/new/"
COMPLAINTS = "/health/triggers/user-complaints/"


@pytest.fixture
def rail(admin):
    world.card()
    account = world.account(owner=world.person())
    world.measure(account, FLEET_BEST)
    return account


def typed(**changes):
    return {
        "name": "Gone quiet", "join": "any", "c-0-join": "all", "c-0-0-what": "absent:meeting", "c-0-0-days": "100",
        "actions": "Call them\nPlan a visit", "do": "save",
    } | changes  # fmt: skip


def fired():
    return [(row.account.name, row.version.trigger.key) for row in TriggerFiring.objects.order_by("id")]


def test_a_rule_written_in_the_editor_rests_as_a_draft_and_opens_ctas_once_in_force(client, rail):
    answer = client.post(NEW, typed())
    assert (answer.status_code, answer["Location"]) == (302, "/health/triggers/gone-quiet/")
    recompute(at=NOON)
    assert fired() == []
    page = client.get("/health/triggers/gone-quiet/").content.decode()
    assert "Fires when no meeting for 100 days." in page
    assert "Put in force" in page

    client.post("/health/triggers/gone-quiet/", {"do": "activate"})
    recompute(at=NOON)
    open_ctas(at=NOON)

    cta = Cta.objects.get()
    assert (cta.title, cta.account) == ("Gone quiet", rail)
    assert list(cta.tasks.values_list("title", flat=True)) == ["Call them", "Plan a visit"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "“Name, which is the CTA&#x27;s title” must be given"),
        ({"actions": " "}, "a trigger says in at least one step what to do"),
        ({"c-0-0-days": "soon"}, "“Days” must be a whole number from 1 to 3660"),
        ({"hold_days": "-1"}, "“Must hold for, days” must be a whole number from 0 to 3660"),
        ({"reentry_max": "2"}, "“At most, times” and “within, days” go together"),
        ({"due_days": "900"}, "“Due in, days” must be a whole number from 1 to 365"),
        ({"raises": "What Ever"}, "an event is named in lower case"),
        ({"c-0-0-what": "metric:health_score", "c-0-0-op": "<", "c-0-0-value": "low"}, "“Value” must be a number"),
        ({"c-0-0-what": "event:", "c-0-0-name": ""}, "“Event” must be given"),
        ({"priority": "enormous"}, "“Priority” must be one of high, medium, low"),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_stays(client, rail, changes, said):
    answer = client.post(NEW, typed(group="typed before", **changes))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert said[0].upper() + said[1:] in page
    assert 'value="typed before"' in page
    assert not Trigger.objects.exists()


def test_a_refusal_calls_every_field_as_the_form_does(client, rail):
    wrong = typed(hold_days="-1", reentry_max="-1", reentry_days="-1", due_days="900", cta_kind="x", playbook="x" * 99)
    page = client.post(NEW, wrong).content.decode()
    called = re.findall(r"<li>“(.*?)” must be", page)
    assert called == [
        "Must hold for, days", "within, days", "At most, times", "Kind", "Tasks", "Due in, days",
    ]  # fmt: skip
    assert [label for label in called if f">{label} <" not in page and f">{label}<" not in page] == []
    assert re.findall(r"[a-z]+_[a-z]+ (?:must|may|and|is)", page) == []


def test_buttons_add_and_remove_tests_and_groups_without_script(client, rail):
    more = client.post(NEW, typed(do="add c 0")).content.decode()
    assert 'name="c-0-1-what"' in more
    assert 'value="absent:meeting" selected' in more
    assert all(f">{silence}</option>" in more for silence in ("No meeting", "No CTA"))
    two = typed(**{"c-0-1-what": "metric:health_score", "c-0-1-op": "<", "c-0-1-value": "70"})
    fewer = client.post(NEW, two | {"do": "remove c 0 0"}).content.decode()
    assert 'value="absent:meeting" selected' not in fewer
    assert 'value="70"' in fewer
    assert 'name="c-1-0-what"' in client.post(NEW, typed(do="group c")).content.decode()
    assert 'name="r-0-0-what"' in client.post(NEW, typed(do="release")).content.decode()
    for idle in ("remove c 9 9", "", " ", "add", "remove c 0", "remove r 0 0", "dance"):
        answer = client.post(NEW, typed(do=idle))
        assert (answer.status_code, 'value="absent:meeting" selected' in answer.content.decode()) == (200, True)


def test_every_kind_of_condition_can_be_written(client, rail):
    segment = create_segment(
        name="Everybody", rule={"groups": [{"conditions": [{"field": "name", "op": "filled"}]}]}, actor=None, at=NOON
    )
    rows = {
        "join": "all",
        "c-0-join": "any",
        "c-0-0-what": "metric:health_band", "c-0-0-value": ["red", "green"],
        "c-0-1-what": "metric:nps", "c-0-1-op": "between", "c-0-1-value": "-10.5 to 20",
        "c-1-join": "any",
        "c-1-0-what": f"segment:{segment.pk}",
        "c-1-1-what": "event:", "c-1-1-name": "qbr_missed", "c-1-1-days": "14",
        "r-0-join": "all", "r-0-0-what": "metric:health_score", "r-0-0-op": ">", "r-0-0-value": "65",
        "hold_days": "3", "reentry_max": "2", "reentry_days": "30", "due_days": "4", "cta_kind": "risk",
        "priority": "high", "owner": "ada@acme.test", "duplicate_key": "quiet", "ignores_quiet_hours": "on",
    }  # fmt: skip
    define_metric("nps", name="NPS", at=NOON)

    client.post(NEW, {key: value for key, value in typed().items() if not key.startswith("c-")} | rows)

    draft = Trigger.objects.get().draft
    assert trigger_problems(draft) == []
    assert draft["condition"] == {
        "all": [
            {
                "any": [
                    {"metric": "health_band", "op": "in", "value": ["red", "green"]},
                    {"metric": "nps", "op": "between", "value": [-10.5, 20]},
                ]
            },
            {"any": [{"segment": str(segment.pk), "name": "Everybody"}, {"event": "qbr_missed", "window_days": 14}]},
        ]
    }
    assert draft["release"] == {"metric": "health_score", "op": ">", "value": 65}
    assert (draft["hold_days"], draft["reentry_max"], draft["reentry_days"], draft["due_days"]) == (3, 2, 30, 4)
    assert draft["ignores_quiet_hours"] is True


@pytest.mark.parametrize("key", sorted(TRIGGERS))
def test_a_methodologys_trigger_survives_the_editor_unchanged(key):
    definition = TRIGGERS[key]
    form = editor.from_definition(definition)
    assert editor.definition_of(form, definition, {}) == definition


def test_an_edit_of_a_methodologys_trigger_survives_its_upgrade_and_can_be_reset(client, rail):
    trigger = world.trigger("mna:user-complaints")
    page = client.get(COMPLAINTS + "edit/").content.decode()
    assert 'value="event:negative_feedback_trend" selected' in page
    sent = {"name": "User complaints", "actions": "Ours", "join": "any", "c-0-join": "any", "do": "save",
            "c-0-0-what": "metric:nps", "c-0-0-op": "<", "c-0-0-value": "30"}  # fmt: skip
    client.post(COMPLAINTS + "edit/", sent)
    client.post(COMPLAINTS, {"do": "activate"})
    newer = {**TRIGGERS["mna:user-complaints"], "actions": ["Newer of the pack"]}

    install_trigger(newer, pack="mna", version="2.0", at=NOON)
    assert trigger.versions.first().definition["actions"] == ["Ours"]
    client.post(COMPLAINTS, {"do": "reset"})

    assert (trigger.versions.first().definition, trigger.versions.first().origin) == (newer, "mna 2.0")
    assert [version.number for version in trigger.versions.all()] == [3, 2, 1]


def test_a_draft_is_discarded_and_one_that_never_ran_goes_with_it(client, rail):
    world.trigger("mna:user-complaints")
    client.post(COMPLAINTS + "edit/", typed(name="User complaints"))
    client.post(COMPLAINTS, {"do": "discard"})
    client.post(NEW, typed())
    gone = client.post("/health/triggers/gone-quiet/", {"do": "discard"})

    assert gone["Location"] == "/health/triggers/"
    assert [(row.key, row.draft) for row in Trigger.objects.all()] == [("user-complaints", None)]


def test_the_list_and_the_draft_show_what_the_checker_found(client, rail):
    world.trigger("mna:usage-decline")
    world.trigger("fmea:declining-usage")
    page = client.get("/health/triggers/").content.decode()
    assert "both open a CTA for accounts with usage change" in page

    client.post(NEW, typed(**{"c-0-0-what": "event:", "c-0-0-name": "full_moon", "c-0-0-days": ""}))
    assert "nothing raises the event “Full moon”" in client.get("/health/triggers/gone-quiet/").content.decode()


def test_the_list_takes_the_same_queries_for_one_trigger_and_for_three(client, rail):
    counts = []
    for keys in (["mna:usage-decline"], ["fmea:low-adoption", "mna:user-complaints"]):
        for key in keys:
            world.trigger(key)
        client.get("/health/triggers/")
        with CaptureQueriesContext(connection) as seen:
            client.get("/health/triggers/")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_segment_condition_fires_for_its_members_found_in_the_same_run(client, rail):
    small = world.account("Small", arr="1")
    rule = {"groups": [{"conditions": [{"field": "arr", "op": ">", "value": "100"}]}]}
    segment = create_segment(name="Large", rule=rule, actor=None, at=NOON - DAY)
    client.post(NEW, typed(**{"c-0-0-what": f"segment:{segment.pk}"}))
    client.post("/health/triggers/gone-quiet/", {"do": "activate"})
    recompute(at=NOON)
    assert fired() == []

    small.arr = 500
    small.save()
    recompute(at=NOON + DAY)

    assert fired() == [("Small", "gone-quiet")]
    assert TriggerFiring.objects.get().evidence["condition"] == "the account is in the segment Large"


def test_what_the_rule_says_of_the_cta_is_what_is_opened(client, rail):
    extra = {"cta_kind": "lifecycle", "priority": "low", "owner": "ada@acme.test", "due_days": "3", "raises": "nudged"}
    client.post(NEW, typed(**extra))
    client.post("/health/triggers/gone-quiet/", {"do": "activate"})
    recompute(at=NOON)
    open_ctas(at=NOON)

    cta = Cta.objects.get()
    assert (cta.kind, cta.priority, cta.owner.email) == ("lifecycle", "low", "ada@acme.test")
    assert (cta.due_on - NOON.date()).days == 3
    assert HealthEvent.objects.get(key="nudged").account == rail


def test_rules_that_share_a_duplicate_key_open_one_cta(client, rail):
    for name in ("Gone quiet", "Went silent"):
        client.post(NEW, typed(name=name, duplicate_key="quiet"))
    for key in ("gone-quiet", "went-silent"):
        client.post(f"/health/triggers/{key}/", {"do": "activate"})
    recompute(at=NOON)
    open_ctas(at=NOON)

    assert Cta.objects.count() == 1
    assert sorted(TriggerFiring.objects.values_list("outcome", flat=True)) == ["duplicate", "opened"]


def test_quiet_hours_put_a_cta_off_and_a_rule_may_ignore_them(client, rail):
    change_policy(quiet_from=time(10), quiet_until=time(14), actor=None, at=NOON)
    client.post(NEW, typed())
    client.post(NEW, typed(name="Urgent", ignores_quiet_hours="on"))
    for key in ("gone-quiet", "urgent"):
        client.post(f"/health/triggers/{key}/", {"do": "activate"})
    recompute(at=NOON)
    open_ctas(at=NOON)
    assert [cta.title for cta in Cta.objects.all()] == ["Urgent"]

    open_ctas(at=NOON.replace(hour=14))

    assert sorted(cta.title for cta in Cta.objects.all()) == ["Gone quiet", "Urgent"]
    assert TriggerRun.objects.latest("at").counts["gone-quiet"] == {"quiet": 1, "fired": 1}


def test_the_workspaces_cap_lets_the_most_pressing_through_and_is_counted(client, rail):
    change_policy(account_max=1, account_days=7, actor=None, at=NOON)
    client.post(NEW, typed(name="Low", priority="low"))
    client.post(NEW, typed(name="Pressing", priority="high"))
    for key in ("low", "pressing"):
        client.post(f"/health/triggers/{key}/", {"do": "activate"})
    recompute(at=NOON)
    recompute(at=NOON + DAY)

    assert fired() == [(rail.name, "pressing")]
    run = TriggerRun.objects.earliest("at")
    assert (run.accounts, run.is_full, run.fired, run.held) == (1, True, 1, 1)
    assert run.counts == {"pressing": {"fired": 1}, "low": {"full": 1}}
    assert TriggerFiring.objects.get().run == run


def test_the_limits_page_keeps_hours_and_caps_and_names_what_is_wrong(client, rail):
    url = "/health/automation/limits/"
    half = client.post(url, {"quiet_from": "20:00"})
    assert half.status_code == 422
    assert "Quiet hours have a beginning and an end." in half.content.decode()
    assert client.post(url, {"account_max": "0", "account_days": "3"}).status_code == 422
    assert client.post(url, {"account_max": "x"}).status_code == 422

    client.post(url, {"quiet_from": "20:00", "quiet_until": "07:00", "account_max": "2", "account_days": "7"})

    kept = TriggerPolicy.objects.get()
    assert (kept.quiet_from, kept.quiet_until, kept.account_max, kept.account_days) == (time(20), time(7), 2, 7)
    assert 'value="20:00"' in client.get(url).content.decode()


def test_a_recorded_event_counts_towards_silence(client, rail):
    client.post(NEW, typed(**{"c-0-0-what": "absent:", "c-0-0-name": "qbr"}))
    client.post("/health/triggers/gone-quiet/", {"do": "activate"})
    record_event(rail, "qbr", NOON - 99 * DAY, now=NOON)
    recompute(at=NOON)
    assert fired() == []
    recompute(at=NOON + DAY)
    assert fired() == [(rail.name, "gone-quiet")]


def test_the_dry_runs_page_reports_by_trigger_owner_and_day_and_as_csv(client, rail):
    recompute(at=NOON)
    client.post(NEW, typed(**{"c-0-0-what": "metric:health_score", "c-0-0-op": ">", "c-0-0-value": "10"}))
    page = client.post("/health/triggers/gone-quiet/", {"do": "dry-run"})["Location"]
    assert "0 of 90 days gone through" in client.get(page + "progress/").content.decode()
    run_dry(DryRun.objects.get().pk)

    said = client.get(page).content.decode()
    assert "1 CTA in 90 days" in said
    assert "The health score is over 10" in said
    assert re.search(r"Bars, one a day from [\w ]+ to [\w ]+; at most 1 on one day\.", said)
    assert said.count('href="?day=') == 1
    assert client.get(page + "progress/")["HX-Refresh"] == "true"
    assert "Nobody gets anything." in client.get(page + "?day=3").content.decode()
    lines = b"".join(client.get(page + "export.csv")).decode("utf-8-sig").splitlines()
    assert lines[1].split(",")[1:5] == ["Acme Rail", "Gone quiet", "Opens a CTA", str(rail.owner)]
    assert client.get(page + "?day=x&owner=nobody").status_code == 200
    assert client.post("/health/automation/dry-runs/", {"days": "5"}).status_code == 422


def test_the_run_log_says_who_was_looked_at_what_fired_and_what_was_held_back(client, rail):
    client.post(NEW, typed())
    client.post(NEW, typed(name="Later", hold_days="3"))
    for key in ("gone-quiet", "later"):
        client.post(f"/health/triggers/{key}/", {"do": "activate"})
    recompute(at=NOON)
    open_ctas(at=NOON)

    run = TriggerRun.objects.get()
    log, page = (client.get(f"/health/automation/runs/{part}").content.decode() for part in ("", f"{run.pk}/"))
    assert f'href="/health/automation/runs/{run.pk}/"' in log
    assert "1 account looked at, which is all of them; 2 triggers on; 1 fired, 1 held back." in page
    assert "has not held long enough: 1" in page
    assert f'href="/ctas/{Cta.objects.get().pk}/"' in page
    assert client.get("/health/automation/runs/?before=nonsense&all=1").status_code == 200


def test_a_run_that_fired_on_many_has_pages(client, rail, monkeypatch):
    monkeypatch.setattr("health.queries.automation.PAGE", 1)
    other = world.account("Other")
    client.post(NEW, typed())
    client.post("/health/triggers/gone-quiet/", {"do": "activate"})
    recompute(at=NOON)
    url = f"/health/automation/runs/{TriggerRun.objects.get().pk}/"

    pages = [client.get(url, {"page": number}) for number in (1, 2)]

    shown = [[firing.account.name for firing in page.context["page"]] for page in pages]
    assert sorted(shown) == [[rail.name], [other.name]]
    assert "1–1 of 2 firings" in pages[0].content.decode()


def test_runs_of_nothing_are_dropped_after_a_week_and_all_after_ninety_days(rail):
    for days, fired in ((6, 0), (8, 0), (8, 1), (91, 1)):
        TriggerRun.objects.create(at=NOON - days * DAY, accounts=1, is_full=True, triggers=1, fired=fired)
    forget_runs(at=NOON)
    assert [((NOON - run.at).days, run.fired) for run in TriggerRun.objects.all()] == [(6, 0), (8, 1)]


def test_somebody_elses_change_of_a_draft_is_not_overwritten(client, rail):
    client.post(NEW, typed())
    page = client.get("/health/triggers/gone-quiet/edit/").content.decode()
    seen = page.split('name="seen" value="')[1].split('"')[0]
    trigger = Trigger.objects.get(key="gone-quiet")
    theirs = {**trigger.draft, "actions": ["Theirs"]}
    draft_trigger(trigger, definition=theirs, actor=None, at=NOON)

    answer = client.post("/health/triggers/gone-quiet/edit/", {**typed(actions="Mine"), "seen": seen})

    assert answer.status_code == 422
    assert "Somebody changed this draft in the meantime" in answer.content.decode()
    assert "Mine" in answer.content.decode(), "what was typed is not lost"
    assert Trigger.objects.get(key="gone-quiet").draft["actions"] == ["Theirs"]


def test_the_editor_tells_the_rule_as_a_sentence_while_it_is_whole(client, rail):
    said = client.post(NEW, typed(do="update")).content.decode()
    assert "Fires when no meeting for 100 days." in said
    half = client.post(NEW, typed(do="update", **{"c-0-0-days": ""})).content.decode()
    assert 'id="sentence"' not in half
