"""Keys of a methodology as people read them."""

from __future__ import annotations

from django import template

from packs.layout import words

register = template.Library()
register.filter("words", words)
