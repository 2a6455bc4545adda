"""The queue and a ticket over HTTP with 200,000 tickets, 20,000 of them open, against an empty view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from django.db import connection

from benchmarks import desk
from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import request_bytes, serving
from benchmarks.pages import CPU_GOAL, P95_GOAL, Side, _text

ANSWERS = 8


def cases(bench: Bench) -> Iterator[Case]:
    from django.core.management import call_command

    # Pages name their files by content, as in production.
    call_command("collectstatic", interactive=False, verbosity=0)
    host, cookie, ticket = _world(bench)
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        empty = stack.enter_context(serving("benchmarks.empty:application", BENCHMARK_EMPTY="stack"))

        def page(path: str) -> bytes:
            return request_bytes("GET", path, host=host, headers=[cookie])

        nothing = Side("an empty view, signed in", empty, page("/"))
        named = f"{desk.TICKETS[bench.size]:,} tickets"
        queue, one = page("/tickets/"), page(f"/tickets/{ticket}/")
        shown = [
            (Side(f"queue, {named}", server, queue), lambda: check_queue(_text(server, queue))),
            (Side(f"a ticket with {ANSWERS} answers, {named}", server, one), lambda: check_ticket(_text(server, one))),
        ]
        if bench.size != "S":
            shown += [
                (Side(f"queue, all tickets, {named}", server, page("/tickets/?view=all")), None),
                (Side(f"queue searched, {named}", server, page("/tickets/?q=work+1999")), None),
            ]
        for side, check in shown:
            yield side.against(nothing, CPU_GOAL, verify=check)
            if bench.size != "S":
                yield side.together(nothing, P95_GOAL)


def _world(bench: Bench) -> tuple[str, str, Any]:
    """The desk's workspace with every deadline known: its host, a signed-in leader's cookie, a ticket to show."""
    from django.test import Client

    from accounts.choices import Role
    from accounts.models import User
    from support import actions
    from support.models import Ticket

    desk.fill(bench)
    if not Ticket.objects.exclude(next_due_at=None).exists():
        actions.recompute_open("Bench", at=bench.now)
    leader = User.objects.create_user("queue@desk.example", name="Vera", role=Role.VP_CS)
    ticket = Ticket.objects.active().order_by("next_due_at", "pk")[20]
    for number in range(ANSWERS):
        actions.reply(ticket, f"We look into it, part {number}", actor=leader, at=bench.now)
    # As the desk stands a moment later: told of what was due, and its tables tidied.
    while actions.note_due(at=bench.now):
        pass
    with connection.cursor() as cursor:
        for table in ("support_ticket", "support_slaclock"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    host = bench.select("desk", pack="fmea").domains.get(is_primary=True).domain
    client = Client(HTTP_HOST=host)
    client.force_login(leader)
    return host, f"Cookie: sid={client.cookies['sid'].value}", ticket.pk


def check_queue(text: str) -> None:
    """The first page holds the 50 most urgent active tickets, as a plain sort in Python has them."""
    from support.models import Ticket

    rows = Ticket.objects.active().exclude(next_due_at=None).values_list("next_due_at", "pk")
    wanted = [str(pk) for _due, pk in sorted(rows)[:50]]
    shown = list(dict.fromkeys(re.findall(r"/tickets/([0-9a-f-]{36})/", text)))
    assert shown == wanted, "the most urgent come first"


def check_ticket(text: str) -> None:
    """Every answer stands on the page."""
    assert all(f"We look into it, part {number}" in text for number in range(ANSWERS))
