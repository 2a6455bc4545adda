import os
import subprocess
import sys

import pytest

from config import env


def test_a_missing_variable_is_named_with_its_purpose(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(env.BadEnvironment) as refused:
        env.read("DATABASE_URL")
    assert str(refused.value) == (
        "DATABASE_URL is not set: PostgreSQL 16 or newer, as postgresql://user:password@host/name."
    )


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("DATABASE_URL", "mysql://root@host/name", "it must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://user@host/", "it names no database"),
        ("REDIS_URL", "http://localhost", "it must begin with redis://, rediss:// or unix://"),
        ("MAIL_URL", "smtp:", "it must be smtp://host:port, smtps://host:port or file:///folder"),
        ("MAIL_URL", "mailto:a@b.example", "it must be smtp://host:port, smtps://host:port or file:///folder"),
        ("PORT", "0", "a port lies between 1 and 65535"),
        ("PORT", "65536", "a port lies between 1 and 65535"),
        ("PORT", "web", "invalid literal"),
        ("HTTPS", "maybe", "use 1 or 0"),
        ("TRUSTED_PROXIES", "one", "use a whole number, 0 or more"),
        ("WEB_WORKERS", "0", "use a whole number, 1 or more"),
        ("TASK_WORKERS", "-1", "use a whole number, 1 or more"),
        ("DB_POOL", "\u0663", "use a whole number, 0 or more"),
        ("LOG_LEVEL", "LOUD", "use one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("BASE_DOMAIN", "", "it is a domain name"),
        ("BASE_DOMAIN", "https://example.com", "it is a domain name"),
    ],
)
def test_an_unreadable_value_names_the_variable_and_the_rule(monkeypatch, name, value, rule):
    monkeypatch.setenv(name, value)
    with pytest.raises(env.BadEnvironment) as refused:
        env.read(name)
    message = str(refused.value)
    assert message.startswith(f"{name} cannot be used: ")
    assert rule in message
    assert env.VARIABLES[name].purpose in message


@pytest.mark.parametrize(
    ("name", "value"), [("WEB_WORKERS", "two"), ("MAIL_PORT", "smtp"), ("LOG_LEVEL", "LOUD"), ("SECRET_KEY", "short")]
)
def test_what_cannot_be_used_stops_the_stack_before_it_makes_anything(tmp_path, name, value):
    kept = {key: text for key, text in os.environ.items() if key not in env.VARIABLES}
    given = kept | {"TENURE_DATA": str(tmp_path / "data"), name: value}
    stack = [sys.executable, "-m", "config.stack", "up"]
    refused = subprocess.run(stack, env=given, capture_output=True, text=True, timeout=60)
    assert (refused.returncode, refused.stderr.startswith(f"{name} cannot be used: ")) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_database_url_becomes_djangos_settings(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://a%40b:p%2Fw@db.example:6432/ten%20ure?sslmode=require")
    assert env.read("DATABASE_URL") == {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": "ten ure",
        "USER": "a@b",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_socket_folder_may_stand_in_the_query(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql:///tenure?host=/run/postgresql")
    read = env.read("DATABASE_URL")
    assert (read["HOST"], read["PORT"], read["OPTIONS"]) == ("/run/postgresql", "", {})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "file:///var/mail",
            {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": "/var/mail"},
        ),
        (
            "smtp://me:secret@mail.example:587?tls=1",
            {
                "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "EMAIL_HOST": "mail.example",
                "EMAIL_PORT": 587,
                "EMAIL_HOST_USER": "me",
                "EMAIL_HOST_PASSWORD": "secret",
                "EMAIL_USE_SSL": False,
                "EMAIL_USE_TLS": True,
                "EMAIL_TIMEOUT": 20,
            },
        ),
    ],
)
def test_a_mail_url_becomes_djangos_settings(monkeypatch, value, expected):
    monkeypatch.setenv("MAIL_URL", value)
    assert env.read("MAIL_URL") == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("", False), ("off", False)]
)
def test_switches_are_read_in_the_usual_spellings(text, expected):
    assert env.boolean(text) is expected


def test_a_short_secret_key_is_refused_unless_debugging(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "x" * 31)
    monkeypatch.setenv("DEBUG", "0")
    with pytest.raises(env.BadEnvironment, match="SECRET_KEY cannot be used: it needs at least 32 characters"):
        env.secret_key()
    monkeypatch.setenv("DEBUG", "1")
    assert env.secret_key() == "x" * 31
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    monkeypatch.setenv("DEBUG", "0")
    assert env.secret_key() == "x" * 32
