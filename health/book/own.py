"""Own fields where an account is shown: its key facts, and how their values are written on pages and in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models.functions import JSONObject
from django.utils.safestring import SafeString

from accounts.choices import FieldKind
from accounts.models import OwnField
from accounts.own_values import FieldDefinition, Held, as_text, held, in_words, token_of
from health.book.cells import FAINT_DASH
from ui import formats
from ui.atoms import html, icon

_SHOWN_LINK = 40


@dataclass(frozen=True, slots=True)
class OwnFact:
    """One own field of an account as its page shows it. ``link`` is the address that it holds, if it is one."""

    field: FieldDefinition
    text: SafeString
    link: str = ""

    @property
    def token(self) -> str:
        """What the ids of its elements end in."""
        return token_of(self.field.name)


def definitions() -> Any:
    """Every own field, to be read with an account's row: an expression, no query of its own."""
    row = JSONObject(
        key="key", label="label", kind="kind", options="options", help_text="help_text", archived="archived_at"
    )
    return ArraySubquery(OwnField.objects.order_by("position", "created_at", "pk").values(row=row))


def own_facts(
    custom: Mapping[str, Any], rows: list[Mapping[str, Any]], today: date
) -> tuple[list[OwnFact], list[tuple[str, str]]]:
    """What an account holds in the fields ``rows`` (as ``definitions`` reads them) that are not archived, and
    (key, text) of what it holds besides.
    """
    fields = [_definition(row) for row in rows]
    known = {field.key for field in fields}
    others = [(key, as_text(value) or formats.DASH) for key, value in custom.items() if key not in known]
    return [_fact(field, custom, today) for field in fields if not field.is_archived], others


def _definition(row: Mapping[str, Any]) -> FieldDefinition:
    return FieldDefinition(
        row["key"], row["label"], row["kind"], tuple(row["options"]), row["help_text"], row["archived"] is not None
    )


def _fact(field: FieldDefinition, custom: Mapping[str, Any], today: date) -> OwnFact:
    found = held(field, custom)
    link = str(found.value) if field.kind == FieldKind.LINK and found.fits and found.value else ""
    return OwnFact(field, html(own_html(field, found, today)), link)


def own_html(field: FieldDefinition, found: Held, today: date) -> str:
    """A value as a cell shows it; one that does not fit stands there as it is, and is marked."""
    if found.value is None:
        return FAINT_DASH
    if not found.fits:
        what = f"This does not fit: {FieldKind(field.kind).label.lower()} expected"
        return (
            f'<span class="warn" title="{what}">{icon("triangle-alert")} {escape(as_text(found.value))}'
            f'<span class="vh"> ({what})</span></span>'
        )
    if isinstance(found.value, date):
        return f'<span class="nowrap">{formats.day(found.value, today=today)}</span>'
    if field.kind == FieldKind.LINK:
        text = str(found.value).split("://", 1)[-1].rstrip("/")
        short = text if len(text) <= _SHOWN_LINK else f"{text[:_SHOWN_LINK]}…"
        return f"<span>{escape(short)}</span>"
    css = "num" if field.kind == FieldKind.NUMBER else "dim"
    return f'<span class="{css}">{escape(in_words(found.value))}</span>'


def own_file_value(field: FieldDefinition, custom: Mapping[str, Any]) -> Any:
    """A value in a file: numbers and days as such, everything else, and what does not fit, as text."""
    found = held(field, custom)
    if found.value is None:
        return None
    if not found.fits:
        return as_text(found.value)
    plain = isinstance(found.value, date | Decimal) or (field.kind == FieldKind.NUMBER)
    return found.value if plain else in_words(found.value)
