"""Every page whose address names nothing, as the owner of 10,000 accounts and 3,000 CTAs opens it, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.urls import URLResolver, get_resolver

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import request_bytes, serving
from benchmarks.pages import CPU_GOAL, Side
from benchmarks.work import fill_work

REPS = 2
# Signed out or moved on by the request itself, or no page of the product's.
NOT_OPENED = ("api/", "sign-out", "logout", "static/", "media/")


def cases(bench: Bench) -> Iterator[Case]:
    from django.test import Client

    from accounts.models import User

    host, _cookie = fill_work(bench)
    client = Client(HTTP_HOST=host)
    client.force_login(User.objects.get(email="owner@example.com"))
    cookie = f"Cookie: sid={client.cookies['sid'].value}"
    paths = [path for path in plain_paths() if opens(client, path)]
    bench.select("work")
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        empty = stack.enter_context(serving("benchmarks.empty:application", BENCHMARK_EMPTY="stack"))
        nothing = Side("an empty view, signed in", empty, request_bytes("GET", "/", host=host, headers=[cookie]))
        for path in paths:
            page = Side(path, server, request_bytes("GET", path, host=host, headers=[cookie]))
            yield page.against(nothing, CPU_GOAL, verify=lambda page=page: page.check(), reps=REPS)


def plain_paths() -> list[str]:
    """The addresses of a workspace that take no value, in order."""
    found = _leaves(get_resolver(settings.ROOT_URLCONF), "")
    return sorted({f"/{path}" for path in found if not path.startswith(NOT_OPENED)})


def _leaves(node: Any, prefix: str) -> Iterator[str]:
    for child in node.url_patterns:
        path = prefix + str(child.pattern)
        if isinstance(child, URLResolver):
            yield from _leaves(child, path)
        elif not set("<^\\(") & set(path):
            yield path


def opens(client: Any, path: str) -> bool:
    """Whether the address answers with a page at once."""
    answer = client.get(path)
    return answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html")
