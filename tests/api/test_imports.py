from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account
from imports.models import ImportJob
from imports.running import work

pytestmark = pytest.mark.django_db(transaction=True)
CSV = b"external_id,name,country\n1,One,DE\n2,Two,Nowhere\n"


@pytest.fixture
def send(api):
    def post(raw=CSV, key="", **form):
        headers = {"authorization": f"Bearer {api.token}"} | ({"idempotency-key": key} if key else {})
        body = {"target": "accounts", "source": "crm", "file": SimpleUploadedFile("a.csv", raw), **form}
        return api.client.post("/api/v1/imports/", {k: v for k, v in body.items() if v is not None}, headers=headers)

    return post


def test_a_file_is_stored_answered_and_brought_in(api, send):
    answer = send()
    assert (answer.status_code, answer.json()["state"], answer.json()["rows"]) == (202, "running", 2)
    pk = answer.json()["id"]
    work(ImportJob.objects.get().pk)
    job = api.get(f"imports/{pk}/").json()
    assert [job[name] for name in ("state", "created", "updated", "duplicates", "rejected")] == ["done", 1, 0, 0, 1]
    errors = api.get(f"imports/{pk}/errors.csv")
    assert b"Nowhere" in errors.content
    assert Account.objects.get().name == "One"
    assert [row["id"] for row in api.get("imports/?state=done").json()["results"]] == [pk]


def test_the_same_key_takes_the_file_once(send):
    first, again = send(key="k"), send(key="k")
    assert again.content == first.content
    assert ImportJob.objects.count() == 1
    assert send(raw=CSV + b"3,Three,DE\n", key="k").status_code == 422


def test_a_check_writes_nothing_until_it_is_started(api, send):
    pk = send(mode="check").json()["id"]
    work(ImportJob.objects.get().pk)
    assert (api.get(f"imports/{pk}/").json()["state"], Account.objects.count()) == ("checked", 0)
    assert api.post(f"imports/{pk}/start/", {}).status_code == 202
    work(ImportJob.objects.get().pk)
    assert Account.objects.count() == 1
    assert api.post(f"imports/{pk}/cancel/", {}).status_code == 422


@pytest.mark.parametrize(
    ("form", "status", "pointer"),
    [
        ({"target": "passwords"}, 422, "/target"),
        ({"source": "Not A Source"}, 422, "/source"),
        ({"raw": b'a,b\n1,"open\n'}, 422, "/file"),
        ({"raw": b""}, 422, "/file"),
        ({"file": None}, 422, "/file"),
        ({"mapping": "{"}, 400, ""),
        ({"mapping": '{"name": {"column": "nope"}}'}, 422, "/mapping"),
        ({"mapping": "[" * 5000}, 400, ""),
        ({"mode": "destroy"}, 422, "/mode"),
        ({"date_order": "zzz"}, 422, "/date_order"),
        ({"raw": b"x" * (21 * 1024 * 1024)}, 413, None),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(send, settings, form, status, pointer):
    response = send(**form)
    assert response.status_code == status
    if pointer is not None:
        assert response.json()["errors"][0]["pointer"] == pointer
    assert not ImportJob.objects.exists()
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.csv"))


def test_json_is_not_a_file(api):
    assert api.post("imports/", {}).status_code == 415
