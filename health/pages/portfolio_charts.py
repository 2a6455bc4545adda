"""The charts of the portfolio, for the page and for the board pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from django.utils.safestring import SafeString

from health.book.cells import tone
from health.book.compare import Bridge
from health.book.figures import COLOURS
from health.book.portfolio import Month
from health.book.retention import AGES, Cohort
from health.book.sums import NOTHING, Sums, months_due
from ui import formats
from ui.charts import Chart, Series, bridge, donut, heat_map, stacked_bars

months = months_due


def short(currency: str) -> Callable[[float], str]:
    """Money as charts write it."""
    return lambda value: formats.money(Decimal(str(round(value, 2))), currency, compact=True)


def quarter_label(quarter: date) -> str:
    """``Q3 2025``."""
    return f"Q{(quarter.month + 2) // 3} {quarter.year}"


def bands(history: Sequence[Month], names: dict[str, str], currency: str) -> Chart | None:
    """ARR by colour, month by month; None before the first recompute."""
    if not history:
        return None
    write = short(currency)
    used = [colour for colour in COLOURS if any(month.arr[colour] for month in history)]
    series = [Series(tone(colour), names[colour], [float(month.arr[colour]) for month in history]) for colour in used]
    categories = [(f"{month.day:%b}", formats.day(month.day)) for month in history]
    last = history[-1]
    parts = ", ".join(f"{names[colour]} {write(float(last.arr[colour]))}" for colour in used)
    desc = f"Stacked bars, one a month. On {formats.day(last.day)}: {parts}."
    return stacked_bars("ARR by health band, last 12 months", desc, categories, series, write)


def pie(now: Sums, names: dict[str, str], currency: str, *, legend: bool = True) -> SafeString | None:
    """The colour pie (FLEET-7.19): ARR by colour, or accounts where no ARR is known."""
    colours = [colour for colour in reversed(COLOURS) if now.by_colour[colour].accounts]
    if not colours:
        return None
    by_money = bool(now.whole.arr)
    write = short(currency) if by_money else "{:,.0f}".format
    parts = [
        (
            tone(colour),
            names[colour],
            float(now.by_colour[colour].arr if by_money else now.by_colour[colour].accounts),
        )
        for colour in colours
    ]
    counts = ", ".join(f"{names[colour]} {now.by_colour[colour].accounts}" for colour in colours)
    middle = (write(sum(value for _key, _label, value in parts)), "ARR" if by_money else "accounts")
    return donut("Share of ARR by band", f"Accounts: {counts}.", parts, write, middle, legend=legend)


def renewals(now: Sums, names: dict[str, str], currency: str) -> Chart | None:
    """ARR of contracts that end in each of the coming months, by the colour of their accounts."""
    if not now.due:
        return None
    write = short(currency)
    due = months_due(now.day)
    amounts = {colour: [float(now.due.get(month, {}).get(colour, NOTHING).arr) for month in due] for colour in COLOURS}
    series = [Series(tone(colour), names[colour], values) for colour, values in amounts.items() if any(values)]
    total = sum(sum(values) for values in amounts.values())
    first = sum(values[0] for values in amounts.values())
    desc = f"Stacked bars, one a month. {write(total)} end in six months, {write(first)} of it this month."
    categories = [(f"{month:%b}", f"{month:%B %Y}") for month in due]
    return stacked_bars("ARR up for renewal by month", desc, categories, series, write)


def cohort_map(cohorts: Sequence[Cohort]) -> Chart | None:
    """Net retention by start quarter; None where no contract tells."""
    if not cohorts:
        return None
    columns = [f"Q{age + 1}" for age in range(min(AGES, max(len(cohort.shares) for cohort in cohorts)))]
    values = [
        [float(share) for share in cohort.shares] + [None] * (len(columns) - len(cohort.shares)) for cohort in cohorts
    ]
    known = [value for row in values for value in row if value is not None]
    oldest = cohorts[0]
    desc = (
        f"Customers who started in {quarter_label(oldest.quarter)} bring {oldest.shares[-1]:.0f} per cent of their "
        f"first ARR after {len(oldest.shares)} quarters."
    )
    labels = [quarter_label(cohort.quarter) for cohort in cohorts]
    top = max(*known, 101.0)
    return heat_map(
        "Net retention by start quarter",
        desc,
        labels,
        columns,
        values,
        "{:.0f}".format,
        (100.0, top),
        baseline=100.0,
        rows_are="Start quarter",
    )


def bridge_chart(title: str, found: Bridge, days: tuple[str, str], currency: str, *, down_is_good: bool) -> Chart:
    """From the amount of one day to that of another, step by step."""
    write = short(currency)
    desc = f"{write(float(found.before))} on {days[0]}, {write(float(found.after))} on {days[1]}."
    steps = [(step.label, float(step.amount)) for step in found.steps]
    return bridge(
        title, desc, (days[0], float(found.before)), steps, (days[1], float(found.after)), write,
        good="down" if down_is_good else "up",
    )  # fmt: skip
