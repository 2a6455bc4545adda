"""How a CTA is written on the board and in the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from playbooks.cells import PRIORITY_TONES, CtaCells
from playbooks.choices import CtaKind, CtaStatus, Priority
from playbooks.queries import CalendarDay, Column
from ui import atoms, formats
from ui.atoms import html


class BoardCells(CtaCells):
    """Writes the columns of a board by ``by``. ``may_work`` gives each card the choice that moves it."""

    def __init__(self, today: date, by: str, choices: Sequence[tuple[str, str]], *, may_work: bool) -> None:
        super().__init__(today)
        self.by, self.choices, self.may_work = by, choices, may_work

    def column(self, column: Column, url: str) -> SafeString:
        """One column with its cards and, where it holds more, the link to all of them."""
        cards = "".join(self.card(row, column) for row in column.rows)
        more = column.total - len(column.rows)
        rest = f'<p class="pad"><a href="{escape(url)}">{more:,} more in {escape(column.label)}</a></p>' if more else ""
        empty = "" if cards else '<p class="faint pad">Nothing here.</p>'
        return html(
            f'<section class="column" data-column="{column.key}" aria-labelledby="c-{column.key}">'
            f'<h2 id="c-{column.key}">{escape(column.label)} <span class="count">{column.total:,}</span></h2>'
            f'<ul role="list">{cards}</ul>{empty}{rest}</section>'
        )

    def card(self, row: dict[str, Any], column: Column) -> str:
        draggable = ' draggable="true"' if self.may_work else ""
        priority = atoms.badge(Priority(row["priority"]).label, PRIORITY_TONES[row["priority"]])
        kind = f'<span class="faint">{escape(CtaKind(row["kind"]).label)}</span>'
        owner = escape(row["owner__name"] or row["owner__email"] or "Nobody")
        done = f" · {row['tasks_done']}/{row['tasks_all']} tasks" if row["tasks_all"] else ""
        money = formats.money(row["account__arr"], row["account__currency"], compact=True)
        title = f'<a href="{self._cta % row["pk"]}">{escape(row["title"])}</a>'
        return (
            f'<li data-card id="card-{row["pk"]}"{draggable}>{title}'
            f'<p class="dim">{escape(row["account__name"])} · {money}</p>'
            f'<p class="row-flex">{"" if self.by == "priority" else priority}{"" if self.by == "kind" else kind}'
            f'<span class="end">{self.due(row)}</span></p><p class="faint">{owner}{done}</p>{self.whose(row)}'
            f"{self.move(row, column)}</li>"
        )

    def move(self, row: dict[str, Any], column: Column) -> str:
        """The way to move a card without dragging it."""
        if not self.may_work or (row["status"] == CtaStatus.CLOSED and self.by != "status"):
            return ""
        name, url = f"to-{row['pk']}", f"{self._cta % row['pk']}move/"
        others = [pair for pair in self.choices if pair[0] != column.key]
        return (
            f'<div class="move"><select class="input" name="{name}" aria-label="Move {escape(row["title"])} to">'
            f"{atoms.options(others)}</select>"
            f'<button class="btn" data-size="sm" type="submit" id="move-{row["pk"]}"'
            f' formaction="{url}" hx-post="{url}">'
            f'Move<span class="vh">: {escape(row["title"])}</span></button></div>'
        )


class CalendarCells(CtaCells):
    """Writes the days of a calendar; ``month`` is the one whose days are in full ink.

    ``may_work`` gives each CTA that is not closed the buttons that move it, by which dragging works too.
    """

    def __init__(self, today: date, month: int | None, parameters: dict[str, str], *, may_work: bool) -> None:
        super().__init__(today)
        self.month, self.parameters, self.may_work = month, parameters, may_work

    def day(self, cell: CalendarDay) -> str:
        """One day: its number, a link to its list, its CTAs and how many more there are."""
        url = escape(f"{self._list}?{urlencode({**self.parameters, 'due': cell.day.isoformat()})}")
        weekday = f'<span class="only-m">{cell.day:%a} </span>'
        number = f'<time datetime="{cell.day.isoformat()}">{weekday}{cell.day.day} {cell.day:%b}</time>'
        heading = f'<a href="{url}">{number}</a>' if cell.total else number
        items = "".join(self.item(row) for row in cell.rows)
        more = cell.total - len(cell.rows)
        rest = f'<p><a href="{url}">{more:,} more</a></p>' if more else ""
        marks = " data-today" if cell.day == self.today else ""
        marks += " data-outside" if self.month and cell.day.month != self.month else ""
        marks += "" if cell.total else " data-empty"
        return (
            f'<li class="cal-day" data-column="{cell.day.isoformat()}"{marks}><h3>{heading}</h3>'
            f'<ul role="list">{items}</ul>{rest}</li>'
        )

    def item(self, row: dict[str, Any]) -> str:
        tone = PRIORITY_TONES[row["priority"]]
        label = Priority(row["priority"]).label
        movable = self.may_work and row["status"] != CtaStatus.CLOSED
        card = ' data-card draggable="true"' if movable else ""
        return (
            f'<li data-tone="{tone}"{card}><a href="{self._cta % row["pk"]}">{escape(row["title"])}</a>'
            f'<span class="faint">{escape(row["account__name"])}</span><span class="vh">, {label} priority</span>'
            f"{self.whose(row)}{self.steps(row) if movable else ''}</li>"
        )

    def steps(self, row: dict[str, Any]) -> str:
        """Two buttons, a day earlier and a day later; the empty field takes the day it is dropped on."""
        key, url = row["pk"], f"{self._cta % row['pk']}due/"
        buttons = "".join(
            f'<button class="btn" data-size="sm" data-icon type="submit" id="{name}-{key}" name="days" value="{days}"'
            f' formaction="{url}" hx-post="{url}" aria-label="A day {name}: {escape(row["title"])}">'
            f"{atoms.icon(icon)}</button>"
            for name, days, icon in (("earlier", -1, "chevron-left"), ("later", 1, "chevron-right"))
        )
        return f'<div class="move"><input type="hidden" name="on-{key}">{buttons}</div>'
