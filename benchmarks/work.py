"""My day and the Cockpit over HTTP with 10,000 accounts and 3,000 open CTAs, against an empty view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

from django.db import connection

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import request_bytes, serving
from benchmarks.pages import CPU_GOAL, OWNERS, Side, _text, populate

OPEN_CTAS = 3_000
# Every CTA with three tasks, a next step on each fifth account, a quarter of the scores four points up on yesterday.
WORK = """
INSERT INTO playbooks_cta (id, account_id, title, reason, kind, priority, status, owner_id, due_on, trigger_key,
    duplicate_key, evidence, opened_at, assigned_at, snooze_reason, outcome, close_note, version)
SELECT md5('cta ' || a.id)::uuid, a.id, 'Usage fell on ' || a.name, 'Fewer people signed in than in the month before',
    (ARRAY['risk', 'renewal', 'opportunity'])[1 + n %% 3], (ARRAY['high', 'medium', 'low'])[1 + n %% 3], 'open',
    a.owner_id, %(on)s::date + (n %% 40)::int - 5, '', '', '{}', %(at)s, %(at)s, '', '', '', 1
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM accounts_account ORDER BY id LIMIT %(ctas)s) a;
INSERT INTO playbooks_task (id, cta_id, position, step, title, detail, due_on, optional, version)
SELECT md5('task ' || c.id || p)::uuid, c.id, p, '', 'Step ' || p, '', c.due_on, false, 1
FROM playbooks_cta c CROSS JOIN generate_series(0, 2) p;
INSERT INTO accounts_activity (id, account_id, kind, at, title, body, visibility, source, external_id, data, attendees,
    next_step, next_step_on, next_step_owner_id)
SELECT md5('step ' || id)::uuid, id, 'call', %(at)s, 'Monthly call', '', 'internal', '', '', '{}', '{}',
    'Send the plan', %(on)s::date + 1, owner_id
FROM accounts_account WHERE right(id::text, 1) IN ('0', '5', 'a');
INSERT INTO health_healthscore (version_id, scorecard_key, score, shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at, account_id, computed_on)
SELECT version_id, scorecard_key, greatest(score - 4, 0), shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at - interval '1 day', account_id,
    computed_on - 1 FROM health_accounthealth WHERE right(account_id::text, 1) > 'b' ON CONFLICT DO NOTHING;
"""


def cases(bench: Bench) -> Iterator[Case]:
    from django.test import Client

    from accounts.models import User

    host, leaders = fill_work(bench)
    client = Client(HTTP_HOST=host)
    client.force_login(User.objects.get(email="csm00@pages.example"))
    own = f"Cookie: sid={client.cookies['sid'].value}"
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        empty = stack.enter_context(serving("benchmarks.empty:application", BENCHMARK_EMPTY="stack"))

        def page(path: str, cookie: str) -> bytes:
            return request_bytes("GET", path, host=host, headers=[cookie])

        nothing = Side("an empty view, signed in", empty, page("/", own))
        named = f"{min(OPEN_CTAS, bench.accounts):,} open CTAs"
        day, board = page("/day/", own), page("/ctas/board/", leaders)
        for name, request, check in (
            (f"my day, {bench.accounts // OWNERS:,} accounts of one's own", day, lambda: check_day(_text(server, day))),
            (f"board, {named}", board, lambda: check_board(_text(server, board))),
            (f"calendar, {named}", page("/ctas/calendar/", leaders), None),
            (f"list, {named}", page("/ctas/", leaders), None),
        ):
            yield Side(name, server, request).against(nothing, CPU_GOAL, verify=check)


def fill_work(bench: Bench) -> tuple[str, str]:
    """The workspace with its CTAs, made once for whoever measures on it; its host and a signed-in VP's cookie."""
    filled = "work" in bench.tenants
    host, cookie = populate(bench, "work")
    if filled:
        return host, cookie
    with connection.cursor() as cursor:
        for statement in filter(None, (part.strip() for part in WORK.split(";\n"))):
            cursor.execute(statement, {"on": bench.now.date(), "at": bench.now, "ctas": OPEN_CTAS})
        for table in ("playbooks_cta", "playbooks_task", "accounts_activity", "health_healthscore"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return host, cookie


def check_day(text: str) -> None:
    """Every kind of work is in the day, and it is cut at fifty rows."""
    kinds = set(re.findall(r'<li data-item id="([a-z]+)-', text))
    assert {"cta", "task", "step"} <= kinds, kinds
    assert text.count("<li data-item") == 50


def check_board(text: str) -> None:
    """The numbers above the columns are those of a count in the database."""
    from playbooks.models import Cta

    for priority in ("high", "medium", "low"):
        count = Cta.objects.filter(priority=priority, status="open").count()
        assert f'{priority.capitalize()} <span class="count">{count:,}</span>' in text, priority
