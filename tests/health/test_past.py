"""The score of a past day: the one that stood, and the one that what arrived since would have given."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.history import AsOf
from accounts.models import Account
from health.actions import clear_override, set_override
from health.book.account import state_on
from health.book.past import hindsight, overrides_until, score_as_of
from health.models import AccountHealth
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED

pytestmark = pytest.mark.django_db


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def day(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


@pytest.fixture
def vp(client):
    person = world.person("vera@acme.test", role="vp_cs", name="Vera")
    client.force_login(person)
    return person


@pytest.fixture
def acme(vp):
    world.card(at=ago(90))
    account = world.account(owner=vp)
    Account.objects.filter(pk=account.pk).update(created_at=ago(80))
    for days, values in ((60, FLEET_BEST), (20, FLEET_RED)):
        world.measure(account, values, at=ago(days))
        world.score(account, at=ago(days))
    return account


def test_the_score_that_stood_with_its_change_and_no_later_one(acme):
    assert score_as_of(acme, AsOf(day(70), as_known=True)) is None
    before, after = (score_as_of(acme, AsOf(day(days), as_known=False)) for days in (30, 10))
    assert (before.health.score, before.health.current_rag) == (100, "green")
    assert before.health.change_30d is None or before.health.change_30d == 0
    assert after.health.score < 70
    assert after.health.change_30d == after.health.score - 100
    assert after.change.words
    assert after.health.score == AccountHealth.objects.get().score


def test_an_override_counts_on_the_days_on_which_it_stood(acme, vp):
    band = score_as_of(acme, AsOf(day(10), as_known=False)).card.card.bands[0]
    until = timezone.now() + timedelta(days=20)
    set_override(acme, band=band.key, reason="They told us", expires_at=until, actor=vp, at=ago(15))
    clear_override(acme, actor=vp, at=ago(8))

    stood = score_as_of(acme, AsOf(day(10), as_known=True)).health
    assert (stood.override.band_name, stood.override.reason, str(stood.override.author)) == (
        band.name, "They told us", "Vera",
    )  # fmt: skip
    assert stood.current_rag == band.rag != stood.rag
    assert score_as_of(acme, AsOf(day(5), as_known=True)).health.override is None
    assert score_as_of(acme, AsOf(day(18), as_known=True)).health.override is None
    assert [each.ended_at for each in overrides_until(acme, AsOf(day(10), as_known=True))] == [None]
    assert overrides_until(acme, AsOf(day(18), as_known=True)) == []


def test_looking_back_counts_what_arrived_late_and_names_it(acme):
    stood = state_on(acme, day(10))
    level = hindsight(acme, stood, day(10))
    assert (level.score, level.change, level.late) == (stood.score, 0, [])

    world.measure(acme, {"login_pct": "90"}, on=day(12), at=ago(1), source="late")
    looked = hindsight(acme, stood, day(10))
    assert looked.score > stood.score
    assert looked.change == looked.score - stood.score
    assert [line.name for line in looked.late] == ["Login Frequency"]
    assert looked.late[0].then != looked.late[0].now
    assert score_as_of(acme, AsOf(day(10), as_known=False)).health.score == stood.score


def test_the_health_tab_offers_the_look_back_only_with_what_is_known_today(acme, client):
    page = client.get(f"/accounts/{acme.pk}/health/?as_of={day(10)}").content.decode()
    address = f"/accounts/{acme.pk}/health/hindsight/?as_of={day(10)}&known=now"
    assert address.replace("&", "&amp;") in page
    assert "Set the band by hand" not in page
    known = client.get(f"/accounts/{acme.pk}/health/?as_of={day(10)}&known=then").content.decode()
    assert "hindsight" not in known
    world.measure(acme, {"login_pct": "90"}, on=day(12), at=ago(1), source="late")
    full = client.get(address).content.decode()
    assert "Login Frequency" in full
    assert "Account sections" in full
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Login Frequency" in part
    assert "Account sections" not in part
    plain = client.get(f"/accounts/{acme.pk}/health/hindsight/")
    assert (plain.status_code, plain["Location"]) == (302, f"/accounts/{acme.pk}/health/")
    none = client.get(f"/accounts/{acme.pk}/health/hindsight/?as_of={day(70)}").content.decode()
    assert "nothing to compare with" in none


@pytest.mark.parametrize("path", ["", "health/", "health/hindsight/"])
def test_a_scored_past_page_takes_no_more_than_twelve_queries(acme, client, path):
    address = f"/accounts/{acme.pk}/{path}?as_of={day(10)}"
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    told = [each["sql"] for each in seen if not each["sql"].startswith("SET") and "tenants_" not in each["sql"]]
    assert len(told) <= 12, "\n".join(sql[:140] for sql in told)


class TestApi:
    def test_everything_of_the_day_in_one_answer(self, acme, client):
        answer = client.get(f"/api/v1/accounts/{acme.pk}/as-of/?on={day(30)}&known=then")
        assert answer.status_code == 200
        told = answer.json()
        assert (told["on"], told["known"], told["on_record"]) == (str(day(30)), "then", True)
        assert (told["account"]["name"], told["account"]["owner"]) == ("Acme Rail", "Vera")
        assert (told["health"]["score"], told["health"]["colour"]) == ("100", "green")
        assert {len(part["measures"]) > 0 for part in told["health"]["dimensions"]} == {True}
        assert told["not_kept"]
        early = client.get(f"/api/v1/accounts/{acme.pk}/as-of/?on={day(85)}&known=then").json()
        assert (early["on_record"], early["account"], early["health"]) == (False, {}, None)

    @pytest.mark.parametrize("query", ["", "?on=2999-01-01", "?on=0001-01-01", "?on=x", "?on=2026-01-01&known=maybe"])
    def test_a_day_that_is_none_is_refused(self, acme, client, query):
        answer = client.get(f"/api/v1/accounts/{acme.pk}/as-of/{query}")
        assert answer.status_code == 400
        assert "known" in answer.content.decode() or '"on"' in answer.content.decode()
