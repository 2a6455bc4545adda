"""Which letters about an incident were sent when, as a part of another row."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from support.models import IncidentLetter


def letters_said(incident: str) -> Any:
    """[{"key", "at"}, …] of the letters about the incident whose key stands in the row's ``incident``: a subquery."""
    rows = IncidentLetter.objects.filter(incident=OuterRef(incident)).order_by("sent_at")
    return ArraySubquery(rows.values(shown=JSONObject(key="key", at="sent_at")))
