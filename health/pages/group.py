"""The group an account belongs to, with what it comes to."""

from __future__ import annotations

from html import escape
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.choices import AccountStatus
from accounts.csv_out import csv_response
from accounts.frame import account_or_404, frame
from accounts.policy import requires
from health.book.cells import FAINT_DASH, AccountCells, band_name, tone
from health.book.group import Group, Total, group_of
from health.choices import Rag
from ui import atoms, formats

OVERVIEW = "accounts:account-detail"
_STEP = '<span class="faint" aria-hidden="true">–</span>'


@requires(GET="accounts.view")
def account_group(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The accounts of the group as a tree, each with its own figures and those with all under it.

    Two queries beside the frame's.
    """
    account = account_or_404(request, account_id)
    group, today = group_of(request.user, account), timezone.localdate()
    cells = AccountCells(today)
    rows = SafeString("".join(_row(cells, row, account_id) for row in group.rows))
    context = {"group": group, "rows": rows, "total": _total(group.total)}
    return render(request, "health/account_group.html", frame(request, account, OVERVIEW, **context))


@requires(GET="accounts.export")
def group_export(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The rows of the page as CSV."""
    account = account_or_404(request, account_id)
    group: Group = group_of(request.user, account)
    heads = ("level", "account", "score", "band", "arr", "currency", "renewal_on", "owner", "arr_with_all_under_it")
    lines = (
        [row["depth"], row["name"], row["health__shown"], band_name(row["health__current_band"]), row["arr"],
         row["currency"], row["renewal_on"], row["owner__name"] or row["owner__email"] or "",
         _money(row["below"].arr) if row["below"] else ""]
        for row in group.rows
    )  # fmt: skip
    return csv_response(f"group-{timezone.localdate()}.csv", heads, lines)


def _row(cells: AccountCells, row: dict[str, Any], here: UUID) -> str:
    """A line of the table: up to 500 of them, so not in the template."""
    below: Total | None = row["below"]
    name, depth = escape(row["name"]), row["depth"]
    shown = f"<b>{name}</b>" if row["pk"] == here else f'<a href="{cells.url(row)}">{name}</a>'
    level = f'<span class="vh">, level {depth}</span>' if depth else ""
    churned = f" {atoms.badge('Churned')}" if row["status"] == AccountStatus.CHURNED else ""
    under = f"{_money(below.arr)} in {below.accounts}" if below else FAINT_DASH
    return (
        f'<tr><th scope="row"><span class="cell-name">{_STEP * depth}{atoms.logo(row["name"])}'
        f"<span>{shown}{level}{churned}</span></span></th>"
        f'<td>{cells.health(row)}</td><td class="n c-p1">{cells.arr(row)}</td><td class="n num c-p2">{under}</td>'
        f'<td class="n c-p1">{cells.renewal(row)}</td><td class="c-p2">{cells.owner(row)}</td></tr>'
    )


def _total(total: Total) -> dict[str, Any]:
    return {
        "accounts": total.accounts,
        "arr": _money(total.arr),
        "score": "–" if total.score is None else f"{total.score:.1f}",
        "rule": total.rule,
        "worst": Rag(total.worst).label if total.worst else "No data",
        "tone": tone(total.worst),
        "at_risk": total.at_risk,
        "renewal_on": total.renewal_on,
    }


def _money(amounts: dict[str, Any]) -> str:
    return " and ".join(formats.money(amount, currency) for currency, amount in amounts.items()) or "–"
