"""The workspace's settings, its accent and its logo."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.models import AuditEntry, Workspace
from documents.rendering import pdf_of

FORM = {"name": "Acme", "timezone": "Europe/Berlin", "currency": "EUR", "csm_reads_all_accounts": "on"}


def picture(size=(64, 64), kind="PNG", **more):
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **more)
    return out.getvalue()


@pytest.fixture
def page(client, db):
    owner = create_user_with_password(
        "olga@acme.example", name="Olga", role=Role.OWNER, password="x" * 12, at=timezone.now(), actor=None
    )
    client.force_login(owner)

    def send(raw=None, **changes):
        file = {} if raw is None else {"logo": SimpleUploadedFile("l.png", raw)}
        return client.post("/settings/", {**FORM, **changes, **file})

    send.client = client
    return send


def errors(response):
    return dict(response.context["form"].errors)


def test_what_is_saved_holds_and_is_audited_with_what_changed(page):
    assert page(accent="#ffd400")["Location"] == "/settings/"
    kept = Workspace.objects.get()
    assert [kept.timezone, kept.currency, kept.accent, kept.look] == ["Europe/Berlin", "EUR", "#FFD400", 2]
    entry = AuditEntry.objects.get(action="workspace.changed")
    assert entry.before == {"timezone": "UTC", "currency": "USD", "accent": ""}
    assert entry.after == {"timezone": "Europe/Berlin", "currency": "EUR", "accent": "#FFD400"}


def test_saving_what_is_there_already_writes_nothing(page):
    page()
    page()
    assert (AuditEntry.objects.filter(action="workspace.changed").count(), Workspace.objects.get().look) == (1, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("timezone", "Europe/Nowhere"),
        ("currency", "eur"),
        ("currency", "€€€"),
        ("accent", "red"),
        ("accent", "#12345"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_kept(page, field, value):
    response = page(**{field: value})
    assert (response.status_code, list(errors(response))) == (422, [field])
    assert Workspace.objects.get().timezone == "UTC"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"<svg onload=alert(1)>", "This is not a PNG, JPEG or WebP picture."),
        (picture(kind="GIF"), "This is not a PNG, JPEG or WebP picture."),
        (picture()[:60], "This is not a PNG, JPEG or WebP picture."),
        (picture((31, 64)), "Each side must have 32 to 4000 pixels."),
        (picture((4001, 32)), "Each side must have 32 to 4000 pixels."),
        (picture() + b"\0" * 1024 * 1024, "A picture may have 1 MB at most."),
    ],
)
def test_what_is_no_logo_is_refused_and_the_other_fields_with_it(page, raw, said):
    response = page(raw)
    assert (response.status_code, errors(response)) == (422, {"logo": [said]})
    assert (Workspace.objects.get().logo.name, Workspace.objects.get().timezone) == ("", "UTC")


def test_a_torn_picture_stays_refused_once_the_process_has_written_a_pdf(page):
    pdf_of("<p>Board pack</p>")
    assert errors(page(picture()[:60])) == {"logo": ["This is not a PNG, JPEG or WebP picture."]}


@pytest.mark.parametrize(("size", "kept"), [((32, 32), (32, 32)), ((4000, 2000), (256, 128))])
def test_a_logo_is_drawn_anew_without_what_hid_in_it(page, size, kept):
    page(picture(size, "JPEG", comment=b"canary"))
    answer = page.client.get("/brand/2/logo.png")
    raw = answer.content
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("image/png", "public, max-age=31536000, immutable")
    assert b"canary" not in raw
    assert Image.open(BytesIO(raw)).size == kept


def test_a_new_logo_replaces_the_file_and_taking_it_away_deletes_it(page, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page(picture())
        first = Workspace.objects.get().logo.name
        page(picture((40, 40)))
    second = Workspace.objects.get().logo.name
    assert (default_storage.exists(first), default_storage.exists(second)) == (False, True)
    with django_capture_on_commit_callbacks(execute=True):
        page(remove_logo="on")
    assert (default_storage.exists(second), Workspace.objects.get().logo.name) == (False, "")


def test_the_look_reaches_whoever_is_not_signed_in_under_its_own_address_only(page):
    page(picture(), accent="#008060")
    look = Workspace.objects.get().look
    page.client.logout()
    body = page.client.get("/auth/login/").content.decode()
    assert f'href="/brand/{look}/accent.css"' in body
    assert f'src="/brand/{look}/logo.png"' in body
    assert b"--accent: light-dark(#008060" in page.client.get(f"/brand/{look}/accent.css").content
    for gone in (f"/brand/{look - 1}/accent.css", f"/brand/{look - 1}/logo.png", f"/brand/{look + 1}/accent.css"):
        assert page.client.get(gone).status_code == 404


def test_without_a_look_of_its_own_nothing_is_loaded(page):
    assert "/brand/" not in page.client.get("/settings/").content.decode()
    assert [page.client.get(f"/brand/1/{name}").status_code for name in ("accent.css", "logo.png")] == [404, 404]


def test_the_database_keeps_an_accent_a_colour(page):
    with pytest.raises(IntegrityError), transaction.atomic():
        Workspace.objects.update(accent="red;}")
