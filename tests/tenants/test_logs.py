"""What the log says of a request that is refused: its path, and no secret in it."""

from __future__ import annotations

import io
import logging
from logging.config import dictConfig

import pytest
from django.conf import settings

KEY = "01a22454-41d9-741c-8696-b351a0d985a5"
SECRET = "Zm9yIHlvdXIgZXllcyBvbmx5LCBhbmQgbm9uZS1vdGhlcg"


@pytest.fixture
def written():
    """What the installation's own handler writes."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    dictConfig(settings.LOGGING)
    text = io.StringIO()
    (handler,) = root.handlers
    handler.setStream(text)
    yield text.getvalue
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (f"/day/calendar/{SECRET}.ics", "/day/calendar/….ics"),
        (f"/people/invitation/{SECRET}/", "/people/invitation/…/"),
        (f"/support/rate/{SECRET}/", "/support/rate/…/"),
        (f"/support/rate/{SECRET}:1tZ9:{SECRET}/", "/support/rate/…/"),
        (f"/portal/{KEY}/nowhere/", f"/portal/{KEY}/nowhere/"),
    ],
)
def test_a_refused_address_is_logged_without_its_secret(client, written, path, logged):
    assert client.get(path).status_code == 404
    assert SECRET not in written()
    assert f"Not Found: {logged}\n" in written()
