"""A pack's values as HTML that reads well: durations and ranges in words, lists as lists, tables where rows agree.

One function for 41 sections of free shape; what it writes is escaped here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

from health.wording import in_words
from packs.origins import is_ours, reference
from ui.atoms import html

# Not worth showing: keys for machines, and names shown as the heading already.
HIDDEN = frozenset({"key", "name", "title", "seq", "origin", "seed"})
UNITS = {"business_hours": "business hours", "business_days": "business days"}
ABBREVIATIONS = {
    "csm": "CSM", "tam": "TAM", "sla": "SLA", "kpi": "KPI", "roi": "ROI", "nps": "NPS", "csat": "CSAT", "qbr": "QBR",
    "vp": "VP", "cs": "CS", "it": "IT", "usd": "USD", "id": "ID", "url": "URL",
}  # fmt: skip
WIDEST_TABLE = 6
# A key of the pack standing as a value, such as points_sum.
KEY = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


def words(key: str) -> str:
    """A key as a label: ``accounts_per_csm`` → ``Accounts per CSM``."""
    parts = key.replace("-", "_").replace("_pct", "_%").split("_")
    text = " ".join(ABBREVIATIONS.get(part, part) for part in parts if part)
    return text[:1].upper() + text[1:]


def heading(data: Any, key: str) -> str:
    """What an item is called."""
    if isinstance(data, Mapping):
        for name in ("name", "title", "objection", "issue", "label"):
            if isinstance(data.get(name), str):
                return str(data[name])
    return words(key)


def body(data: Any) -> SafeString:
    """An item without its heading."""
    return html(_block(data, hide=True))


def _block(value: Any, *, hide: bool = False) -> str:
    if isinstance(value, Mapping):
        return _mapping(value, hide=hide)
    if isinstance(value, list):
        return _sequence(value)
    return f"<p>{_scalar(value)}</p>"


def _mapping(value: Mapping[str, Any], *, hide: bool) -> str:
    inline = _inline(value)
    if inline:
        return f"<p>{inline}</p>"
    rows = [
        f"<div><dt>{escape(words(name))}{_mark(value, name)}</dt><dd>{_value(name, inner)}</dd></div>"
        for name, inner in value.items()
        if not _skipped(name, inner, hide=hide)
    ]
    return f'<dl class="facts">{"".join(rows)}</dl>' if rows else ""


def _pairs(value: Mapping[str, Any], *, hide: bool) -> str:
    """An object inside another: one line a field. The grid of facts is for the outermost, it grows too wide."""
    rows = [
        f'<li><span class="dim">{escape(words(name))}{_mark(value, name)}</span> {_value(name, inner)}</li>'
        for name, inner in value.items()
        if not _skipped(name, inner, hide=hide)
    ]
    return f"<ul>{''.join(rows)}</ul>" if rows else ""


def _skipped(name: str, value: Any, *, hide: bool) -> bool:
    return (hide and name in HIDDEN) or name in {"key", "origin", "seq"} or name.endswith("_origin") or value in (
        None, [], {}, "",
    )  # fmt: skip


def _mark(owner: Mapping[str, Any], name: str) -> str:
    origin = str(owner.get(f"{name}_origin", ""))
    return f' <span class="faint">our default, {escape(reference(origin))}</span>' if is_ours(origin) else ""


def _value(name: str, value: Any) -> str:
    if name == "condition" and isinstance(value, Mapping):
        return escape(in_words(value))
    if name == "when" and _conditions(value):
        return escape(" and ".join(map(in_words, value)))
    if isinstance(value, Mapping):
        return _inline(value) or _pairs(value, hide=False)
    return _sequence(value, words(name)) if isinstance(value, list) else _scalar(value)


def _sequence(value: Sequence[Any], label: str = "Table") -> str:
    if all(not isinstance(item, Mapping | list) for item in value):
        texts = [_scalar(item) for item in value]
        if sum(map(len, texts)) <= 60:
            return ", ".join(texts)
        return "<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"
    if all(isinstance(item, Mapping) for item in value):
        return _rows(value, label)
    return "<ul>" + "".join(f"<li>{_value('', item)}</li>" for item in value) + "</ul>"


def _rows(items: Sequence[Mapping[str, Any]], label: str) -> str:
    """Objects as a table where they are flat and alike, else as a list, each under its name."""
    columns = list(dict.fromkeys(name for item in items for name in item if not _skipped(name, item[name], hide=False)))
    if set(columns) <= {"title", "name", "detail", "kind", "optional", "label"}:
        return _titles(items)
    if (
        len(columns) <= WIDEST_TABLE
        and len(items) > 1
        and all(_flat(name, item.get(name)) for item in items for name in columns)
    ):
        return _table(items, columns, label)
    entries = "".join(
        f"<li><b>{escape(heading(item, str(item.get('key', ''))))}</b>{_pairs(item, hide=True)}</li>" for item in items
    )
    return f"<ul>{entries}</ul>"


def _titles(items: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for item in items:
        detail = f' <span class="dim">{escape(item["detail"])}</span>' if item.get("detail") else ""
        kind = f' <span class="faint">{escape(item["kind"])}</span>' if item.get("kind") else ""
        optional = ' <span class="faint">optional</span>' if item.get("optional") else ""
        lines.append(f"<li>{escape(heading(item, str(item.get('key', ''))))}{detail}{kind}{optional}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _conditions(value: Any) -> bool:
    """Whether this is the list of conditions of a level."""
    return isinstance(value, list) and all(isinstance(part, Mapping) and "metric" in part for part in value)


def _flat(name: str, value: Any) -> bool:
    if name == "when" and _conditions(value):
        return True
    if isinstance(value, Mapping):
        return bool(_inline(value))
    return not isinstance(value, list) or all(not isinstance(item, Mapping | list) for item in value)


def _table(items: Sequence[Mapping[str, Any]], columns: Sequence[str], label: str) -> str:
    head = "".join(f'<th scope="col">{escape(words(name))}</th>' for name in columns)
    body_rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(name, item.get(name))}</td>" for name in columns) + "</tr>" for item in items
    )
    table = f'<table class="comp"><thead><tr>{head}</tr></thead><tbody>{body_rows}</tbody></table>'
    # Wide tables scroll inside their card on a phone; a keyboard reaches the region to do so.
    return f'<div class="scroll-x" tabindex="0" role="group" aria-label="{escape(label)}">{table}</div>'


def _cell(name: str, value: Any) -> str:
    if name == "when" and not value:
        return "otherwise"
    return '<span class="faint">–</span>' if value in (None, [], {}, "") else _value(name, value)


def _inline(value: Mapping[str, Any]) -> str:
    """A duration or a range in words; empty for any other object."""
    if {"value", "unit", "op"} <= set(value):
        return escape(_duration(value))
    if set(value) <= {"min", "max", "note"} and ("min" in value or "max" in value):
        return escape(_range(value.get("min"), value.get("max"), value.get("note")))
    return ""


def _duration(value: Mapping[str, Any]) -> str:
    unit = UNITS.get(value["unit"], value["unit"])
    if value["value"] == 1:
        unit = unit.removesuffix("s")
    text = f"{'under' if value['op'] == '<' else 'within'} {value['value']} {unit}"
    if value.get("printed"):
        text += f" (“{value['printed']}”)"
    return text + (" – our default" if is_ours(str(value.get("origin", ""))) else "")


def _range(low: Any, high: Any, note: Any) -> str:
    if low is not None and high is not None:
        text = f"{low}" if low == high else f"{low}–{high}"
    else:
        text = f"at most {high}" if low is None else f"at least {low}"
    return f"{text}, {note}" if note else text


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (value in ABBREVIATIONS or KEY.fullmatch(value)):
        return escape(words(value))
    return "–" if value is None else escape(str(value))
