"""Scorecard administration through its pages: edit, preview, activate, schedule, roll back, compare, use."""

import copy
import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from health.actions import activate_due, change_draft, draft_version, recompute, schedule_version
from health.differences import fingerprint
from health.editing import fields_of
from health.models import AccountHealth, Scorecard, ScorecardVersion
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.world import FLEET_BEST

pytestmark = pytest.mark.django_db
BASE = "/health/scorecards/fleet-health/"


@pytest.fixture
def version(admin):
    return world.card()


def typed(definition, **changes):
    return {**fields_of(definition), "do": "save", "seen": fingerprint(definition), **changes}


def stricter():
    definition = copy.deepcopy(CARDS["fleet-health"])
    definition["bands"][0]["min"] = 95
    return definition


def draft(version, definition=None):
    return draft_version(version.scorecard, definition=definition or stricter(), actor=None, at=timezone.now())


def states():
    return list(ScorecardVersion.objects.order_by("number").values_list("number", "state"))


def test_the_editor_keeps_a_draft_that_begins_as_the_running_version(client, version):
    page = client.get(BASE + "edit/")
    answer = client.post(BASE + "edit/", typed(CARDS["fleet-health"], **{"/bands/0/min": "92.5", "note": "Stricter"}))

    made = ScorecardVersion.objects.get(number=2)
    assert page.status_code == 200
    assert (answer.status_code, answer.url) == (302, BASE + "preview/?version=2")
    assert (made.definition["bands"][0]["min"], made.note, made.state) == (92.5, "Stricter", "draft")
    assert made.definition["red_flags"] == version.definition["red_flags"]
    assert version.definition["bands"][0]["min"] == 90


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        ("/dimensions/0/weight", "41", "the weights add to 101 %; they must add to exactly 100 %"),
        ("/bands/1/min", "95", "each band must begin below the one before it"),
        ("/bands/2/min", "5", "the last band must begin at 0"),
        ("/bands/1/min", "high", "“From score” must be from 0 to 100"),
        ("/dimensions/0/measures/0/points", "ten", "“Points” must be a number"),
        ("/max_age_days", "soon", "“Stale after days” must be a whole number of days, 1 or more"),
        ("/min_coverage_pct", "120", "“Score from % measured” must be from 1 to 100"),
    ],
)
def test_a_broken_rule_is_named_at_its_field_and_nothing_is_lost(client, version, field, text, rule):
    page = client.post(BASE + "edit/", typed(CARDS["fleet-health"], **{field: text, "note": "Kept text"}))

    body = page.content.decode()
    assert page.status_code == 422
    assert rule in body
    assert f'value="{text}"' in body
    assert 'value="Kept text"' in body
    assert ScorecardVersion.objects.count() == 1


def test_rows_come_and_go_without_anything_being_kept(client, version):
    added = client.post(BASE + "edit/", typed(CARDS["fleet-health"], do="add /bands"))
    removed = client.post(BASE + "edit/", typed(CARDS["fleet-health"], do="remove /dimensions/0/measures/0"))

    assert len(added.context["editor"].bands) == 4
    assert 'id="f-bands-2-name" name="/bands/2/name" value="" maxlength="200" autocomplete="off" autofocus' in (
        added.content.decode()
    )
    assert len(removed.context["editor"].dimensions[0].rows) == 3
    assert ScorecardVersion.objects.count() == 1


def test_a_draft_is_changed_in_place_unless_somebody_else_did(client, version):
    made = draft(version)

    stale = client.post(BASE + "edit/?version=2", typed(made.definition, seen="0" * 16))
    good = client.post(BASE + "edit/?version=2", typed(made.definition, **{"/bands/0/min": "97"}))

    made.refresh_from_db()
    assert (stale.status_code, good.status_code) == (422, 302)
    assert "Somebody changed this draft" in stale.content.decode()
    assert made.definition["bands"][0]["min"] == 97
    assert states() == [(1, "active"), (2, "draft")]


def test_the_preview_lists_who_changes_band_and_downloads_as_csv(client, version):
    account = world.account("Good Rail")
    world.measure(account, {**FLEET_BEST, "mobile_pct": "10"}, at=timezone.now())
    recompute(at=timezone.now())
    draft(
        version,
        {
            **stricter(),
            "bands": [{**band, "min": 97} if at == 0 else band for at, band in enumerate(stricter()["bands"])],
        },
    )

    page = client.get(BASE + "preview/?version=2")
    sheet = client.get(BASE + "preview.csv?version=2&show=crossing").content.decode()

    assert "1 of 1 account would change band" in page.content.decode()
    assert "Good Rail" in sheet
    assert "Green,95.0,Yellow" in sheet


