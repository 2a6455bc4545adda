from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, Contact
from imports import running
from imports.actions import (
    cancel_import,
    choose_columns,
    forget_files,
    start_check,
    start_import,
    start_undo,
    take_file,
)
from imports.models import ImportJob, SavedMapping
from imports.running import work
from imports.targets import TARGETS
from tenants.quotas import set_limits
from tests.factories import UserFactory
from tests.imports.conftest import counts
from tests.racing import elsewhere

ACCOUNTS = "external_id,name,industry\n1,One,Food\n2,Two,\n3,,Food\n"


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(type(TARGETS["accounts"]), "batch", 2, raising=False)


def take(raw, leader, target="accounts"):
    return take_file(
        raw.encode(), name="../../etc/a<b>.csv", target=target, source="crm", actor=leader, at=timezone.now()
    )


@pytest.mark.django_db
class TestJobs:
    def test_a_check_says_what_would_happen_and_writes_nothing(self, bring_in):
        job = bring_in(ACCOUNTS, "accounts", check=True)
        assert counts(job) == ("checked", 3, 2, 0, 0, 1)
        assert not Account.objects.exists()
        assert [(row.line, row.cells) for row in job.rejections.all()] == [(4, ["3", "", "Food"])]

    def test_a_changed_row_updates(self, bring_in):
        bring_in(ACCOUNTS, "accounts")
        assert counts(bring_in(ACCOUNTS.replace("One,Food", "One,Tools"), "accounts")) == ("done", 3, 0, 1, 1, 1)

    def test_a_row_of_another_width_is_rejected_with_the_reason(self, bring_in):
        job = bring_in("external_id,name\n1,One,extra\n2\n3,Three\n", "accounts")
        assert counts(job) == ("done", 3, 1, 0, 0, 2)
        assert [row.errors[0]["message"] for row in job.rejections.all()] == [
            "3 cells under 2 headings.",
            "1 cells under 2 headings.",
        ]

    def test_contacts_find_their_account_by_its_id_in_the_source(self, bring_in):
        bring_in(ACCOUNTS, "accounts")
        text = "id,account_id,name,email,role\nc1,1,Ada,ada@x.example,champion\nc2,1,Bob,ada@x.example,\nc3,9,Cy,,\n"
        job = bring_in(text, "contacts")
        assert counts(job) == ("done", 3, 1, 0, 0, 2)
        assert [row.errors[0]["rule"] for row in job.rejections.all()] == ["contact.email_taken", "unknown"]
        assert Contact.objects.get().stakeholder_role == "champion"

    def test_metrics_come_long_or_wide(self, bring_in):
        bring_in(ACCOUNTS, "accounts")
        long = "account,metric,date,value\n1,tickets_opened,2026-11-01,4\n1,unheard_of,2026-11-01,4\n"
        long += "1,tickets_opened,2026-11-02,x\n"
        assert counts(bring_in(long, "metrics")) == ("done", 3, 1, 0, 0, 2)
        assert counts(bring_in(long, "metrics")) == ("done", 3, 0, 0, 1, 2)
        rules = {
            "account": {"column": "account"},
            "on": {"column": "date"},
            "metrics.tickets_opened": {"column": "opened"},
            "metrics.tickets_s1": {"column": "s1"},
        }
        wide = "account,date,opened,s1\n1,2026-11-03,2,1\n1,2026-11-04,,2\n1,2026-11-05,x,2\n"
        job = bring_in(wide, "metrics", rules=rules)
        assert counts(job) == ("done", 3, 2, 0, 0, 1)
        assert [(row.line, row.errors[0]["rule"]) for row in job.rejections.all()] == [(4, "not_a_number")]

    def test_events_above_the_days_limit_are_rows_to_bring_again(self, bring_in, tenants):
        bring_in(ACCOUNTS, "accounts")
        set_limits(tenants["acme"], events_per_day=1)
        text = "id,account,event,at\na,1,login,2026-11-01T09:00:00Z\nb,1,login,2026-11-01T10:00:00Z\n"
        job = bring_in(text, "events")
        assert counts(job) == ("done", 2, 0, 0, 0, 2)
        assert {row.errors[0]["rule"] for row in job.rejections.all()} == {"quota.events_per_day"}

    def test_the_mapping_is_remembered_for_the_source(self, bring_in, leader):
        rules = {"external_id": {"column": "key"}, "name": {"column": "label"}}
        bring_in("key,label\n1,One\n", "accounts", rules=rules)
        assert take("key,label\n2,Two\n", leader).mapping == rules
        assert SavedMapping.objects.get().mapping == rules

    def test_a_required_column_has_to_be_chosen(self, leader):
        job = take("key,label\n1,One\n", leader)
        with pytest.raises(RuleViolated) as refused:
            choose_columns(job, {"name": {"column": "label"}}, actor=leader, at=timezone.now())
        assert refused.value.rule == "import.column_missing"
        with pytest.raises(RuleViolated):
            start_import(job, actor=leader, at=timezone.now())

    def test_the_name_that_was_sent_is_only_shown(self, leader, media):
        job = take(ACCOUNTS, leader)
        assert (job.file_name, job.file.name) == ("a b .csv", f"imports/{job.pk}.csv")

    @pytest.mark.parametrize(("field", "value"), [("target", "passwords"), ("source", "Übel"), ("source", "")])
    def test_a_wrong_target_or_source_is_refused(self, leader, field, value):
        given = {"target": "accounts", "source": "crm", field: value}
        with pytest.raises(RuleViolated) as refused:
            take_file(b"a\n1\n", name="x", actor=leader, at=timezone.now(), **given)
        assert refused.value.field == field

    def test_cancelled_before_it_began_it_stays_so(self, leader):
        job = cancel_import(take(ACCOUNTS, leader), actor=leader, at=timezone.now())
        assert job.state == "cancelled"
        with pytest.raises(RuleViolated):
            cancel_import(job, actor=leader, at=timezone.now())

    def test_files_go_after_thirty_days(self, bring_in, media):
        job = bring_in(ACCOUNTS, "accounts")
        assert forget_files(at=job.touched_at + timedelta(days=30)) == 0
        assert forget_files(at=job.touched_at + timedelta(days=30, seconds=1)) == 1
        assert not list(media.rglob("*.csv"))
        with pytest.raises(RuleViolated, match="send it again"):
            start_import(job, actor=None, at=timezone.now())


