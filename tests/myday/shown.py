"""What a page of the day is read by, and an account that fell since yesterday."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from health.models import AccountHealth, HealthScore
from tests.health import world as health

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://acme.localhost/day/"}


def fall(account, today, before, after, band_before="green", band="red"):
    """The account's score of yesterday and of today, as two runs would have left them."""
    health.card()
    health.score(account)
    row = AccountHealth.objects.get(account=account)
    common = {
        field.attname: getattr(row, field.attname)
        for field in HealthScore._meta.concrete_fields
        if field.attname not in {"account_id", "computed_on", "score", "band", "band_rank"}
    }
    HealthScore.objects.filter(account=account).delete()
    for day, score, name in ((today - timedelta(days=1), before, band_before), (today, after, band)):
        rank = 0 if name == band_before else 2
        HealthScore.objects.create(account=account, computed_on=day, score=score, band=name, band_rank=rank, **common)


def text(response):
    return response.content.decode()


def rows(response):
    return re.findall(r'<li data-item id="([a-z]+)-', text(response))


def toast(response):
    return json.loads(response["HX-Trigger"])["toast"]
