"""Pages over HTTP with 10,000 accounts, behind the shipped server, against an empty view behind the same server."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import connection

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import Server, _wait_until_up, exchange, exchange_together, request_bytes, serving
from benchmarks.recompute import fill

REQUESTS = 20
AT_ONCE = 8
OWNERS = 20
# The goals of performance §9 bound what a page adds; the workspace's lookup, session and user, which every page
# pays before its view, are on both sides. "All in all" has them on one side only, and its own bound.
CPU_GOAL, SLOWEST_GOAL, ANEW_GOAL, BARE_GOAL = 15, 20, 60, 45
# A month's older scores and a year of daily sums, so that changes and the history have something to show.
PAST = """
UPDATE accounts_account a SET owner_id = u.id FROM (
    SELECT id, row_number() OVER (ORDER BY email) - 1 AS place FROM accounts_user WHERE role = 'csm') u
WHERE u.place = ('x' || right(a.id::text, 4))::bit(16)::int %% %(owners)s;
INSERT INTO health_healthscore (version_id, scorecard_key, score, shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at, account_id, computed_on)
SELECT version_id, scorecard_key, greatest(score - 7, 0), shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at - interval '31 days', account_id,
    computed_on - 31 FROM health_accounthealth WHERE right(account_id::text, 1) < '4' ON CONFLICT DO NOTHING;
