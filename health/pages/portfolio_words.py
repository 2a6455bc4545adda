"""The portfolio in words: its figures with what they mean, the sentence at the top, and the rows of its lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from health.book.cells import band_name, tone
from health.book.choices import ScopeChoices
from health.book.figures import AT_RISK, FIGURES, FORMULAS, Figure, is_met
from health.book.portfolio import Mover, Portfolio
from health.book.scope import Scope
from health.book.sums import Load, Sums
from ui import atoms, formats
from ui.charts import bullet, spark, split_bar

NO_CHANGE = "no change"
NBSP = "\N{NO-BREAK SPACE}"
SPARKS = {"arr": "c1", "risk": "c3"}
MOST_LOADS = 12


@dataclass(frozen=True, slots=True)
class Target:
    """A figure's target with its unit, whether it is met (None: the figure is not known), and what is missing."""

    value: str
    is_met: bool | None
    missing: str

    @property
    def words(self) -> str:
        """``Target 107.0 %, 4.0 pt to go``."""
        state = {True: ", met", False: f", {self.missing} to go", None: ""}[self.is_met]
        return f"Target {self.value}{state}"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of the strip: what it is, how it moved, what it means, as of when, and the rows behind it."""

    key: str
    label: str
    value: str
    sub: str
    definition: str
    as_of: str
    url: str
    target: Target | None = None
    delta: SafeString | str = ""
    spark: SafeString | str = ""


def page_url(name: str, scope: Scope, *args: str, part: str = "", **changes: str) -> str:
    """The address of one of the portfolio's pages for the same scope; ``part`` is a figure's.

    Of the whole portfolio it says so: without anything asked for the page opens with the reader's default view.
    """
    path = reverse(f"accounts:portfolio-{name}" if name else "accounts:portfolio", args=args)
    parameters = scope.parameters(**changes, part=part) or ({} if name else {"view": "all"})
    return f"{path}?{urlencode(parameters)}" if parameters else path


def figure_url(key: str, scope: Scope, **parameters: str) -> str:
    """The list behind a figure."""
    path = reverse("accounts:portfolio-figure", args=[key])
    query = urlencode({**scope.parameters(), **parameters})
    return f"{path}?{query}" if query else path


def said(figure: Figure, value: Decimal | None, currency: str, *, compact: bool = True) -> str:
    """A value with its unit."""
    if figure.unit == "money":
        return formats.money(value, currency, compact=compact)
    if figure.unit == "percent":
        return formats.percent(value, 1)
    return formats.number(value, 1 if figure.unit == "points" else 0)


def period_words(scope: Scope) -> str:
    """``since 29 Oct 2026``, with which every change is announced."""
    return f"since {formats.day(scope.since)}"


def moved(
    figure: Figure, now: Decimal | None, then: Decimal | None, scope: Scope, *, none: str = ""
) -> SafeString | str:
    """The change: points of per cent or of score, or per cent of an amount. Empty where one day is not known.

    ``none`` is said where nothing changed; without it that is told only to who listens.
    """
    change, unit = _change(figure, now, then)
    if change is None:
        return ""
    if none and not change:
        return atoms.html(f'<span class="faint">{none}</span>')
    return atoms.delta(change, unit, figure.good, period_words(scope), places=1)


def moved_in_words(figure: Figure, now: Decimal | None, then: Decimal | None) -> str:
    """The change as text: ``+0.5 %``, ``−4.2 pt``, ``no change``; empty where one day is not known."""
    change, unit = _change(figure, now, then)
    if change is None:
        return ""
    return f"{formats.signed(change, 1)}{unit}" if change else NO_CHANGE


def _change(figure: Figure, now: Decimal | None, then: Decimal | None) -> tuple[Decimal | None, str]:
    """The change and its unit; None where one day is not known, or an amount began at nothing."""
    if now is None or then is None:
        return None, ""
    if figure.unit in {"percent", "points"}:
        return _tenth(now - then), " pt" if figure.unit == "percent" else ""
    return (_tenth((now - then) * 100 / then), " %") if then else (None, "")


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"))


def target_of(figure: Figure, value: Decimal | None, targets: Mapping[str, Decimal], currency: str) -> Target | None:
    """A figure's target against its value; None where it has none."""
    target = targets.get(figure.key)
    if target is None:
        return None
    missing = Decimal(0) if value is None else abs(target - value)
    unit = " pt" if figure.unit == "percent" else ""
    short = f"{formats.number(missing, 1)}{unit}" if unit else said(figure, missing, currency)
    return Target(said(figure, target, currency), is_met(figure, value, target), short)


