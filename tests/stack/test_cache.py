"""One client of the cache serves many calls."""

from django.core.cache import caches


def test_a_client_is_made_once_and_works(db):
    backend = caches.create_connection("default")
    client = backend._cache.get_client()
    assert backend._cache.get_client("key", write=True) is client
    backend.set("kept", {"a": 1}, 30)
    assert backend.get("kept") == {"a": 1}
    assert not backend.add("kept", 2, 30)
    backend.delete("kept")
    assert backend.get("kept") is None
