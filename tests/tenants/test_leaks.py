"""What django-tenants leaves open, each shown open first and then shut (DESIGN §3)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType, ContentTypeManager
from django.core import signing as django_signing
from django.core.cache import cache, caches
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import ProgrammingError, connection, transaction
from django.db.models.signals import post_delete
from django_tenants.signals import tenant_delete_callback
from django_tenants.utils import schema_context, tenant_context

from accounts.models import Account
from tenants import signing
from tenants.content_types import PerSchema
from tenants.locks import job_lock
from tenants.on_commit import run_on_commit


@pytest.fixture
def acme(tenants, db):
    return tenants["acme"]


@pytest.fixture
def globex(tenants, db):
    return tenants["globex"]


class TestCache:
    def test_the_default_cache_is_kept_apart(self, acme, globex):
        cache.set("figure", 1)
        with tenant_context(globex):
            assert cache.get("figure") is None
            cache.set("figure", 2)
        assert cache.get("figure") == 1

    def test_the_global_cache_is_not(self, acme, globex):
        caches["global"].set("figure", 1)
        with tenant_context(globex):
            assert caches["global"].get("figure") == 1

    def test_sessions_do_not_live_in_a_cookie_or_cache(self, settings):
        assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
        assert "django.contrib.sessions" not in settings.SHARED_APPS


class TestFiles:
    def test_files_are_kept_apart(self, acme, globex):
        name = default_storage.save("a.txt", ContentFile(b"acme"))
        with tenant_context(globex):
            assert not default_storage.exists(name)
            assert acme.schema_name not in default_storage.path(name)
        assert acme.schema_name in default_storage.path(name)

    def test_a_path_does_not_climb_into_the_neighbour(self, acme, globex):
        default_storage.save("a.txt", ContentFile(b"acme"))
        with tenant_context(globex), pytest.raises(SuspiciousFileOperation):
            default_storage.open(f"../{acme.schema_name}/a.txt")

    def test_no_address_serves_files_directly(self, client, acme):
        name = default_storage.save("a.txt", ContentFile(b"acme"))
        for path in (f"/media/{name}", f"/media/{acme.schema_name}/{name}", f"/{acme.schema_name}/{name}"):
            assert client.get(path).status_code in {302, 404}
        assert Path(default_storage.path(name)).exists()


class TestSignatures:
    def test_a_plain_signature_of_acme_is_good_in_globex(self, globex):
        text = django_signing.dumps({"contact": 1}, salt="survey")
        with tenant_context(globex):
            assert django_signing.loads(text, salt="survey") == {"contact": 1}

    def test_ours_is_not(self, globex):
        text = signing.dumps({"contact": 1}, purpose="survey")
        assert signing.loads(text, purpose="survey") == {"contact": 1}
        with tenant_context(globex), pytest.raises(signing.BadSignature):
            signing.loads(text, purpose="survey")

    def test_nor_is_it_good_for_another_purpose_or_altered_or_old(self, acme):
        text = signing.dumps(1, purpose="survey")
        for bad, purpose, age in ((text, "unsubscribe", None), (text[:-1], "survey", None), (text, "survey", -1)):
            with pytest.raises(signing.BadSignature):
                signing.loads(bad, purpose=purpose, max_age=age)


class TestContentTypes:
    @staticmethod
    def renumber(tenant):
        """Give the content type of accounts another id than its neighbours', as years of migrations would."""
        with tenant_context(tenant), connection.cursor() as cursor:
            cursor.execute(
                "delete from auth_permission where content_type_id ="
                " (select id from django_content_type where model = 'account')"
            )
            cursor.execute("update django_content_type set id = id + 5000 where model = 'account'")
        ContentType.objects.clear_cache()

    def test_one_cache_for_all_would_answer_with_the_neighbours_ids(self, acme, globex, monkeypatch):
        monkeypatch.setattr(ContentTypeManager, "_cache", {}, raising=False)
        monkeypatch.setattr(ContentTypeManager, "clear_cache", lambda manager: None)
        self.renumber(globex)
        mine = ContentType.objects.get_for_model(Account).pk
        with tenant_context(globex):
            assert ContentType.objects.get_for_model(Account).pk == mine

    def test_each_schema_has_its_own(self, acme, globex):
        self.renumber(globex)
        assert isinstance(ContentTypeManager.__dict__["_cache"], PerSchema)
        mine = ContentType.objects.get_for_model(Account).pk
        seen = ContentType.objects._cache
        with tenant_context(globex):
            assert ContentType.objects._cache is not seen
            assert ContentType.objects.get_for_model(Account).pk == mine + 5000
        assert ContentType.objects.get_for_model(Account).pk == mine


