"""Callers of the API."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from django.utils import timezone

from accounts.actions.tokens import issue_token
from accounts.choices import Role
from tests.factories import UserFactory


class Api:
    """A caller with a token: methods take a path below /api/v1/ and answer with ``json`` at hand."""

    def __init__(self, client, token):
        self.client = client
        self.token = token

    def __call__(self, method, path, body=None, **headers):
        raw = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else b""
        extra = {f"HTTP_{name.upper()}": value for name, value in headers.items() if name != "content_type"}
        if self.token:
            extra["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        return self.client.generic(
            method, f"/api/v1/{path}", raw, content_type=headers.get("content_type", "application/json"), **extra
        )

    def get(self, path, **headers):
        return self("GET", path, **headers)

    def post(self, path, body, **headers):
        return self("POST", path, body, **headers)

    def patch(self, path, body, **headers):
        return self("PATCH", path, body, **headers)

    def put(self, path, body, **headers):
        return self("PUT", path, body, **headers)

    def delete(self, path, **headers):
        return self("DELETE", path, **headers)


def token_for(user, *scopes, at=None):
    _token, raw = issue_token(
        user, name="test", scopes=scopes or ("read", "write", "admin"), actor=None, at=at or timezone.now()
    )
    return raw


@pytest.fixture
def owner(db):
    return UserFactory(email="olga@acme.example", name="Olga Own", role=Role.OWNER)


@pytest.fixture
def csm(db):
    return UserFactory(email="carl@acme.example", name="Carl Csm", role=Role.CSM)


@pytest.fixture
def api(client, owner):
    return Api(client, token_for(owner))


@pytest.fixture
def csm_api(client, csm):
    return Api(client, token_for(csm))


@pytest.fixture
def nobody(client):
    return Api(client, "")


@pytest.fixture
def yesterday():
    return timezone.now() - timedelta(days=1)
