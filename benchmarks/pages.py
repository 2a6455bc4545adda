"""Pages over HTTP with 10,000 accounts, behind the shipped server, against an empty view behind the same server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db import connection

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import Server, exchange, request_bytes, serving, timed_together
from benchmarks.past import FACTS, SCORES, WORK, remember, tidy
from benchmarks.recompute import fill
from health.book.accounts.asked import COLUMNS

if TYPE_CHECKING:
    from health.models import Segment

REQUESTS = 20
AT_ONCE = 8
EACH = 12
OWNERS = 20
TABS = ("health", "timeline", "people", "contracts", "usage", "changes")
# Against an empty view behind everything the product puts before a page, the study's goals. Against a view with five
# middlewares and no database, which answers a third of a millisecond sooner than anybody can be signed in, its CPU
# goal was set behind another server (gunicorn, whose empty view costs 1.7 times as much): 15x there is 26x here.
CPU_GOAL, P95_GOAL, ANEW_GOAL, BARE_GOAL, FILE_GOAL = 15, 20, 60, 26, 5
# Every account is one of the CSMs'.
OWN = """
UPDATE accounts_account a SET owner_id = u.id FROM (
    SELECT id, row_number() OVER (ORDER BY email) - 1 AS place FROM accounts_user WHERE role = 'csm') u
WHERE u.place = ('x' || right(a.id::text, 4))::bit(16)::int % (SELECT count(*) FROM accounts_user WHERE role = 'csm')
"""
# A field of the workspace's own with a number for every account.
OWN_FIELD = "UPDATE accounts_account SET custom = jsonb_build_object('fleet', abs(hashtext(id::text)) % 1000)"
TABLES = (
    "accounts_account", "accounts_activity", "accounts_contract", "health_accounthealth", "health_healthscore",
    "health_portfolioday", "health_trigger", "health_triggerstate", "playbooks_cta", "usage_accountday",
    "usage_metricvalue",
)  # fmt: skip


def populate(bench: Bench, workspace: str = "pages") -> tuple[str, str]:
    """The workspace of that name, filled once with scores and history; its host and a signed-in VP's cookie."""
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    # Pages name their files by content, as in production.
    call_command("collectstatic", interactive=False, verbosity=0)
    filled = workspace in bench.tenants
    tenant = bench.select(workspace)
    if not filled:
        _fill(bench)
    host = tenant.domains.get(is_primary=True).domain
    client = Client(HTTP_HOST=host)
    client.force_login(User.objects.get(email="vp@pages.example"))
    return host, f"Cookie: sid={client.cookies['sid'].value}"


def _fill(bench: Bench) -> None:
    from accounts.actions import define_field
    from accounts.choices import FieldKind, Role
    from accounts.models import User
    from health.actions import recompute

    for number in range(OWNERS):
        User.objects.create_user(f"csm{number:02}@pages.example", name=f"Person {number:02}", role=Role.CSM)
    User.objects.create_user("vp@pages.example", name="Vera", role=Role.VP_CS)
    fill(bench.accounts, at=bench.now)
    define_field(label="Fleet", kind=FieldKind.NUMBER, actor=None, at=bench.now)
    with connection.cursor() as cursor:
        cursor.execute(OWN)
        cursor.execute(OWN_FIELD)
    remember(FACTS, at=bench.now)
    recompute(at=bench.now)
    for part in (SCORES, WORK):
        remember(part, at=bench.now)
    tidy(*TABLES)


def cases(bench: Bench) -> Iterator[Case]:
    from accounts.models import Account

    host, cookie = populate(bench)
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        empty = stack.enter_context(serving("benchmarks.empty:application", BENCHMARK_EMPTY="stack"))
        bare = empty
        if bench.size != "S":
            bare = stack.enter_context(serving("benchmarks.empty:application", BENCHMARK_EMPTY="bare"))

        def page(path: str) -> bytes:
            return request_bytes("GET", path, host=host, headers=[cookie])

        signed_in = Side("an empty view, signed in", empty, page("/"))
        without = Side("an empty view, no database", bare, request_bytes("GET", "/", host="localhost"))
        accounts, portfolio = page("/accounts/?sort=-arr"), page("/portfolio/")
        segment, one = make_segment(bench), Account.objects.order_by("-arr", "pk").values_list("pk", flat=True)[0]
        every = page(f"/accounts/?view=all&sort=-arr&cols={','.join(COLUMNS)}")
        named = f"{bench.accounts:,} accounts"
        pages = {
            f"accounts by ARR, {named}": (accounts, lambda: check_accounts(server, accounts)),
            f"accounts by ARR, {named}, second page": (page(next_page(server, accounts)), None),
            f"accounts by health, {named}": (page("/accounts/?view=all"), None),
            f"accounts with every column, {named}": (every, lambda: check_accounts(server, every)),
            f"accounts by last touch, {named}": (page("/accounts/?view=all&sort=touch"), None),
            f"accounts by a field of one's own, {named}": (page("/accounts/?view=all&sort=-custom.fleet"), None),
            f"portfolio, {named}": (portfolio, lambda: check_portfolio(server, portfolio)),
            "account 360, overview": (page(f"/accounts/{one}/"), None),
        }
        if bench.size != "S":
            pages[f"portfolio of a segment by rule, {named}"] = (
                page(f"/portfolio/?segment={segment.pk}&split=rule"),
                None,
            )
            pages |= {f"account 360, {tab}": (page(f"/accounts/{one}/{tab}/"), None) for tab in TABS}
        for name, (request, check) in pages.items():
            shown = Side(name, server, request)
            yield shown.against(signed_in, CPU_GOAL, verify=check)
            if bench.size != "S":
                yield shown.together(signed_in, P95_GOAL)
                yield shown.against(without, BARE_GOAL)
                yield shown.together(without, None)
        if bench.size != "S":
            yield signed_in.against(without, BARE_GOAL)
        yield Case(
            area="pages", name="portfolio, drawn anew after a change", run=lambda: exchange(server.port, [portfolio]),
            floor=lambda: exchange(empty.port, [signed_in.request]), goal=ANEW_GOAL, prepare=cache.clear,
            floor_name=signed_in.name, pids=lambda: [*server.pids(), *empty.pids()],
        )  # fmt: skip
    yield from files(bench)


