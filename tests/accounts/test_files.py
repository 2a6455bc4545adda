"""Files of an account: checked on the way in, downloads on the way out, versions, undo, and who sees what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.files import add_file, add_version, delete_file, purge_files, restore_file, update_file
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import AccountFile, Activity, AuditEntry, FileVersion
from accounts.uploads import TEXT, Checked
from support import actions as desk
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 x"


@pytest.fixture
def vp(client):
    user = UserFactory(role=Role.VP_CS, name="Vera Paulsen")
    client.force_login(user)
    return user


@pytest.fixture
def account(vp):
    return AccountFactory(name="Halden Logistics", owner=vp)


def now():
    return timezone.now()


def kept(account, vp, name="plan.txt", content=b"One.", **fields):
    return add_file(account, Checked(name, TEXT, content), actor=vp, at=now(), **fields)


def upload(name="plan.pdf", content=PDF, kind="application/pdf"):
    return SimpleUploadedFile(name, content, content_type=kind)


def json_errors(answer):
    return [(error["pointer"].strip("/"), error["code"]) for error in answer.json()["errors"]]


class TestUpload:
    def test_a_file_is_kept_with_its_words_and_told_on_the_timeline(self, client, account, vp):
        answer = client.post(
            f"/accounts/{account.pk}/files/",
            {"files": upload(), "title": "", "description": "Sites", "tags": "Plan, rollout,plan"},
        )
        assert answer["Location"] == f"/accounts/{account.pk}/files/"
        document = AccountFile.objects.get()
        version = document.versions.get()
        assert (document.title, document.description, document.tags) == ("plan.pdf", "Sites", ["plan", "rollout"])
        assert (version.number, version.size, version.content_type, version.uploaded_by) == (
            1, len(PDF), "application/pdf", vp,
        )  # fmt: skip
        entry = Activity.objects.get(kind="file")
        assert (entry.title, entry.visibility, entry.data) == (
            "File added: plan.pdf", "internal", {"file": str(document.pk)},
        )  # fmt: skip
        timeline = client.get(f"/accounts/{account.pk}/timeline/").content.decode()
        assert f'href="/accounts/{account.pk}/files/"' in timeline
        assert AuditEntry.objects.filter(action="file.added", account_id=account.pk).count() == 1

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            (upload("page.html", b"<script>alert(1)</script>", "text/html"), "attach one of"),
            (upload("plan.svg", b"<svg/>", "image/svg+xml"), "attach one of"),
            (upload("plan.pdf", b"MZ not a pdf"), "is not what its name says"),
            (upload("plan.txt", b"\x00\x01"), "is not what its name says"),
            (upload("plan.pdf", b""), "empty"),
        ],
    )
    def test_what_may_not_be_kept_is_told_at_its_field_and_nothing_is(self, client, account, file, text):
        answer = client.post(f"/accounts/{account.pk}/files/", {"files": file, "title": "T"})
        assert answer.status_code == 422
        assert text in str(answer.context["form"].errors["files"])
        assert answer.context["form"]["title"].value() == "T"
        assert AccountFile.objects.count() == 0

    def test_too_large_and_too_many_tags(self, account, vp, client, monkeypatch):
        monkeypatch.setattr("accounts.uploads.MOST_BYTES", 5)
        answer = client.post(f"/accounts/{account.pk}/files/", {"files": upload()})
        assert "larger than" in str(answer.context["form"].errors["files"])
        monkeypatch.undo()
        tags = ",".join(f"t{number}" for number in range(11))
        answer = client.post(f"/accounts/{account.pk}/files/", {"files": upload(), "tags": tags})
        assert "At most 10 tags" in str(answer.context["form"].errors["tags"])


class TestDownload:
    def test_it_is_a_download_and_never_a_page(self, client, account, vp):
        document = kept(account, vp, content=b"<h1>hello</h1>", title="x")
        version = document.versions.get()
        answer = client.get(f"/accounts/files/versions/{version.pk}/")
        assert answer.content == b"<h1>hello</h1>"
        assert answer["Content-Disposition"] == 'attachment; filename="plan.txt"'
        assert answer["Content-Type"] == TEXT
        assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "private, no-store")

    def test_every_version_stays(self, client, account, vp):
        document = kept(account, vp)
        add_version(document, Checked("plan-b.txt", TEXT, b"Two."), actor=vp, at=now())
        page = client.get(f"/accounts/files/{document.pk}/").content.decode()
        for version in FileVersion.objects.all():
            assert f"/accounts/files/versions/{version.pk}/" in page
        contents = {client.get(f"/accounts/files/versions/{each.pk}/").content for each in FileVersion.objects.all()}
        assert contents == {b"One.", b"Two."}

    def test_the_same_content_is_no_new_version(self, client, account, vp):
        document = kept(account, vp)
        with pytest.raises(RuleViolated, match="version 1 holds already"):
            add_version(document, Checked("other.txt", TEXT, b"One."), actor=vp, at=now())
        answer = client.post(f"/accounts/files/{document.pk}/versions/", {"files": upload("a.txt", b"One.")})
        assert answer.status_code == 422
        assert document.versions.count() == 1


class TestChange:
    def test_words_and_sharing(self, client, account, vp):
        document = kept(account, vp)
        form = {"title": "Better", "description": "", "tags": "b", "shared": "on", "version": document.version}
        assert client.post(f"/accounts/files/{document.pk}/", form).status_code == 302
        document.refresh_from_db()
        assert (document.title, document.tags, document.visibility) == ("Better", ["b"], "shared")
        late = client.post(f"/accounts/files/{document.pk}/", {**form, "title": "Late"})
        assert late.status_code == 422
        assert "Somebody changed this" in late.content.decode()
        assert AccountFile.objects.get().title == "Better"

    def test_a_lost_race_is_told(self, account, vp):
        document = kept(account, vp)
        update_file(document, actor=vp, at=now(), title="First")
        with pytest.raises(StaleVersion):
            update_file(document, actor=vp, at=now(), title="Second", expected_version=1)

    def test_deleting_is_taken_back_from_the_message_or_later(self, client, account, vp):
        document = kept(account, vp, title="Plan A", tags="x", visibility="shared")
        before = AccountFile.objects.values("title", "tags", "visibility", "updated_at").get()
        page = client.post(f"/accounts/files/{document.pk}/delete/", follow=True).content.decode()
        assert f'action="/accounts/files/{document.pk}/restore/"' in page
        assert f'href="/accounts/files/{document.pk}/"' not in page
        deleted = client.get(f"/accounts/{account.pk}/files/?deleted=1").content.decode()
        assert "Plan A" in deleted
        with pytest.raises(RuleViolated, match="deleted"):
            update_file(document, actor=vp, at=now(), title="x")
        client.post(f"/accounts/files/{document.pk}/restore/")
        assert AccountFile.objects.values("title", "tags", "visibility", "updated_at").get() == before
        assert AccountFile.objects.get().deleted_at is None

    def test_thirty_days_after_deletion_a_file_is_gone_with_its_content(
        self, client, account, vp, django_capture_on_commit_callbacks
    ):
        gone, kept_on, other = (kept(account, vp, title=title, content=title.encode()) for title in ("A", "B", "C"))
        add_version(gone, Checked("b.txt", TEXT, b"Two."), actor=vp, at=now())
        contents = {version.file.name: version for version in FileVersion.objects.all()}
        storage = FileVersion.objects.first().file.storage
        at = now()
        delete_file(gone, actor=vp, at=at - timedelta(days=30))
        delete_file(kept_on, actor=vp, at=at - timedelta(days=29, hours=23))
        assert "for good on" in client.get(f"/accounts/{account.pk}/files/?deleted=1").content.decode()
        with django_capture_on_commit_callbacks(execute=True):
            assert [purge_files(at=at), purge_files(at=at)] == [1, 0]
        assert set(AccountFile.objects.values_list("title", flat=True)) == {"B", "C"}
        there = {name for name in contents if storage.exists(name)}
        assert there == {name for name, version in contents.items() if version.document_id != gone.pk}
        entry = AuditEntry.objects.get(action="file.purged")
        assert (entry.before["title"], len(entry.before["sha256"]), entry.actor) == ("A", 2, None)
        assert client.get(f"/accounts/files/{gone.pk}/").status_code == 404
        assert client.get(f"/accounts/{account.pk}/timeline/").status_code == 200
        assert other.versions.count() == 1

    def test_a_reader_downloads_and_changes_nothing(self, client, account, vp):
        document = kept(account, vp)
        client.force_login(UserFactory(role=Role.READ_ONLY))
        page = client.get(f"/accounts/{account.pk}/files/").content.decode()
        assert "plan.txt" in page
        assert "Add a file" not in page
        for path in ("delete/", "restore/", "versions/", ""):
            assert client.post(f"/accounts/files/{document.pk}/{path}", {"title": "x"}).status_code == 403


class TestList:
    def test_filters_and_the_csv_agree(self, client, account, vp):
        kept(account, vp, title="=Plan", tags="plan")
        kept(account, vp, title="Contract", tags="legal", visibility="shared")
        gone = kept(account, vp, title="Gone")
        delete_file(gone, actor=vp, at=now())
        for query, titles in (
            ("", ["Contract", "=Plan"]), ("?tag=PLAN", ["=Plan"]), ("?q=contr", ["Contract"]),
            ("?shared=1", ["Contract"]), ("?deleted=1", ["Gone"]), ("?q=zzz", []),
        ):  # fmt: skip
            page = client.get(f"/accounts/{account.pk}/files/{query}")
            assert [file.title for file in page.context["files"]] == titles, query
            rows = client.get(f"/accounts/{account.pk}/files/export.csv{query}").content.decode().splitlines()
            assert len(rows) == len(titles) + 1
        assert "'=Plan" in client.get(f"/accounts/{account.pk}/files/export.csv").content.decode()

    def test_files_of_tickets_stand_beside_with_their_ticket(self, client, account, vp):
        ticket = desk.open_ticket(account, subject="Help", body="x", channel="email", actor=vp, at=now())
        desk.attach(ticket.messages.first(), [Checked("log.txt", TEXT, b"log")], at=now())
        page = client.get(f"/accounts/{account.pk}/files/").content.decode()
        assert "log.txt" in page
        assert f'href="/tickets/{ticket.pk}/"' in page

    def test_the_same_few_queries_for_one_and_three(self, client, account, vp):
        counts = {}
        for rows in (1, 3):
            while AccountFile.objects.count() < rows:
                document = kept(account, vp)
                add_version(document, Checked("b.txt", TEXT, b"Two."), actor=vp, at=now())
            for address in (f"/accounts/{account.pk}/files/", f"/accounts/files/{document.pk}/"):
                client.get(address)
                with CaptureQueriesContext(connection) as seen:
                    client.get(address)
                told = [q for q in seen if not q["sql"].startswith("SET") and "tenants_" not in q["sql"]]
                counts.setdefault(address.count("-") and address.split("/")[-2] == "files", []).append(len(told))
        assert all(first == second <= 12 for first, second in counts.values()), counts


class TestPortal:
    def test_the_customer_sees_what_is_shared_in_its_current_version_only(self, client, account, vp):
        shared = kept(account, vp, title="Shared plan", visibility="shared")
        first = shared.versions.get()
        current = add_version(shared, Checked("b.txt", TEXT, b"Two."), actor=vp, at=now())
        hidden = kept(account, vp, title="Hidden plan").versions.get()
        other = kept(AccountFactory(), vp, title="Other plan", visibility="shared").versions.get()
        person = UserFactory(role=Role.PORTAL_USER)
        account.portal_users.add(person)
        client.force_login(person)
        page = client.get("/portal/files/").content.decode()
        assert "Shared plan" in page
        assert "Hidden plan" not in page
        assert "Other plan" not in page
        assert client.get(f"/portal/files/{current.pk}/").content == b"Two."
        for version in (first, hidden, other):
            assert client.get(f"/portal/files/{version.pk}/").status_code == 404
        delete_file(shared, actor=vp, at=now())
        assert client.get(f"/portal/files/{current.pk}/").status_code == 404
        restore_file(shared, actor=vp, at=now())
        assert client.get(f"/portal/files/{current.pk}/").status_code == 200

    def test_what_was_told_of_a_file_is_hidden_with_it(self, account, vp):
        person = UserFactory(role=Role.PORTAL_USER)
        account.portal_users.add(person)
        document = kept(account, vp, title="Shared plan", visibility="shared")
        Activity.objects.create(account=account, kind="note", title="Note", at=now(), visibility="shared")

        def seen(user):
            return sorted(Activity.objects.visible_to(user).values_list("title", flat=True))

        assert seen(person) == ["File added: Shared plan", "Note"]
        update_file(document, actor=vp, at=now(), visibility="internal")
        assert seen(person) == ["Note"]
        update_file(document, actor=vp, at=now(), visibility="shared")
        delete_file(document, actor=vp, at=now())
        assert seen(person) == ["Note"]
        restore_file(document, actor=vp, at=now())
        assert seen(person) == seen(vp) == ["File added: Shared plan", "Note"]


class TestApi:
    def test_the_life_of_a_file(self, client, account):
        made = client.post("/api/v1/files/", {"file": upload(), "account": str(account.pk), "tags": "a,b"})
        assert made.status_code == 201, made.content
        told = made.json()
        assert (told["title"], told["tags"], told["visibility"]) == ("plan.pdf", ["a", "b"], "internal")
        address = f"/api/v1/files/{told['id']}/"
        more = client.post(f"{address}versions/", {"file": upload(content=PDF + b"2")})
        assert [version["number"] for version in more.json()["versions"]] == [2, 1]
        assert client.get(f"{address}content/").content == PDF + b"2"
        changed = client.patch(address, {"title": "Plan"}, content_type="application/json", headers={"If-Match": '"1"'})
        assert changed.status_code == 412
        changed = client.patch(address, {"title": "Plan"}, content_type="application/json")
        assert changed.json()["title"] == "Plan"
        assert client.delete(address).status_code == 204
        assert client.get(f"/api/v1/files/?account={account.pk}").json()["results"] == []
        assert len(client.get(f"/api/v1/files/?account={account.pk}&deleted=true").json()["results"]) == 1
        back = client.patch(address, {"deleted": False}, content_type="application/json")
        assert back.json()["deleted_at"] is None

    def test_a_bad_file_is_refused_with_its_field_and_rule(self, client, account):
        answer = client.post("/api/v1/files/", {"file": upload("a.html", b"<b>"), "account": str(account.pk)})
        assert answer.status_code == 422
        assert "file_type" in answer.content.decode()
        assert json_errors(answer) == [("file", "file_type")]
        missing = client.post("/api/v1/files/", {"account": str(account.pk)})
        assert missing.status_code == 422

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("title", "x" * 201, "too_long"),
            ("title", "a\x00b", "control_characters"),
            ("description", "a\x00b", "control_characters"),
            ("tags", "a\x00b", "control_characters"),
            ("visibility", "everybody", "choice"),
        ],
    )
    def test_bad_words_are_refused_with_their_field_and_rule(self, client, account, name, value, rule):
        answer = client.post("/api/v1/files/", {"file": upload(), "account": str(account.pk), name: value})
        assert answer.status_code == 422
        assert json_errors(answer) == [(name, rule)]
        assert AccountFile.objects.count() == 0

    def test_words_and_deletion_in_one_call_keep_to_the_version(self, client, account, vp):
        document = kept(account, vp, title="Plan")
        address = f"/api/v1/files/{document.pk}/"

        def patch(version, **body):
            headers = {"If-Match": f'"{version}"'}
            return client.patch(address, body, content_type="application/json", headers=headers)

        gone = patch(1, title="Old plan", deleted=True)
        assert (gone.status_code, gone.json()["title"], gone.json()["version"]) == (200, "Old plan", 3)
        assert gone.json()["deleted_at"] is not None
        assert patch(2, deleted=False).status_code == 412
        back = patch(3, title="Plan", deleted=False)
        assert (back.status_code, back.json()["title"], back.json()["deleted_at"]) == (200, "Plan", None)