def kpis(
    data: Portfolio, scope: Scope, currency: str, keys: Sequence[str], targets: Mapping[str, Decimal]
) -> list[Kpi]:
    """Figures of the strip, each with its change since the day compared with and its target."""
    found = []
    for key in keys:
        figure = FIGURES[key]
        now, then = data.value(key), data.value_before(key)
        line = _line(data, key)
        found.append(
            Kpi(
                key=key,
                label=figure.label,
                value=said(figure, now, currency),
                sub=_sub(key, data),
                definition=definition(figure, data, currency),
                as_of=f"As of {formats.day(scope.on)}.",
                url=figure_url(key, scope),
                target=target_of(figure, now, targets, currency),
                delta=moved(figure, now, then, scope),
                spark=spark(line, SPARKS[key], width=56) if line else "",
            )
        )
    return found


def definition(figure: Figure, data: Portfolio | None, currency: str) -> str:
    """What a figure is and how it is worked out; money also says which currency counts."""
    words = f"{figure.definition} Worked out as {FORMULAS[figure.formula].words}."
    foreign = data is not None and data.now.other_currencies
    return f"{words} Only what is paid in {currency}." if foreign and figure.unit == "money" else words


def _line(data: Portfolio, key: str) -> list[float]:
    if key == "arr":
        return [float(sum(month.arr.values(), Decimal(0))) for month in data.history]
    if key == "risk":
        return [float(sum(month.arr[colour] for colour in AT_RISK)) for month in data.history]
    return []


def _accounts(number: int) -> str:
    return f"{number:,} account{'' if number == 1 else 's'}"


def _sub(key: str, data: Portfolio) -> str:
    now, kept = data.now, data.retention
    then = f"{kept.customers:,} customer{'' if kept.customers == 1 else 's'} then"
    return {
        "nrr": then,
        "grr": then,
        "churn": f"{kept.customers - kept.kept:,} of {kept.customers:,} left",
        "arr": _accounts(now.whole.accounts),
        "risk": _accounts(now.at_risk.accounts),
        "renewing": f"{_accounts(now.renewing.accounts)}, {now.renewing_at_risk.accounts:,} at risk",
        "accounts": f"{now.other_currencies:,} in another currency" if now.other_currencies else "customers",
        "scored": f"{now.scored:,} of {now.whole.accounts:,}",
        "coverage": "of the scorecard's weight",
        "fresh": f"{now.fresh:,} of {now.whole.accounts:,}",
        "score": f"of {now.scored:,} scored",
    }[key]


def headline(data: Portfolio, scope: Scope, currency: str) -> dict[str, Any]:
    """What changed, in a sentence: the move of ARR at risk and the account that fell furthest."""
    now = data.now.at_risk.arr
    change = None if data.before is None else now - data.before.at_risk.arr
    fallen = next((mover for mover in data.movers if mover.row["change"] < 0), None)
    return {
        "direction": "" if change is None else "rose" if change > 0 else "fell" if change < 0 else "did not change",
        "amount": formats.money(abs(change or 0), currency, compact=True),
        "now": formats.money(now, currency, compact=True),
        "since": period_words(scope),
        "name": fallen.row["name"] if fallen else "",
        "url": account_url(fallen.row) if fallen else "",
        "points": formats.number(abs(fallen.row["change"]), 1) if fallen else "",
        "reason": fallen.change.sentence(1) if fallen and fallen.change else "",
    }


def account_url(row: dict[str, Any]) -> str:
    """The account's page."""
    return reverse("accounts:account-detail", args=[row["account_id"]])


