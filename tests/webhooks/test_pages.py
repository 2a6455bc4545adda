"""The administrator's pages."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from accounts.actions import create_account
from accounts.choices import Role
from tests.factories import UserFactory
from webhooks.actions import create_endpoint, pause_endpoint
from webhooks.collecting import collect
from webhooks.delivery import deliver_due
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db
LIST = "/settings/webhooks/"


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def text(response):
    return unescape(response.content.decode())


def happen(admin, count=1):
    for number in range(count):
        create_account(name=f"Account {number}", actor=admin, at=timezone.now())
    collect(at=timezone.now())


def test_an_empty_list_says_what_webhooks_are_for_and_leads_to_the_first(signed_in):
    page = text(signed_in.get(LIST))
    assert "No webhook yet" in page
    assert f'href="{LIST}new/"' in page


def test_the_secret_is_shown_once(signed_in, there):
    made = signed_in.post(f"{LIST}new/", {"url": there.url, "event_types": ["account.created"], "description": "CRM"})
    assert made.status_code == 201
    endpoint = Endpoint.objects.get()
    (secret,) = endpoint.secrets(timezone.now())
    assert secret in text(made)
    assert made["Cache-Control"].startswith("max-age=0")
    assert secret not in text(signed_in.get(f"{LIST}{endpoint.pk}/"))
    rotated = signed_in.post(f"{LIST}{endpoint.pk}/secret/")
    (new, old) = Endpoint.objects.get().secrets(timezone.now())
    assert (new in text(rotated), old in text(rotated), old == secret) == (True, False, True)
    assert "Two secrets sign until" in text(signed_in.get(f"{LIST}{endpoint.pk}/"))


@pytest.mark.parametrize(("given", "said"), [
    ({"url": "http://example.com/"}, "The address begins with https://."),
    ({"url": "https://127.0.0.1/"}, "This address is not on the internet."),
    ({"event_types": []}, "Choose at least one type of event."),
])  # fmt: skip
def test_what_is_refused_is_said_at_its_field_and_nothing_typed_is_lost(signed_in, given, said):
    values = {"url": "https://example.com/", "description": "The CRM", "event_types": ["cta.opened"], **given}
    response = signed_in.post(f"{LIST}new/", values)
    assert response.status_code == 422
    assert said in text(response)
    assert 'value="The CRM"' in text(response)
    assert not Endpoint.objects.exists()


def test_the_log_is_filtered_by_state_and_type_and_shows_each_attempt(signed_in, there, admin):
    endpoint, _secret = create_endpoint(
        url=there.url, event_types=["account.created", "cta.opened"], actor=admin, at=timezone.now()
    )
    there.answers = [lambda handler: handler.plain(500, b"out of <order>", X_Trace="abc"), 200]
    happen(admin, 2)
    deliver_due(now=timezone.now())
    page = f"{LIST}{endpoint.pk}/"
    assert text(signed_in.get(page)).count("/deliveries/") == 2
    delivered = text(signed_in.get(f"{page}?state=delivered&type=account.created"))
    assert delivered.count("/deliveries/") == 1
    assert "No deliveries here" in text(signed_in.get(f"{page}?type=cta.opened"))
    assert signed_in.get(f"{page}?state=nonsense&type=nonsense").status_code == 200
    failed = Delivery.objects.get(delivered_at=None)
    shown = signed_in.get(f"{page}deliveries/{failed.pk}/")
    assert "out of &lt;order&gt;" in shown.content.decode()
    assert "X-Trace" in text(shown)
    assert "webhook-signature" in text(shown)
    assert '"type": "account.created"' in text(shown)
    assert "every 2s" in text(shown)  # the next attempt comes in seconds
    Delivery.objects.update(not_before=timezone.now() + timedelta(hours=2))
    assert "every 2s" not in text(signed_in.get(f"{page}deliveries/{failed.pk}/"))


def test_a_test_without_an_event_says_so_at_its_field(signed_in, there, admin):
    endpoint, _secret = create_endpoint(url=there.url, event_types=["cta.opened"], actor=admin, at=timezone.now())
    response = signed_in.post(f"{LIST}{endpoint.pk}/test/", {"event_type": "cta.opened"})
    assert response.status_code == 422
    assert "has not happened yet" in text(response)
    create_account(name="Halden", actor=admin, at=timezone.now())
    sent = signed_in.post(f"{LIST}{endpoint.pk}/test/", {"event_type": "account.created"}, follow=True)
    assert sent.redirect_chain[0][0].endswith(f"/deliveries/{Delivery.objects.get(is_test=True).pk}/")


def test_a_paused_webhook_is_resumed_with_what_it_missed(signed_in, there, admin):
    endpoint, _secret = create_endpoint(url=there.url, event_types=["account.created"], actor=admin, at=timezone.now())
    pause_endpoint(endpoint, actor=admin, at=timezone.now())
    happen(admin)
    assert "Paused." in text(signed_in.get(f"{LIST}{endpoint.pk}/"))
    signed_in.post(f"{LIST}{endpoint.pk}/resume/", {"catch_up": "on"})
    collect(at=timezone.now())
    assert Delivery.objects.count() == 1


def test_failures_are_sent_again_from_the_page_and_one_by_one(signed_in, there, admin):
    endpoint, _secret = create_endpoint(url=there.url, event_types=["account.created"], actor=admin, at=timezone.now())
    happen(admin)
    Delivery.objects.update(failed_at=timezone.now())
    page = f"{LIST}{endpoint.pk}/"
    assert "1 sent again." in text(signed_in.post(f"{page}replay/", {"period": "7"}, follow=True))
    assert "Nothing was given up" in text(signed_in.post(f"{page}replay/", {"period": "7"}, follow=True))
    assert deliver_due(now=timezone.now())["delivered"] == 1
    again = signed_in.post(f"{page}deliveries/{Delivery.objects.get().pk}/replay/", follow=True)
    assert "It is sent again." in text(again)
    assert deliver_due(now=timezone.now())["delivered"] == 1


def test_a_webhook_is_changed_and_deleted(signed_in, there, admin):
    endpoint, _secret = create_endpoint(url=there.url, event_types=["account.created"], actor=admin, at=timezone.now())
    page = f"{LIST}{endpoint.pk}/"
    assert "checked" in text(signed_in.get(f"{page}edit/"))
    signed_in.post(f"{page}edit/", {"url": there.url, "description": "CRM", "event_types": ["cta.closed"]})
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.event_types) == ("CRM", ["cta.closed"])
    assert "CRM is deleted." in text(signed_in.post(f"{page}delete/", follow=True))
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_one_row_and_three(signed_in, there, admin, rows, django_assert_num_queries):
    for _number in range(rows):
        create_endpoint(url=there.url, event_types=["account.created"], actor=admin, at=timezone.now())
    happen(admin, rows)
    signed_in.get(LIST)
    with django_assert_num_queries(10):
        signed_in.get(LIST)
    with django_assert_num_queries(13):
        signed_in.get(f"{LIST}{Endpoint.objects.first().pk}/")


def test_only_administrators_find_them(client):
    client.force_login(UserFactory(role=Role.VP_CS))
    assert client.get(LIST).status_code == 403
    assert LIST not in text(client.get("/day/"))