@pytest.mark.parametrize("count", [1, 3])
def test_the_preview_page_has_a_fixed_number_of_queries(client, version, count):
    for number in range(count):
        world.measure(world.account(f"A{number}"), FLEET_BEST, at=timezone.now())
    draft(version)
    client.get(BASE + "preview/?version=2")

    with CaptureQueriesContext(connection) as seen:
        client.get(BASE + "preview/?version=2&show=all")
    with CaptureQueriesContext(connection) as again:
        client.get(BASE + "preview/?version=2&show=all")

    assert (len(seen), len(again)) == (18, 11)


def test_the_preview_of_a_card_without_a_live_version_follows_what_is_measured(client, version):
    ScorecardVersion.objects.filter(pk=version.pk).update(state="retired")
    made = draft(version)
    account = world.account("Good Rail")
    url = f"{BASE}preview/?version={made.number}&show=all"
    client.get(url)
    world.measure(account, FLEET_BEST, at=timezone.now())
    recompute(at=timezone.now())
    assert [str(change.after.shown) for change in client.get(url).context["rows"]] == ["100.0"]


def test_the_preview_is_kept_until_the_draft_or_a_score_changes(client, version):
    account = world.account("Good Rail")
    world.measure(account, FLEET_BEST, at=timezone.now())
    recompute(at=timezone.now())
    made = draft(version)
    url = BASE + "preview/?version=2&show=all"

    def after():
        return [str(change.after.shown) for change in client.get(url).context["rows"]]

    def definition(least):
        bands = [{**band, "min": least} if at == 0 else band for at, band in enumerate(stricter()["bands"])]
        return {**stricter(), "bands": bands}

    first = after()
    world.measure(account, {**FLEET_BEST, "mobile_pct": "10"}, at=timezone.now())
    kept = after()
    recompute(at=timezone.now())
    scored = after()
    crossing = client.get(BASE + "preview/?version=2").context["crossing"]
    change_draft(made, definition=definition(97), note="", seen=made.definition, actor=None, at=timezone.now())

    assert (first, kept, scored, crossing) == (["100.0"], ["100.0"], ["95.0"], 0)
    assert client.get(BASE + "preview/?version=2").context["crossing"] == 1


def test_activation_scores_everybody_again_and_roll_back_brings_a_new_version(client, version):
    account = world.account()
    world.measure(account, {**FLEET_BEST, "mobile_pct": "10"}, at=timezone.now())
    draft(version, {**stricter()})

    client.post(BASE + "versions/2/", {"do": "activate"})
    from health.actions import recompute_changed

    recompute_changed(at=timezone.now())
    assert AccountHealth.objects.get(account=account).version.number == 2
    answer = client.post(BASE + "versions/1/", {"do": "roll-back"})

    assert answer.url == BASE + "?version=3"
    assert states() == [(1, "retired"), (2, "retired"), (3, "active")]
    assert ScorecardVersion.objects.get(number=3).definition == ScorecardVersion.objects.get(number=1).definition
    recompute_changed(at=timezone.now())
    assert AccountHealth.objects.get(account=account).version.number == 3


def test_a_live_version_never_changes_and_is_never_discarded(client, version):
    for verb in ("discard", "schedule", "roll-back", "activate"):
        client.post(BASE + "versions/1/", {"do": verb, "on": "2099-01-01"})

    assert states() == [(1, "active")]
    assert client.post(BASE + "versions/1/", {"do": "nonsense"}).status_code == 404


def test_a_draft_goes_live_on_its_day_and_not_before(client, version):
    made = draft(version)
    tomorrow = timezone.localdate() + timedelta(days=1)

    past = client.post(BASE + "versions/2/", {"do": "schedule", "on": timezone.localdate().isoformat()}, follow=True)
    client.post(BASE + "versions/2/", {"do": "schedule", "on": tomorrow.isoformat()})

    assert "Choose a day after today" in past.content.decode()
    assert ScorecardVersion.objects.get(number=2).scheduled_on == tomorrow
    assert activate_due(at=timezone.now()) == []
    assert [one.pk for one in activate_due(at=timezone.now() + timedelta(days=1))] == [made.pk]
    assert states() == [(1, "retired"), (2, "active")]
    assert ScorecardVersion.objects.get(number=2).scheduled_on is None


