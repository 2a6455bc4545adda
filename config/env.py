"""The environment, read once and checked before anything starts.

Every variable the product knows is one row of ``VARIABLES``: its name, how it is read, its default and
what it is for. ``docs/operations.md`` prints the same table, and a test keeps the two equal.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class BadEnvironment(SystemExit):
    """A variable is missing or unreadable. The message names it; the process exits with status 1."""


def boolean(text: str) -> bool:
    """True for 1, true, yes and on; False for 0, false, no, off and the empty string."""
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("use 1 or 0")


def port(text: str) -> int:
    """A TCP port, 1–65535."""
    number = int(text)
    if not 0 < number < 65536:
        raise ValueError("a port lies between 1 and 65535")
    return number


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number that is not under ``least``."""

    def read_whole(text: str) -> int:
        if not text.strip().isascii() or not text.strip().isdigit() or int(text) < least:
            raise ValueError(f"use a whole number, {least} or more")
        return int(text)

    return read_whole


def log_level(text: str) -> str:
    """A level of the logging module."""
    if text.upper() not in LEVELS:
        raise ValueError(f"use one of {', '.join(LEVELS)}")
    return text.upper()


def domain(text: str) -> str:
    """A domain name."""
    if not text.strip() or set(text.strip()) & set("/: \t"):
        raise ValueError("it is a domain name such as example.com, without scheme and port")
    return text.strip()


def host_name(text: str) -> str:
    """A name as one host gives it, or nothing."""
    if len(text.split()) > 1 or ";" in text:
        raise ValueError("it is one name, such as mx.example.com")
    return text.strip()


def names(text: str) -> list[str]:
    """Comma-separated names, empty ones dropped."""
    return [name.strip() for name in text.split(",") if name.strip()]


def postgres(text: str) -> dict[str, Any]:
    """Django's database settings for a ``postgresql://`` URL; query parameters become libpq options."""
    url = urlsplit(text)
    if url.scheme not in {"postgres", "postgresql"}:
        raise ValueError("it must begin with postgresql://")
    query = {key: values[-1] for key, values in parse_qs(url.query).items()}
    host = unquote(url.hostname or "") or query.pop("host", "")
    name = unquote(url.path.lstrip("/"))
    if not name:
        raise ValueError("it names no database")
    return {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": name,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": host,
        "PORT": str(url.port or ""),
        "OPTIONS": query,
    }


def redis(text: str) -> str:
    """A ``redis://``, ``rediss://`` or ``unix://`` URL."""
    if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("it must begin with redis://, rediss:// or unix://")
    return text


def mail(text: str) -> dict[str, Any]:
    """Django's mail settings for ``smtp://user:password@host:port?tls=1`` or ``file:///folder``."""
    url = urlsplit(text)
    if url.scheme == "file":
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": url.path}
    if url.scheme not in {"smtp", "smtps"} or not url.hostname:
        raise ValueError("it must be smtp://host:port, smtps://host:port or file:///folder")
    query = parse_qs(url.query)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or (465 if url.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": url.scheme == "smtps",
        "EMAIL_USE_TLS": boolean(query.get("tls", ["0"])[-1]),
        "EMAIL_TIMEOUT": 20,
    }


def mailbox(text: str) -> dict[str, Any]:
    """Where mail is fetched: ``imaps://user:password@host:port/folder``, ``imap://…?tls=1``; nothing for nowhere."""
    if not text:
        return {}
    url = urlsplit(text)
    if url.scheme not in {"imap", "imaps"} or not url.hostname or not url.username:
        raise ValueError("it must be imaps://user:password@host/folder or imap://…?tls=1")
    return {
        "host": url.hostname,
        "port": url.port or (993 if url.scheme == "imaps" else 143),
        "user": unquote(url.username),
        "password": unquote(url.password or ""),
        "folder": unquote(url.path.strip("/")) or "INBOX",
        "ssl": url.scheme == "imaps",
        "tls": boolean(parse_qs(url.query).get("tls", ["0"])[-1]),
    }