class TestSearchPath:
    def test_a_query_without_a_tenant_fails(self, db):
        connection.set_schema_to_public()
        with pytest.raises(ProgrammingError, match="accounts_account"), transaction.atomic():
            Account.objects.count()

    def test_a_table_that_is_missing_raises_and_is_not_read_from_public(self, acme):
        with connection.cursor() as cursor:
            cursor.execute("drop table accounts_account cascade")
        with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
            Account.objects.count()

    def test_a_schema_that_is_gone_raises(self, db):
        with schema_context("t_nobody"), pytest.raises(ProgrammingError), transaction.atomic():
            Account.objects.count()

    def test_a_fresh_connection_finds_none_of_our_tables(self, db):
        fresh = connection.copy()
        fresh.ensure_connection()
        try:
            assert fresh.connection.execute("show search_path").fetchone() == ("pg_catalog",)
        finally:
            fresh.close()

    def test_after_a_rolled_back_switch_the_path_is_right(self, acme, globex):
        Account.objects.create(name="Mine")
        with pytest.raises(RuntimeError), transaction.atomic():
            connection.set_tenant(globex)
            assert Account.objects.count() == 0
            raise RuntimeError
        assert Account.objects.count() == 0  # still globex, as selected
        connection.set_tenant(acme)
        assert Account.objects.count() == 1


class TestThreads:
    @staticmethod
    def run(function):
        found = []

        def work():
            try:
                found.append(function())
            finally:
                connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return found[0]

    def test_a_new_thread_begins_in_public(self, acme):
        assert self.run(lambda: connection.schema_name) == "public"

    @pytest.mark.django_db(transaction=True)
    def test_two_threads_in_two_tenants_never_mix(self, tenants):
        for slug in ("acme", "globex"):
            with tenant_context(tenants[slug]):
                Account.objects.create(name=slug)
        barrier, wrong = threading.Barrier(4), []

        def work(slug):
            barrier.wait()
            try:
                for _ in range(150):
                    with tenant_context(tenants[slug]):
                        names = list(Account.objects.values_list("name", flat=True))
                        if names != [slug]:
                            wrong.append((slug, names))
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(slug,)) for slug in ("acme", "globex") * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


@pytest.mark.django_db(transaction=True)
class TestAfterTheCommit:
    def test_djangos_hook_runs_in_whatever_schema_commits(self, tenants):
        seen = []
        connection.set_schema_to_public()
        with transaction.atomic():
            with tenant_context(tenants["acme"]):
                transaction.on_commit(lambda: seen.append(connection.schema_name))
        assert seen == ["public"]

    def test_ours_runs_where_it_was_asked_for(self, tenants):
        seen = []
        connection.set_schema_to_public()
        with transaction.atomic():
            with tenant_context(tenants["acme"]):
                run_on_commit(lambda: seen.append(connection.schema_name))
        assert seen == [tenants["acme"].schema_name]
        assert connection.schema_name == "public"

    def test_nothing_runs_after_a_rollback(self, tenants):
        seen = []
        with pytest.raises(RuntimeError), transaction.atomic():
            run_on_commit(lambda: seen.append(1))
            raise RuntimeError
        assert seen == []


@pytest.mark.django_db(transaction=True)
class TestLocks:
    def test_one_run_of_a_job_at_a_time_in_each_tenant(self, tenants):
        def try_it(slug, name):
            with tenant_context(tenants[slug]), job_lock(name) as free:
                return free

        with tenant_context(tenants["acme"]), job_lock("sweep") as free:
            assert free
            assert TestThreads.run(lambda: try_it("acme", "sweep")) is False
            assert TestThreads.run(lambda: try_it("acme", "other")) is True
            assert TestThreads.run(lambda: try_it("globex", "sweep")) is True
        assert TestThreads.run(lambda: try_it("acme", "sweep")) is True

    def test_a_failed_job_lets_go(self, tenants):
        with pytest.raises(RuntimeError), job_lock("sweep"):
            raise RuntimeError
        with job_lock("sweep") as free:
            assert free


def test_deleting_rows_is_not_slowed_by_a_listener_for_tenants():
    assert tenant_delete_callback not in [receiver() for _key, receiver, *_rest in post_delete.receivers]


def test_settings_that_keep_hosts_apart(settings):
    assert settings.CSRF_TRUSTED_ORIGINS == []
    assert settings.SESSION_COOKIE_DOMAIN is settings.CSRF_COOKIE_DOMAIN is None
    assert "django.contrib.sites" not in settings.INSTALLED_APPS
    assert set(settings.SHARED_APPS).isdisjoint(settings.TENANT_APPS)