@pytest.mark.django_db(transaction=True)
class TestRunning:
    def test_a_worker_that_died_leaves_whole_batches_and_the_next_goes_on(self, leader, small_batches, monkeypatch):
        text = "external_id,name\n" + "".join(f"{n},Account {n}\n" for n in range(7))
        job = start_import(take(text, leader), actor=leader, at=timezone.now())
        target = type(TARGETS["accounts"])
        original, calls = target.settle, []

        def dying(self, job, rows, context):
            calls.append(len(rows))
            done = original(self, job, rows, context)
            if len(calls) == 2:
                raise SystemExit  # As the kernel would: after the rows, before the commit.
            return done

        monkeypatch.setattr(target, "settle", dying)
        with pytest.raises(SystemExit):
            work(job.pk)
        job.refresh_from_db()
        assert (job.position, job.created, Account.objects.count()) == (2, 2, 2)
        assert work(job.pk)
        job.refresh_from_db()
        assert counts(job) == ("done", 7, 7, 0, 0, 0)
        assert (calls, Account.objects.count()) == ([2, 2, 2, 2, 1], 7)

    def test_a_second_worker_leaves_the_job_to_the_first(self, leader, small_batches, monkeypatch):
        text = "external_id,name\n" + "".join(f"{n},Account {n}\n" for n in range(5))
        job = start_import(take(text, leader), actor=leader, at=timezone.now())
        target = type(TARGETS["accounts"])
        original, second = target.settle, []

        def disturbed(self, job, rows, context):
            if not second:
                second.append(None)
                second[0] = elsewhere(lambda: work(job.pk))
            return original(self, job, rows, context)

        monkeypatch.setattr(target, "settle", disturbed)
        assert work(job.pk)
        job.refresh_from_db()
        assert (second, counts(job)) == ([True], ("done", 5, 5, 0, 0, 0))
        assert Account.objects.count() == 5

    def test_a_second_worker_leaves_an_undo_to_the_first(self, leader, bring_in, monkeypatch):
        job = start_undo(bring_in(ACCOUNTS, "accounts"), actor=leader, at=timezone.now())
        original, second = running.undo, []

        def disturbed(job):
            if not second:
                second.append(None)
                second[0] = elsewhere(lambda: work(job.pk))
            return original(job)

        monkeypatch.setattr(running, "undo", disturbed)
        assert work(job.pk)
        job.refresh_from_db()
        assert (second, str(job.state), job.message) == ([True], "undone", "")
        assert not Account.objects.exists()

    def test_cancelled_it_stops_after_the_batch_and_keeps_what_is_in(self, leader, small_batches):
        text = "external_id,name\n" + "".join(f"{n},Account {n}\n" for n in range(5))
        job = start_import(take(text, leader), actor=leader, at=timezone.now())
        assert not work(job.pk, seconds=0)
        cancel_import(job, actor=leader, at=timezone.now())
        assert work(job.pk)
        job.refresh_from_db()
        assert (str(job.state), job.position) == ("cancelled", 0)

    def test_our_own_mistake_stops_the_job_and_says_so(self, leader, monkeypatch):
        job = start_import(take(ACCOUNTS, leader), actor=leader, at=timezone.now())
        monkeypatch.setattr(type(TARGETS["accounts"]), "settle", lambda *_: 1 / 0)
        assert work(job.pk)
        job.refresh_from_db()
        assert (str(job.state), job.position, bool(job.message)) == ("failed", 0, True)

    def test_a_job_under_way_is_not_started_again(self, leader):
        job = start_check(take(ACCOUNTS, leader), actor=leader, at=timezone.now())
        with pytest.raises(RuleViolated, match="under way"):
            start_import(job, actor=leader, at=timezone.now())