def port_or_none(text: str) -> int | None:
    """A TCP port, or nothing."""
    return port(text) if text else None


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable; ``default`` None means that it must be set."""

    name: str
    read: Callable[[str], Any]
    default: str | None
    purpose: str


VARIABLES = {
    variable.name: variable
    for variable in (
        Variable("DATABASE_URL", postgres, None, "PostgreSQL 16 or newer, as postgresql://user:password@host/name"),
        Variable("REDIS_URL", redis, None, "Redis for the task queue and the cache"),
        Variable("SECRET_KEY", str, None, "signs sessions and links; at least 32 characters, kept secret"),
        Variable("SECRET_KEY_FALLBACKS", names, "", "older keys still accepted while you rotate"),
        Variable("BASE_DOMAIN", domain, "localhost", "tenants live at <tenant>.<this domain>"),
        Variable("PORT", port, "8000", "port of the web server, used in links of a development machine"),
        Variable("BIND", str, "127.0.0.1", "address the web server listens on; 0.0.0.0 for all"),
        Variable("TENURE_DATA", str, ".tenure", "data folder of the embedded stack"),
        Variable("WEB_WORKERS", at_least(1), "2", "processes of the web server, each with four threads"),
        Variable("TASK_WORKERS", at_least(1), "2", "processes of the background worker"),
        Variable("HTTPS", boolean, "0", "1 behind TLS: secure cookies, HSTS, https links"),
        Variable("TRUSTED_PROXIES", at_least(0), "0", "how many proxies stand in front and set X-Forwarded-For"),
        Variable("MAIL_URL", mail, "file:///tmp/tenure-mail", "where mail goes: smtp://… or file:///folder"),
        Variable("MAIL_FROM", str, "Tenure <no-reply@localhost>", "sender of outgoing mail"),
        Variable("MAIL_RELAY", host_name, "", "name of the relay whose Authentication-Results on incoming mail count"),
        Variable("MAILBOX_URL", mailbox, "", "mailbox fetched each minute: imaps://user:password@host/folder"),
        Variable(
            "MAIL_PORT", port_or_none, "", "loopback port on which `make run` takes mail by SMTP, for development"
        ),
        Variable(
            "WEBHOOKS_UNGUARDED",
            boolean,
            "0",
            "1 lets webhooks go to http:// and any address, for development",
        ),
        Variable("MEDIA_ROOT", str, "/tmp/tenure-media", "folder of uploaded and generated files"),  # noqa: S108
        Variable("DEBUG", boolean, "0", "1 shows error pages with detail; never in production"),
        Variable(
            "DB_POOL", at_least(0), "0", "size of the web process's connection pool; 0 keeps one connection a thread"
        ),
        Variable("LOG_LEVEL", log_level, "INFO", "level of the log on standard error"),
    )
}


def read(name: str) -> Any:
    """The value of ``name``, read and checked. Raises BadEnvironment naming the variable and the rule."""
    variable = VARIABLES[name]
    text = os.environ.get(name, variable.default)
    if text is None:
        raise BadEnvironment(f"{name} is not set: {variable.purpose}.")
    try:
        return variable.read(text)
    except ValueError as error:
        raise BadEnvironment(f"{name} cannot be used: {error}. It is {variable.purpose}.") from error


def check() -> None:
    """Read every variable that is set. Raises BadEnvironment for the first that cannot be used."""
    for name in VARIABLES:
        if name in os.environ:
            read(name)
    if os.environ.get("SECRET_KEY"):
        secret_key()


def secret_key() -> str:
    """SECRET_KEY, refused under 32 characters unless DEBUG is on."""
    key = read("SECRET_KEY")
    if len(key) < 32 and not read("DEBUG"):
        raise BadEnvironment("SECRET_KEY cannot be used: it needs at least 32 characters.")
    return str(key)
