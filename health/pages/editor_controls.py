"""The controls of a scorecard's form as they are written: hundreds on a page, so plain text and no template each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from ui import atoms

if TYPE_CHECKING:
    from health.pages.editor import Input


def control(item: Input) -> str:
    """One field: label, input or select, its hint and what is wrong with it."""
    key = escape(item.id)
    named = f'id="{key}" name="{escape(item.name)}"'
    marks = ' aria-invalid="true"' if item.errors else ""
    if item.errors or item.hint:
        marks += f' aria-describedby="{key}-{"e" if item.errors else "h"}"'
    if item.focused:
        marks += " autofocus"
    if item.choices:
        entry = f"<select {named}{marks}>{_options(item.choices, item.value)}</select>"
    else:
        listed = ' list="metrics"' if item.suggests else ""
        entry = f'<input {named} value="{escape(item.value)}" maxlength="200" autocomplete="off"{listed}{marks}>'
    return f'<div class="field"><label for="{key}">{escape(item.label)}</label>{entry}{_below(item, key)}</div>'


def carried(name: str, value: str) -> str:
    """What travels along unseen."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def wrong(tag: str, key: str, errors: Sequence[str]) -> str:
    """What is wrong with a field or a row, in an element named ``key``; empty where nothing is."""
    if not errors:
        return ""
    words = escape(" ".join(errors))
    return f'<{tag} class="err" id="{escape(key)}">{atoms.icon("circle-alert")} <span>{words}</span></{tag}>'


def _below(item: Input, key: str) -> str:
    hint = f'<span class="hint" id="{key}-h">{escape(item.hint)}</span>' if item.hint else ""
    return hint + wrong("span", f"{item.id}-e", item.errors)


@lru_cache(maxsize=256)
def _options(choices: tuple[tuple[str, str], ...], value: str) -> str:
    return "".join(
        f'<option value="{escape(key)}"{" selected" if key == value else ""}>{escape(label)}</option>'
        for key, label in choices
    )
