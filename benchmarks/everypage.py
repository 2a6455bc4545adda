"""Every page that a link leads to, as the owner of 10,000 accounts and two years of history opens it, over HTTP."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.urls import Resolver404, URLResolver, get_resolver, resolve

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import exchange_together, request_bytes, serving
from benchmarks.made import make
from benchmarks.pages import CPU_GOAL, P95_GOAL, Side
from benchmarks.work import fill_work

REPS, WARMING = 2, 4
# Signed out or moved on by the request itself, or no page of the product's.
NOT_OPENED = ("api/", "sign-out", "logout", "static/", "media/")
LINK = re.compile(r'<a[^>]* href="([^"#]+)"')


def cases(bench: Bench) -> Iterator[Case]:
    """The CPU of each page, and where the size gives a percentile its meaning, the slow ones of eight at once."""
    from django.test import Client

    from accounts.models import User

    host, _cookie = fill_work(bench)
    client = Client(HTTP_HOST=host)
    client.force_login(User.objects.get(email="owner@example.com"))
    cookie = f"Cookie: sid={client.cookies['sid'].value}"
    bench.select("work")
    paths = linked_pages(client, [*make(bench), *plain_paths()])
    bench.select("work")
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        empty = stack.enter_context(serving("benchmarks.empty:application", BENCHMARK_EMPTY="stack"))
        nothing = Side("an empty view, signed in", empty, request_bytes("GET", "/", host=host, headers=[cookie]))
        pages = [Side(path, server, request_bytes("GET", path, host=host, headers=[cookie])) for path in paths]
        # Each of the workers has read its templates and knows its workspace before anything is measured.
        for side in (nothing, *pages):
            exchange_together(side.server.port, [side.request] * WARMING, connections=WARMING)
        for page in pages:
            yield page.against(nothing, CPU_GOAL, verify=lambda page=page: page.check(), reps=REPS)
            if bench.size != "S":
                yield page.together(nothing, P95_GOAL, reps=1)


def linked_pages(client: Any, begin: Iterable[str]) -> list[str]:
    """The first address found of every route that answers with a page, going from the given ones along the links."""
    found: dict[str, str] = {}
    tried: set[str] = set()
    waiting = deque(begin)
    while waiting:
        path = waiting.popleft()
        route = route_of(path)
        if route is None or route in found or path in tried:
            continue
        tried.add(path)
        answer = client.get(path)
        if answer.status_code != 200 or not answer.get("Content-Type", "").startswith("text/html"):
            continue
        found[route] = path
        links = (urlsplit(urljoin(path, unescape(link))) for link in LINK.findall(answer.content.decode()))
        waiting.extend(link.path for link in links if not link.netloc)
    return sorted(found.values())


def route_of(path: str) -> str | None:
    """The pattern that an address of the product's pages belongs to."""
    try:
        route = resolve(path).route
    except Resolver404:
        return None
    return None if route.startswith(NOT_OPENED) else route


def plain_paths() -> list[str]:
    """The addresses of a workspace that take no value, in order."""
    found = _leaves(get_resolver(settings.ROOT_URLCONF), "")
    return sorted({f"/{path}" for path in found})


def _leaves(node: Any, prefix: str) -> Iterator[str]:
    for child in node.url_patterns:
        path = prefix + str(child.pattern)
        if isinstance(child, URLResolver):
            yield from _leaves(child, path)
        elif not set("<^\\(") & set(path):
            yield path
