"""Words of the desk in templates."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

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


@register.filter
def changed(field: str) -> str:
    """What a history calls a field of a calendar."""
    return {"definition": "hours", "minutes_per_day": "minutes of a business day"}.get(field, field.replace("_", " "))


@register.simple_tag
def zoned(moment: datetime, like: datetime) -> SafeString:
    """``moment`` by the wall clock of ``like``'s zone: "Fri 27 Nov, 17:55"."""
    local = moment.astimezone(like.tzinfo)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), f"{local:%a} {local.day} {local:%b, %H:%M}")
