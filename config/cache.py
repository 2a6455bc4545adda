"""The cache: Django's on Redis, with one client a thread instead of one a call."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis


class KeptClient(redis.RedisCacheClient):
    """Making a client costs as much as asking Redis something; a client and its pool serve as long as the thread."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: dict[int, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client for the server that ``key`` is on."""
        place = self._get_connection_pool_index(write)
        if place not in self._kept:
            self._kept[place] = super().get_client(key, write=write)
        return self._kept[place]


class RedisCache(redis.RedisCache):
    """What the settings name."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient
