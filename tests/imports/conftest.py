"""Files and the workers they are given to."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from accounts.choices import Role
from imports.actions import choose_columns, start_check, start_import, take_file
from imports.running import work
from tests.factories import UserFactory

FILES = Path(__file__).parent / "files"


@pytest.fixture
def media(settings):
    """The run's folder of files, emptied after each test. Moving it here would leave the storage looking elsewhere."""
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def leader(db):
    return UserFactory(email="vera@acme.example", name="Vera VP", role=Role.VP_CS)


@pytest.fixture
def bring_in(leader):
    """Bring in a file (its name in tests/imports/files, or text) and return the finished job."""

    def run(content, target, *, source="crm", rules=None, check=False, order=None):
        raw = (FILES / content).read_bytes() if content.endswith(".csv") else content.encode()
        now = timezone.now()
        job = take_file(raw, name="file.csv", target=target, source=source, actor=leader, at=now)
        job = choose_columns(job, rules or job.mapping, date_order=order or job.date_order, actor=leader, at=now)
        job = (start_check if check else start_import)(job, actor=leader, at=now)
        while not work(job.pk):
            pass
        job.refresh_from_db()
        return job

    return run


def counts(job):
    """(state, rows, created, updated, duplicates, rejected)."""
    return (str(job.state), job.rows, job.created, job.updated, job.duplicates, job.rejected)