def test_one_draft_of_a_card_is_scheduled_at_a_time_and_can_be_taken_back(client, admin, version):
    first, second = draft(version), draft(version)
    later = timezone.localdate() + timedelta(days=3)
    for one in (first, second):
        schedule_version(one, on=later, actor=admin, at=timezone.now())

    assert list(ScorecardVersion.objects.exclude(scheduled_on=None)) == [second]
    client.post(BASE + "versions/3/", {"do": "unschedule"})
    assert not ScorecardVersion.objects.exclude(scheduled_on=None).exists()


def test_a_draft_is_discarded(client, version):
    draft(version)

    client.post(BASE + "versions/2/", {"do": "discard"})

    assert states() == [(1, "active")]


def test_two_versions_are_compared_field_by_field(client, version):
    draft(version)

    body = client.get(BASE + "compare/").content.decode()

    assert "1 difference<" in body
    assert "<del>90</del>" in body
    assert "<ins>95</ins>" in body


def test_a_segment_gets_its_scorecard_and_the_list_counts_who_uses_which(client, version):
    world.card("mna-health")
    world.account("A", segment="Carrier")
    world.account("B", segment="Fleet")
    world.account("C", scorecard_key="mna-health")

    page = client.get("/health/scorecards/mna-health/use/")
    answer = client.post("/health/scorecards/mna-health/use/", {"segments": ["Carrier"]})
    taken = client.post(BASE + "use/", {"segments": ["Carrier"], "is_default": "on"})

    assert "Carrier (1 account)" in page.content.decode()
    assert (answer.status_code, taken.status_code) == (302, 422)
    assert Scorecard.objects.get(key="mna-health").segments == ["Carrier"]
    cards = {card.key: card.usage for card in client.get("/health/scorecards/").context["cards"]}
    assert cards == {"fleet-health": (0, 0, 1), "mna-health": (1, 1, 0)}


def test_a_scorecard_of_ones_own_begins_as_a_copy(client, version):
    card = Scorecard.objects.get(key="fleet-health")

    answer = client.post("/health/scorecards/new/", {"name": "Our own", "key": "our-own", "copy": card.pk})
    twice = client.post("/health/scorecards/new/", {"name": "Our own", "key": "our-own", "copy": card.pk})

    made = ScorecardVersion.objects.get(scorecard__key="our-own")
    assert answer.url == "/health/scorecards/our-own/edit/?version=1"
    assert (made.definition["name"], made.state) == ("Our own", "draft")
    assert twice.status_code == 422


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_scorecards_has_a_fixed_number_of_queries(client, version, count):
    for number in range(count):
        world.account(f"A{number}")
    for key in list(CARDS)[:count]:
        world.card(key)
    client.get("/health/scorecards/")

    with CaptureQueriesContext(connection) as seen:
        client.get("/health/scorecards/")

    assert len(seen) == 11


def test_a_scorecard_leaves_as_a_file_and_begins_another_one_here_or_elsewhere(client, version):
    file = client.get(BASE + "draft/?version=1&download=1")
    assert file["Content-Disposition"] == 'attachment; filename="fleet-health-1.json"'

    def begun(content, **typed):
        upload = SimpleUploadedFile("card.json", content)
        form = {"name": "Ours", "key": "ours", "copy": version.scorecard.pk, "file": upload, **typed}
        return client.post("/health/scorecards/new/", form)

    changed = json.loads(file.content)
    changed["bands"][0]["min"] = 88
    assert begun(json.dumps(changed).encode()).status_code == 302
    made = ScorecardVersion.objects.get(scorecard__key="ours")
    assert made.definition == {**{k: v for k, v in changed.items() if k != "default"}, "key": "ours", "name": "Ours"}

    for content, words in ((b"{", "This is not valid JSON"), (b"[]", "is a JSON object"), (b"{}", "/dimensions")):
        refused = begun(content, key="broken")
        assert (refused.status_code, words in refused.content.decode()) == (422, True), words
    assert not Scorecard.objects.filter(key="broken").exists()