@pytest.mark.django_db(transaction=True)
class TestPages:
    @pytest.fixture
    def pages(self, client, leader):
        client.force_login(leader, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def upload(self, pages, raw, **data):
        file = SimpleUploadedFile("accounts.csv", raw, "text/csv")
        return pages.post("/imports/new/", {"target": "accounts", "source": "crm", "file": file, **data})

    def test_from_file_to_accounts(self, pages):
        response = self.upload(pages, ACCOUNTS.encode())
        job = ImportJob.objects.get()
        assert (response.status_code, response["Location"]) == (302, f"/imports/{job.pk}/mapping/")
        page = pages.get(f"/imports/{job.pk}/mapping/")
        assert b"Which column is what?" in page.content
        chosen = {"field-external_id": "external_id", "field-name": "name", "others": ["industry"], "date_order": "iso"}
        assert pages.post(f"/imports/{job.pk}/mapping/", chosen).status_code == 302
        job.refresh_from_db()
        assert (str(job.state), job.mapping["custom.industry"]) == ("checking", {"column": "industry"})
        assert b'hx-trigger="every 2s"' in pages.get(f"/imports/{job.pk}/").content
        work(job.pk)
        assert b"Import now" in pages.get(f"/imports/{job.pk}/").content
        pages.post(f"/imports/{job.pk}/start/")
        work(job.pk)
        page = pages.get(f"/imports/{job.pk}/progress/").content
        assert b"hx-trigger" not in page
        assert b"This is required." in page
        assert b"accounts.csv" in pages.get("/imports/").content
        assert Account.objects.get(name="One").custom == {"industry": "Food"}
        # A field of the customer's own is one of the diff, not all of them as one.
        assert ["custom.industry", None, "Food"] in job.diffs.get(name="One").changes

    def test_a_file_that_cannot_be_read_is_said_at_the_field(self, pages):
        response = self.upload(pages, b'a,b\n1,"open\n')
        assert response.status_code == 422
        assert b"The quotation mark opened in line 2 is never closed." in response.content
        assert not ImportJob.objects.exists()

    def test_rejected_rows_come_back_as_csv_that_runs_nothing(self, pages, bring_in):
        job = bring_in('external_id,name,country\n1,"=cmd()",Nowhere\n', "accounts")
        response = pages.get(f"/imports/{job.pk}/errors.csv")
        lines = response.content.decode("utf-8-sig").splitlines()
        assert lines == [
            "line,field,rule,message,external_id,name,country",
            '2,country,country,"Two letters of ISO 3166, such as DE.",1,\'=cmd(),Nowhere',
        ]

    def test_a_csm_may_not_import(self, client):
        client.force_login(UserFactory(role=Role.CSM), backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.get("/imports/").status_code == 403
        assert client.post("/imports/new/").status_code == 403
