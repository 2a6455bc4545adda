"""Figures and formulas in words, for templates: ``{% load figures %}``."""

from __future__ import annotations

from django import template

from health import wording
from ui.wording import measured

register = template.Library()
register.filter("formula", wording.formula_in_words)


@register.filter
def reading(value: object, key: str) -> str:
    """The reading of the figure ``key`` with its unit."""
    return measured(key, value)
