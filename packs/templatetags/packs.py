"""Keys of a methodology as people read them."""

from __future__ import annotations

from django import template

from packs.files import PACK_KEYS, load
from packs.layout import words

register = template.Library()
register.filter("words", words)


@register.filter
def pack_name(key: str) -> str:
    """The name of the methodology of that key; the key itself where none comes with the product."""
    return str(load(key)["pack"]["name"]) if key in PACK_KEYS else key
