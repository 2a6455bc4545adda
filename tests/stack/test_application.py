import stat

import pytest
import yaml

from config import env
from config.celery import app
from config.stack import application
from config.stack.folder import DataFolder
from webhooks.tasks import deliver


@pytest.fixture
def folder(tmp_path):
    made = DataFolder(tmp_path / "data")
    made.prepare()
    return made


def test_each_demo_tenant_gets_one_ready_line_with_all_its_logins():
    logins = [
        {"host": "fleet.localhost", "email": "vp@fleet.example", "password": "one", "role": "VP"},
        {"host": "bis.localhost", "email": "vp@bis.example", "password": "two", "role": ""},
        {"host": "fleet.localhost", "email": "csm@fleet.example", "password": "three", "role": "CSM"},
    ]
    assert application.ready_lines(logins, 8001) == [
        "Ready: http://fleet.localhost:8001/  vp@fleet.example / one (VP), csm@fleet.example / three (CSM)",
        "Ready: http://bis.localhost:8001/  vp@bis.example / two",
    ]


def test_without_demo_tenants_there_is_nothing_to_announce(folder):
    assert application.demo_logins(folder) == []
    application.logins_file(folder).write_text("not json")
    assert application.demo_logins(folder) == []


def test_what_the_environment_leaves_open_lies_in_the_data_folder(folder, monkeypatch):
    for name in ("SECRET_KEY", "MAIL_URL", "MEDIA_ROOT", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    made = application.environment(folder, database_url="postgresql://a/b", redis_url="redis://c")
    assert made["DATABASE_URL"] == "postgresql://a/b"
    assert made["REDIS_URL"] == "redis://c"
    assert made["MAIL_URL"] == f"file://{folder.path}/mail"
    assert made["MEDIA_ROOT"] == f"{folder.path}/media"
    assert made["SECRET_KEY"] == (folder / "secret-key").read_text()
    again = application.environment(folder, database_url="postgresql://a/b", redis_url="redis://c")
    assert again["SECRET_KEY"] == made["SECRET_KEY"]


def test_what_the_environment_says_wins(folder, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "k" * 40)
    monkeypatch.setenv("MAIL_URL", "smtp://mail.example")
    monkeypatch.setenv("MEDIA_ROOT", "/srv/media")
    made = application.environment(folder, database_url="postgresql://a/b", redis_url="redis://c")
    assert (made["SECRET_KEY"], made["MAIL_URL"], made["MEDIA_ROOT"]) == ("k" * 40, "smtp://mail.example", "/srv/media")
    assert not (folder / "secret-key").exists()


def test_private_files_are_private(folder):
    assert stat.S_IMODE(folder.write_private("stack.env", "x").stat().st_mode) == 0o600


def test_the_production_shape_has_every_process_and_sets_only_variables_that_exist():
    shape = yaml.safe_load((application.ROOT / "docker-compose.yml").read_text())
    assert set(shape["services"]) == {"migrate", "web", "worker", "webhooks", "beat", "postgres", "redis", "mail"}
    for name in ("migrate", "web", "worker", "webhooks", "beat"):
        assert set(shape["services"][name]["environment"]) <= set(env.VARIABLES), name
    required = {variable.name for variable in env.VARIABLES.values() if variable.default is None}
    assert required <= set(shape["services"]["web"]["environment"])
    for volume in (
        mount.partition(":")[0] for service in shape["services"].values() for mount in service.get("volumes", [])
    ):
        assert volume in shape["volumes"]


def queue_of(argv):
    return argv[argv.index("--queues") + 1]


def test_every_queue_has_a_worker_here_and_in_production():
    sent_to = {app.conf.task_default_queue, *(route["queue"] for route in app.conf.task_routes.values())}
    services = yaml.safe_load((application.ROOT / "docker-compose.yml").read_text())["services"]
    here = [application.worker({}).argv, application.deliverer({}).argv]
    there = [service["command"] for service in services.values() if "worker" in service.get("command", ())]
    assert {queue_of(argv) for argv in here} == {queue_of(argv) for argv in there} == sent_to
    assert app.conf.task_routes.keys() == {deliver.name}
