"""Words of the desk in templates."""

from __future__ import annotations

from django import template

from support.words import REASONS, duration

register = template.Library()


@register.filter
def length_of(seconds: float) -> str:
    """``3 h 20 min`` of seconds, whatever their sign."""
    return duration(abs(seconds))


@register.filter
def reason(why: str) -> str:
    """Why a stretch of time counted or did not, in words."""
    return REASONS.get(why, str(why).replace("_", " "))
