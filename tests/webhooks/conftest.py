from __future__ import annotations

import pytest

from accounts.choices import Role
from tests.factories import AT, UserFactory
from tests.webhooks.receiver import receiver
from webhooks.actions import create_endpoint
from webhooks.catalogue import EVENT_TYPES

EVERYTHING = [known.name for known in EVENT_TYPES]


@pytest.fixture
def there(settings):
    """A receiver that may be reached though it is no public address."""
    settings.WEBHOOKS_UNGUARDED = True
    with receiver() as server:
        yield server


@pytest.fixture
def admin(db):
    return UserFactory(email="ada@acme.example", name="Ada Admin", role=Role.ADMIN)


@pytest.fixture
def endpoint(admin, there):
    """An endpoint for everything; its secret is at ``secret``."""
    made, secret = create_endpoint(url=there.url, event_types=EVERYTHING, actor=admin, at=AT)
    made.secret = secret
    return made
