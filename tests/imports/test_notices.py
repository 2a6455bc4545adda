"""Whoever began an import is told when it is in, or that it was stopped."""

from __future__ import annotations

import pytest

from engagement.models import Notification
from imports import running

pytestmark = pytest.mark.django_db


def test_the_end_of_an_import_is_told_once_with_its_figures(bring_in, leader):
    job = bring_in("id,name\nA-1,Halden\n,\n", "accounts")
    notice = Notification.objects.get()
    assert (notice.user, notice.kind, notice.url) == (leader, "import_done", f"/imports/{job.pk}/")
    assert notice.title == f"file.csv is in: {job.created + job.updated} rows kept, {job.rejected} rejected"


def test_a_check_tells_nothing(bring_in):
    bring_in("id,name\nA-1,Halden\n", "accounts", check=True)
    assert Notification.objects.count() == 0


def test_an_import_that_we_broke_is_told_too(bring_in, leader, monkeypatch):
    def broken(*_arguments, **_more):
        raise RuntimeError

    monkeypatch.setattr(running, "_through", broken)
    job = bring_in("id,name\nA-1,Halden\n", "accounts")
    assert job.state == "failed"
    assert Notification.objects.get().title == "file.csv was stopped by an error"