@dataclass(frozen=True, slots=True)
class Side:
    """A request and the server that answers it: a page, or what a page is measured against."""

    name: str
    server: Server
    request: bytes

    def against(
        self, floor: Side, goal: float, *, verify: Callable[[], None] | None = None, reps: int | None = None
    ) -> Case:
        """The CPU of one answer, both servers and their PostgreSQL processes counted."""
        return Case(
            area="pages", name=self.name, run=self.one_by_one, floor=floor.one_by_one, goal=goal, verify=verify,
            units=REQUESTS, unit="pages", floor_name=floor.name, reps=reps,
            pids=lambda: [*self.server.pids(), *floor.server.pids(), *database_processes()],
        )  # fmt: skip

    def together(self, floor: Side, goal: float | None, *, reps: int | None = None) -> Case:
        """The 95th percentile of answers while eight connections ask at once."""
        return Case(
            area="pages", name=f"{self.name}: p95, {AT_ONCE} at once", run=self.at_once, floor=floor.at_once,
            measure="p95", goal=goal, floor_name=floor.name, reps=reps,
        )  # fmt: skip

    def check(self) -> None:
        """It is answered at all."""
        _text(self.server, self.request)

    def one_by_one(self) -> None:
        exchange(self.server.port, [self.request] * REQUESTS)

    def at_once(self) -> list[float]:
        return timed_together(self.server.port, self.request, connections=AT_ONCE, each=EACH)


def database_processes() -> list[int]:
    """Every PostgreSQL process that serves this database, those of the servers too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [pid for (pid,) in cursor.fetchall()]


def make_segment(bench: Bench) -> Segment:
    """A segment by rule that holds about half of the accounts."""
    from accounts.models import Account
    from health.actions import create_segment

    middle = Account.objects.order_by("arr").values_list("arr", flat=True)[bench.accounts // 2]
    condition = {"field": "arr", "op": ">=", "value": str(middle)}
    rule = {"join": "all", "groups": [{"join": "all", "conditions": [condition]}]}
    return create_segment(name="The larger half", rule=rule, actor=None, at=bench.now)


def files(bench: Bench) -> Iterator[Case]:
    """The list as a workbook, every row and column, beside the reading and formatting of its rows alone."""
    from django.utils import timezone

    from accounts.models import User
    from health.book.accounts.asked import Asked
    from health.book.accounts.export import XLSX, lines, written

    bench.select("pages")
    vp, now = User.objects.get(email="vp@pages.example"), timezone.now()
    asked, today = Asked(columns=COLUMNS), now.date()

    def check() -> None:
        from zipfile import ZipFile

        with ZipFile(BytesIO(written(XLSX, vp, asked, today=today, now=now))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml")
        assert sheet.count(b"<row ") == bench.accounts + 1, "every account has a row"

    yield Case(
        area="pages",
        name=f"accounts, {bench.accounts:,} as a workbook",
        run=lambda: written(XLSX, vp, asked, today=today, now=now),
        floor=lambda: list(lines(vp, asked, today=today, now=now)),
        floor_name="its rows, read and not written",
        goal=FILE_GOAL,
        units=bench.accounts,
        unit="rows",
        verify=check,
        reps=3,
    )


def next_page(server: Server, request: bytes) -> str:
    """The address of the page after this one."""
    text = _text(server, request)
    found = re.search(r'rel="next" href="/accounts/(\?[^"]+)"', text)
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
    shown = re.findall(r'/accounts/([0-9a-f-]{36})/(?:\?list=[^"]*)?">', _text(server, request))
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