def list_rows(data: Portfolio, scope: Scope, currency: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of the three lists, written."""
    return {
        "movers": [_mover(mover, scope) for mover in data.movers],
        "risk": [_at_risk(row, scope) for row in data.at_risk],
        "growth": [_growing(row, scope) for row in data.growth],
    }


def _row(row: dict[str, Any], today: date) -> dict[str, Any]:
    days = (row["renewal_on"] - today).days if row["renewal_on"] else None
    renews = (
        "no renewal date"
        if days is None
        else f"renews in{NBSP}{days}{NBSP}d"
        if days >= 0
        else f"{-days}{NBSP}d overdue"
    )
    shown = None if row["shown"] is None else str(row["shown"]).removesuffix(".0")
    mark = atoms.health(shown, tone(row["rag"]), band_name(row["band"]))
    change = row["change"]
    # A change that rounds to nothing is none worth an eye.
    arrow = atoms.delta(_tenth(change), places=1) if change is not None and _tenth(change) else ""
    return {
        "name": row["name"],
        "url": account_url(row),
        "health": atoms.html(f'<span class="hd">{mark}{arrow}</span>'),
        "shown": shown,
        "change": None if change is None else _tenth(change),
        "arr": formats.money(row["arr"], row["currency"], compact=True),
        "owner": row["owner"] or "nobody",
        "renews": renews,
        "band": band_name(row["band"]),
    }


def _mover(mover: Mover, scope: Scope) -> dict[str, Any]:
    reason = mover.change.sentence() if mover.change else "Scored by another version then"
    return _row(mover.row, scope.on) | {"reason": reason or "Several small changes", "money": ""}


def _at_risk(row: dict[str, Any], scope: Scope) -> dict[str, Any]:
    one = _row(row, scope.on)
    return one | {"reason": f"{one['owner']} · {one['renews']}", "money": one["arr"]}


def _growing(row: dict[str, Any], scope: Scope) -> dict[str, Any]:
    one = _row(row, scope.on)
    return one | {"reason": f"{_growth_reason(row, scope)} · {one['owner']}", "money": one["arr"]}


def _growth_reason(row: dict[str, Any], scope: Scope) -> str:
    if row["is_full"] and scope.on == scope.today:
        return f"{row['assigned_users']:,} of {row['seats']:,} seats given out"
    change = row["change"]
    if change and change > 0:
        return f"Up {formats.number(change, 1)} {period_words(scope)}"
    return "Steady in a green band"


def ranked(now: Sums) -> list[Load]:
    """Owners' books: nobody's first, then the fullest, then the most ARR."""
    return sorted(now.loads.values(), key=lambda load: (load.owner_id is not None, -load.used, -load.book.arr))


def loads(now: Sums, choices: ScopeChoices, scope: Scope, currency: str) -> list[dict[str, Any]]:
    """Each owner's book against the capacity that its tiers allow: a full bar up to the mark is a full book.

    Where tiers set no limit the bar is the book's ARR on one scale, the part at risk first.
    """
    most = max((load.book.arr for load in now.loads.values()), default=Decimal(0))
    return [_load(load, most, choices, scope, currency) for load in ranked(now)[:MOST_LOADS]]


def _load(load: Load, most: Decimal, choices: ScopeChoices, scope: Scope, currency: str) -> dict[str, Any]:
    used = float(load.used) * 100
    limited = load.owner_id is not None and load.book.accounts > load.unlimited
    if limited:
        bar = bullet(used, 100, "risk" if used > 100 else "c1", width=600, top=150)
    else:
        bar = split_bar(float(load.at_risk.arr), float(load.book.arr), float(most or 1))
    return {
        "name": choices.owner(load.owner_id),
        "url": figure_url("arr", scope, owner=str(load.owner_id or "none")),
        "accounts": load.book.accounts,
        "arr": formats.money(load.book.arr, currency, compact=True),
        "at_risk": load.at_risk.accounts,
        "used": f"{formats.percent(used)} of capacity" if limited else "",
        "over": limited and used > 100,
        "bar": bar,
    }
