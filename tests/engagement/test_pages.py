"""The inbox, its settings and the outbox, through the door."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from engagement.actions import notify
from engagement.choices import Kind
from engagement.models import Notification, OutboxMessage
from engagement.queries import preferences_of
from tests.factories import AT, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def desk(client, admin):
    client.force_login(admin)
    return client


def text(response):
    return response.content.decode()


def tell(user, title="Halden fell", **changes):
    notify(
        [user], **{"kind": Kind.HEALTH_BAND, "title": title, "url": "/ctas/", "at": AT, "dedupe_key": title, **changes}
    )
    return Notification.objects.filter(user=user, title=title).first()


def test_people_see_their_own_notices_only(desk, admin):
    tell(admin, "Mine")
    tell(UserFactory(), "SECRET-CANARY")
    body = text(desk.get("/notifications/"))
    assert "Mine" in body
    assert "SECRET-CANARY" not in body


def test_notices_are_narrowed_by_kind_and_to_unread(desk, admin):
    tell(admin, "Band changed")
    tell(admin, "Rows are in", kind=Kind.IMPORT_DONE)
    Notification.objects.filter(title="Band changed").update(read_at=AT)
    assert "Band changed" not in text(desk.get("/notifications/?unread=1"))
    assert "Rows are in" not in text(desk.get("/notifications/?kind=health_band"))
    assert "No notice matches" in text(desk.get("/notifications/?kind=system"))


def test_a_customer_is_asked_only_about_what_can_reach_them(client):
    customer = UserFactory(role=Role.PORTAL_USER)
    client.force_login(customer)

    body = text(client.get("/notifications/preferences/"))

    assert [kind for kind, *_ in preferences_of(customer)] == [Kind.SYSTEM]
    assert "The workspace itself" in body
    assert not {kind.label for kind in Kind if kind != Kind.SYSTEM and kind.label in body}
    assert "Urgent" not in body
    assert "health" not in text(client.get("/notifications/"))


def test_opening_marks_read_and_goes_on_to_the_source(desk, admin):
    notice = tell(admin)
    response = desk.post(f"/notifications/{notice.pk}/read/", {"open": "1"})
    assert (response.status_code, response["Location"]) == (302, "/ctas/")
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_a_notice_never_leads_out_of_the_workspace(desk, admin):
    notice = tell(admin, url="//evil.example/")
    assert desk.post(f"/notifications/{notice.pk}/read/", {"open": "1"})["Location"] == "/notifications/"


def test_nobody_reads_anothers_notice(desk):
    notice = tell(UserFactory())
    assert desk.post(f"/notifications/{notice.pk}/read/").status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def test_mark_all_read(desk, admin):
    tell(admin, "a")
    tell(admin, "b")
    desk.post("/notifications/read/")
    assert Notification.objects.of(admin).unread().count() == 0


def test_settings_are_kept_kind_by_kind(desk, admin):
    desk.post("/notifications/preferences/", {"app-health_band": "on", "mail-import_done": "on"})
    chosen = {kind.value: (in_app, by_mail) for kind, in_app, by_mail in preferences_of(admin)}
    assert chosen["health_band"] == (True, False)
    assert chosen["import_done"] == (False, True)
    assert chosen["cta_opened"] == (False, False)
    assert 'name="mail-import_done" aria-label="An import finished: by mail" checked' in text(
        desk.get("/notifications/preferences/")
    )


def test_the_outbox_shows_attempts_and_errors_and_tries_again(desk, admin):
    tell(admin)
    OutboxMessage.objects.update(dead_at=AT, attempts=6, last_error="SMTPDataError: 451 busy")
    body = text(desk.get("/notifications/outbox/?state=dead"))
    assert "SMTPDataError: 451 busy" in body
    assert "Given up" in body
    message = OutboxMessage.objects.get()
    desk.post(f"/notifications/outbox/{message.pk}/retry/")
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("waiting", 0)
    assert desk.get("/notifications/outbox/?state=nonsense").status_code == 404


def test_the_outbox_is_for_administrators(client):
    client.force_login(UserFactory())
    assert client.get("/notifications/outbox/").status_code == 403


@pytest.mark.parametrize("url", ["/notifications/", "/notifications/outbox/"])
def test_lists_take_the_same_queries_for_one_and_three_rows(desk, admin, url):
    counts = []
    desk.get(url)  # the first visit also notes the session
    for rows in (1, 3):
        for number in range(rows):
            tell(admin, f"n{number}")
        with CaptureQueriesContext(connection) as queries:
            desk.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
