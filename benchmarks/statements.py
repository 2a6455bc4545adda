"""What pages ask PostgreSQL: all statements of one answer, repeated, against round trips of ``select 1``."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from time import perf_counter

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.pages import populate

# Times the work of one side is done in a repetition: one `select 1` is too short to be measured.
TIMES = 10
GOAL, SECONDS = 120, 0.02


def cases(bench: Bench) -> Iterator[Case]:
    """What is asked for a page as it is usually opened has a goal; what it asks once after a change is told beside.

    The clock has one only where there is something to read: a small workspace is measured on busy machines too.
    """
    from accounts.models import Account

    host, cookie = populate(bench)
    account = Account.objects.order_by("-arr").values_list("pk", flat=True)[0]
    pages = {
        "portfolio": "/portfolio/",
        "accounts by ARR": "/accounts/?sort=-arr",
        "accounts by health": "/accounts/?view=all",
        "an account": f"/accounts/{account}/",
    }
    for name, path in pages.items():
        cache.clear()
        anew, again = (statements_of(path, host, cookie) for _look in range(2))
        bench.select("pages")
        within = None if bench.size == "S" else SECONDS
        for asked, when, goal, seconds in ((again, "", GOAL, within), (anew, ", nothing kept", None, None)):
            told = f"{name}{when}: {len(asked)} statements"
            yield Case(
                area="statements", name=told, run=lambda asked=asked: _ask(asked, TIMES),
                floor=lambda: _ask(["SELECT 1"], TIMES), goal=goal, measure="wall", units=TIMES, unit="pages",
                floor_name="select 1", pids=bench.backends,
            )  # fmt: skip
            yield Case(
                area="statements", name=f"{told}, by the clock", run=lambda asked=asked: _timed(asked),
                floor=None, goal=seconds, measure="seconds",
            )  # fmt: skip


def statements_of(path: str, host: str, cookie: str) -> list[str]:
    """What one answer reads, in order, with its values written in."""
    from django.test import Client

    client = Client(HTTP_HOST=host)
    client.cookies.update(SimpleCookie(cookie.partition(": ")[2]))
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    asked = [query["sql"] for query in captured if query["sql"].startswith(("SELECT", "WITH"))]
    assert len(asked) > 3, asked
    return asked


def _ask(statements: list[str], times: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(times):
            for statement in statements:
                cursor.execute(statement)
                cursor.fetchall()


def _timed(statements: list[str]) -> list[float]:
    taken = []
    for _ in range(TIMES):
        began = perf_counter()
        _ask(statements, 1)
        taken.append(perf_counter() - began)
    return taken
