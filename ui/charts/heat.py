"""A heat map: rows against columns, a sequence of blues with its ink, warm below the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from ui.charts.chart import Chart
from ui.charts.svg import MIDDLE, NARROW, WIDE, Formatter, document, fill, tag, text, tip

TOP, CELL, LABEL = 20, 30, 76
_STEPS = 7


def heat_map(
    title: str,
    desc: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    formatter: Formatter,
    scale: tuple[float, float],
    baseline: float | None = None,
    *,
    rows_are: str,
) -> Chart:
    """Cells coloured between the two ends of ``scale``; those below ``baseline`` are warm; None is left empty.

    ``rows_are`` heads their names in the table.
    """

    def draw(width: int) -> str:
        room = (width - LABEL) / max(1, len(columns))
        parts = [text(LABEL + at * room + room / 2, 12, name, anchor="middle") for at, name in enumerate(columns)]
        for at, name in enumerate(rows):
            parts.append(text(0, TOP + at * CELL + CELL / 2 + 4, name, "text-2"))
            parts += [
                _cell(
                    name,
                    columns[k],
                    value,
                    formatter,
                    LABEL + k * room,
                    TOP + at * CELL,
                    room,
                    _key(value, scale, baseline),
                )
                for k, value in enumerate(values[at])
                if value is not None
            ]
        return document(width, TOP + CELL * len(rows) + 2, "".join(parts), title, desc)

    table = [
        [name, *("–" if value is None else formatter(value) for value in values[at])] for at, name in enumerate(rows)
    ]
    return Chart(title, *(draw(width) for width in (NARROW, MIDDLE, WIDE)), heads=[rows_are, *columns], rows=table)


def _key(value: float, scale: tuple[float, float], baseline: float | None) -> str:
    if baseline is not None and value < baseline:
        return "r1"
    low, high = scale
    step = int((value - low) / ((high - low) or 1) * _STEPS)
    return f"q{max(0, min(_STEPS - 1, step))}"


def _cell(row: str, column: str, value: float, formatter: Formatter, x: float, y: float, width: float, key: str) -> str:
    shown = formatter(value)
    body = tag("rect", x=x + 1, y=y + 1, width=width - 2, height=CELL - 2, rx=3, **fill(key))
    body += text(x + width / 2, y + CELL / 2 + 4, shown, f"{key}-ink", anchor="middle", weight=500)
    return tag("g", body, class_="cell", data_tip=tip(f"{row}, {column}", [(key, "", shown)]))
