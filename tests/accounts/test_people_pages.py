"""The pages about people, through the door."""

from __future__ import annotations

import csv
import io

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actions.invitations import invite_user
from accounts.actions.people import create_user_with_password
from accounts.choices import ADMIN_ROLES, PORTAL_ROLES, STAFF_ROLES, Role
from accounts.directory import CAPABILITY_NAMES, in_words
from accounts.models import Account, ApiToken, Invitation, User
from accounts.policy import CAPABILITIES
from config.celery import app

PASSWORD = "correct horse battery staple"


def person(name, role=Role.CSM, **fields):
    return create_user_with_password(
        f"{name}@acme.example",
        name=name.title(),
        role=role,
        password=PASSWORD,
        at=timezone.now(),
        actor=None,
        **fields,
    )


@pytest.fixture(autouse=True)
def worker_at_once():
    """Mail leaves when it is handed over."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def owner(db):
    return person("olga", Role.OWNER)


@pytest.fixture
def boss(owner, client):
    client.force_login(owner)
    return client


def text(response):
    return response.content.decode()


def test_the_list_shows_everybody_with_role_and_accounts(boss):
    csm = person("carl")
    Account.objects.create(name="Halden", owner=csm)
    body = text(boss.get("/people/"))
    assert "Carl" in body
    assert "carl@acme.example" in body
    assert 'class="n num c-p1">1<' in body


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=CARL", {"Carl"}),
        ("q=acme.example&role=trainer", {"Tina"}),
        ("state=deactivated", {"Gus"}),
        ("role=nonsense&state=nonsense&q=ina", {"Tina"}),
        ("q=%25", set()),
        ("q=nobody", set()),
    ],
)
def test_the_list_is_narrowed_by_the_query(boss, query, names):
    person("carl")
    person("tina", Role.TRAINER)
    User.objects.filter(pk=person("gus").pk).update(is_active=False, deactivated_at=timezone.now())
    shown = {user.name for user in boss.get(f"/people/?{query}").context["page"]} - {"Olga"}
    assert shown & {"Carl", "Tina", "Gus"} == names


def test_the_list_costs_the_same_for_one_and_for_many(boss):
    for _ in range(2):
        boss.get("/people/")

    def count():
        from django.core.cache import cache
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        cache.clear()  # what the side bar remembers for seconds
        with CaptureQueriesContext(connection) as queries:
            boss.get("/people/")
        # Which schema is selected is said again after a change of it, not per page.
        return sum(not query["sql"].startswith("SET search_path") for query in queries)

    few = count()
    for number in range(3):
        person(f"p{number}")
        invite_user(f"i{number}@acme.example", role=Role.CSM, actor=User.objects.get(name="Olga"), at=timezone.now())
    assert count() == few


def test_the_export_is_the_list_and_runs_nothing(boss):
    create_user_with_password(
        "evil@acme.example",
        name='=HYPERLINK("http://x")',
        role=Role.CSM,
        password=PASSWORD,
        at=timezone.now(),
        actor=None,
    )
    response = boss.get("/people/users.csv?q=evil")
    rows = list(csv.reader(io.StringIO(text(response).lstrip("\ufeff"))))
    assert response["Content-Disposition"] == 'attachment; filename="users.csv"'
    assert [row[:5] for row in rows] == [
        ["name", "email", "title", "role", "state"],
        ['\'=HYPERLINK("http://x")', "evil@acme.example", "", "Customer Success Manager", "active"],
    ]


def test_inviting_mails_a_link_that_lets_exactly_that_address_in(boss, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = boss.post("/people/invite/", {"email": "eva@acme.example", "role": "csm", "name": "Eva"})
    assert (response.status_code, response["Location"]) == (302, "/people/")
    (message,) = mail.outbox
    assert message.to == ["eva@acme.example"]
    path = next(line for line in message.body.splitlines() if "/invitation/" in line).split("/", 3)[3]
    guest = Client(headers={"host": "acme.localhost"})
    shown = guest.get(f"/{path}")
    assert (shown.status_code, shown["Referrer-Policy"], "eva@acme.example" in text(shown)) == (
        200,
        "no-referrer",
        True,
    )
    assert guest.post(f"/{path}", {"name": "Eva", "password": "short"}).status_code == 422
    joined = guest.post(f"/{path}", {"name": "Eva", "password": PASSWORD, "email": "mallory@x.example"})
    assert (joined.status_code, joined["Location"]) == (302, "/")
    assert guest.get("/people/profile/").status_code == 200
    assert User.objects.get(email="eva@acme.example").role == Role.CSM
    assert Client(headers={"host": "acme.localhost"}).get(f"/{path}").status_code == 410


def test_a_refused_invitation_says_so_at_the_field_and_keeps_the_input(boss):
    response = boss.post("/people/invite/", {"email": "olga@acme.example", "role": "csm", "name": "Again"})
    assert response.status_code == 422
    assert response.context["form"].errors == {"email": ["Somebody with this address is here already."]}
    assert 'value="Again"' in text(response)


def test_an_administrator_is_not_offered_the_owner_role(client, owner):
    client.force_login(person("adam", Role.ADMIN))
    assert "owner" not in dict(client.get("/people/invite/").context["form"].fields["role"].choices[0][1])
    assert client.post("/people/invite/", {"email": "x@acme.example", "role": "owner"}).status_code == 422
    assert client.post(f"/people/{owner.pk}/deactivate/").status_code == 422
    owner.refresh_from_db()
    assert owner.is_active


def test_an_invitation_is_sent_again_and_withdrawn(boss, owner):
    invitation, link = invite_user("eva@acme.example", role=Role.CSM, actor=owner, at=timezone.now())
    assert boss.post(f"/people/invitations/{invitation.pk}/resend/").status_code == 302
    assert boss.get("/" + link.split("/", 3)[3]).status_code == 404
    assert boss.post(f"/people/invitations/{invitation.pk}/revoke/").status_code == 302
    assert Invitation.objects.get().revoked_at is not None
    boss.get("/people/")  # reads the messages away
    assert "eva@acme.example" not in text(boss.get("/people/"))


def test_a_role_is_changed_on_the_users_page(boss):
    csm = person("carl")
    assert boss.post(f"/people/{csm.pk}/role/", {"role": "trainer"})["Location"] == f"/people/{csm.pk}/"
    csm.refresh_from_db()
    assert csm.role == Role.TRAINER
    assert boss.post(f"/people/{csm.pk}/role/", {"role": "portal_user"}).status_code == 422


def test_an_owner_of_accounts_is_deactivated_with_a_successor_only(boss):
    csm, heir = person("carl"), person("cleo")
    account = Account.objects.create(name="Halden", owner=csm)
    refused = boss.post(f"/people/{csm.pk}/deactivate/", {})
    assert (refused.status_code, "Say who takes over" in text(refused)) == (422, True)
    assert boss.post(f"/people/{csm.pk}/deactivate/", {"reassign_to": heir.pk}).status_code == 302
    account.refresh_from_db()
    csm.refresh_from_db()
    assert (account.owner, csm.is_active) == (heir, False)
    assert boss.post(f"/people/{csm.pk}/reactivate/").status_code == 302
    csm.refresh_from_db()
    assert csm.is_active


def test_a_token_is_shown_once(boss, owner):
    made = boss.post("/people/tokens/", {"name": "Sync", "user": owner.pk, "scopes": ["read"], "days": 30})
    raw = made.context["raw"]
    assert (made.status_code, raw in text(made)) == (201, True)
    assert "no-store" in made["Cache-Control"]
    again = text(boss.get("/people/tokens/"))
    assert (raw in again, raw[:12] in again) == (False, True)
    token = ApiToken.objects.get()
    boss.post(f"/people/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_profile_is_saved_and_times_follow_it(boss, owner):
    form = {"name": "Olga B", "title": "Founder", "timezone": "Asia/Tokyo", "theme": "dark"}
    assert boss.post("/people/profile/", form).status_code == 302
    owner.refresh_from_db()
    assert (owner.name, owner.timezone, owner.theme) == ("Olga B", "Asia/Tokyo", "dark")
    assert boss.post("/people/profile/", form | {"timezone": "Moon/Base"}).status_code == 422
    assert boss.post("/people/profile/", form | {"name": ""}).context["form"].errors == {
        "name": ["This field is required."]
    }


def test_the_roles_page_shows_the_whole_table(boss):
    body = text(boss.get("/people/roles/"))
    assert all(name in body for name in CAPABILITY_NAMES.values())
    assert set(CAPABILITY_NAMES) == set(CAPABILITIES)


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (frozenset(Role), "Everybody, customers too"),
        (STAFF_ROLES, "All colleagues"),
        (PORTAL_ROLES, "Customers in the portal"),
        (STAFF_ROLES - {Role.READ_ONLY}, "All colleagues but Read-only"),
        (STAFF_ROLES - {Role.SUPPORT_AGENT, Role.TRAINER}, "All colleagues but Support agent and Trainer"),
        (ADMIN_ROLES, "Owner, Administrator"),
    ],
)
def test_holders_of_a_capability_in_words(roles, words):
    assert in_words(roles) == words


def test_a_moved_role_counts_at_the_next_request(client, owner):
    admin = person("adam", Role.ADMIN)
    client.force_login(admin)
    assert client.get("/people/tokens/").status_code == 200
    User.objects.filter(pk=admin.pk).update(role=Role.CSM)
    assert client.get("/people/tokens/").status_code == 403


def test_pages_work_for_a_portal_user_too(client, owner):
    account = Account.objects.create(name="Halden")
    client.force_login(person("pia", Role.PORTAL_USER, portal_accounts=[account]))
    assert client.get("/people/profile/").status_code == 200
    assert client.get("/people/").status_code == 403