UPDATE health_accounthealth SET change_30d = least(score, 7) WHERE right(account_id::text, 1) < '4';
INSERT INTO health_portfolioday (day, owner_id, tier_id, currency, band, rag, accounts, scored, arr, total)
SELECT %(on)s::date - d * 7, owner_id, tier_id, currency, band, rag, accounts, scored, arr * (100 - d) / 100, total
FROM health_portfolioday CROSS JOIN generate_series(1, 52) d WHERE day = %(on)s;
"""


@contextmanager
def empty_server(before: str) -> Iterator[Server]:
    """An empty view behind the product's own server and options; ``before`` as in ``benchmarks.empty``."""
    from config.stack.application import web

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [*web({}, host="127.0.0.1", port=port, workers=2).argv[:-1], "benchmarks.empty:application"]
    process = subprocess.Popen(argv, env={**os.environ, "BENCHMARK_EMPTY": before}, stdout=subprocess.DEVNULL)
    try:
        _wait_until_up(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(15)


def populate(bench: Bench) -> tuple[str, str]:
    """The workspace ``pages`` with scores and history; its host and a signed-in VP's cookie."""
    from django.core.management import call_command
    from django.test import Client

    from accounts.choices import Role
    from accounts.models import User
    from health.actions import recompute

    # Pages name their files by content, as in production.
    call_command("collectstatic", interactive=False, verbosity=0)
    tenant = bench.select("pages")
    for number in range(OWNERS):
        User.objects.create_user(f"csm{number:02}@pages.example", name=f"Person {number:02}", role=Role.CSM)
    fill(bench.accounts, at=bench.now)
    recompute(at=bench.now)
    with connection.cursor() as cursor:
        for statement in filter(None, (part.strip() for part in PAST.split(";\n"))):
            cursor.execute(statement, {"owners": OWNERS, "on": bench.now.date()})
        cursor.execute("VACUUM ANALYZE accounts_account")
        cursor.execute("VACUUM ANALYZE health_accounthealth")
    host = tenant.domains.get(is_primary=True).domain
    client = Client(HTTP_HOST=host)
    client.force_login(User.objects.create_user("vp@pages.example", name="Vera", role=Role.VP_CS))
    return host, f"Cookie: sid={client.cookies['sid'].value}"


def cases(bench: Bench) -> Iterator[Case]:
    host, cookie = populate(bench)
    with ExitStack() as stack:
        server = stack.enter_context(serving(workers=2))
        empty, bare = (stack.enter_context(empty_server(before)) for before in ("stack", "bare"))

        def page(path: str) -> bytes:
            return request_bytes("GET", path, host=host, headers=[cookie])

        def one_by_one(target: Server, request: bytes) -> Callable[[], Any]:
            return lambda: exchange(target.port, [request] * REQUESTS)

        def at_once(target: Server, request: bytes) -> Callable[[], Any]:
            return lambda: exchange_together(target.port, [request] * AT_ONCE, connections=AT_ONCE)

        nothing, bare_nothing = page("/"), request_bytes("GET", "/", host="localhost")
        common: dict[str, Any] = {
            "area": "pages",
            "floor_name": "an empty view, signed in",
            "pids": lambda: [*server.pids(), *empty.pids(), *bare.pids()],
        }
        accounts, portfolio = page("/accounts/?sort=-arr"), page("/portfolio/")
        second = page(next_page(server, accounts))
        checks: dict[str, tuple[bytes, Callable[[], None] | None]] = {
            f"accounts, {bench.accounts:,}": (accounts, lambda: check_accounts(server, accounts)),
            f"accounts, {bench.accounts:,}, second page": (second, None),
            f"portfolio, {bench.accounts:,} accounts": (portfolio, lambda: check_portfolio(server, portfolio)),
        }
        for name, (request, check) in checks.items():
            yield Case(
                name=name, run=one_by_one(server, request), floor=one_by_one(empty, nothing), goal=CPU_GOAL,
                units=REQUESTS, unit="pages", verify=check, **common,
            )  # fmt: skip
            yield Case(
                name=f"{name}: slowest of {AT_ONCE} at once", measure="wall", run=at_once(server, request),
                floor=at_once(empty, nothing), goal=SLOWEST_GOAL, reps=9, **common,
            )  # fmt: skip
        yield Case(
            name="portfolio, drawn anew after a change", run=lambda: exchange(server.port, [portfolio]),
            floor=lambda: exchange(empty.port, [nothing]), goal=ANEW_GOAL, prepare=cache.clear, **common,
        )  # fmt: skip
        common["floor_name"] = "a bare view, no database"
        for name, request in (("accounts", accounts), ("portfolio", portfolio), ("an empty view, signed in", nothing)):
            target = empty if request is nothing else server
            yield Case(
                name=f"{name}, all in all", run=one_by_one(target, request), floor=one_by_one(bare, bare_nothing),
                goal=BARE_GOAL, units=REQUESTS, unit="pages", **common,
            )  # fmt: skip


def next_page(server: Server, request: bytes) -> str:
    """The address of the page after this one."""
    text = _text(server, request)
    found = re.search(r'rel="next" href="(\?[^"]+)"', text)
    assert found, "there is a second page"
    return "/accounts/" + found.group(1).replace("&amp;", "&")


def _text(server: Server, request: bytes) -> str:
    answer = exchange(server.port, [request])[0].decode()
    assert " 200 " in answer[:20], answer[:400]
    return answer


def check_accounts(server: Server, request: bytes) -> None:
    """The first page holds the 50 accounts of the most ARR, in order, as a plain sort in Python has them."""
    from accounts.models import Account

    rows = sorted(Account.objects.all(), key=lambda account: (-account.arr, account.pk))[:50]
    shown = re.findall(r'/accounts/([0-9a-f-]{36})/">', _text(server, request))
    assert shown == [str(account.pk) for account in rows], "the page lists the right accounts"


def check_portfolio(server: Server, request: bytes) -> None:
    """ARR and the accounts at risk are what adding up row by row gives."""
    from accounts.models import Account
    from ui.formats import money

    total, risky = Decimal(0), 0
    for account in Account.objects.select_related("health"):
        total += account.arr
        risky += account.health.current_rag in {"red", "orange"}
    text = _text(server, request)
    assert money(total, "USD", compact=True) in text, "ARR"
    assert f"{risky:,} accounts" in text, "accounts at risk"
