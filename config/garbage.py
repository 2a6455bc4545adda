"""Python's search for cycles, set for processes that answer requests."""

from __future__ import annotations

import gc
from importlib import import_module

from django.conf import settings

# A large page makes some ten thousand objects and drops them with its answer; Python's own 700 would look for cycles
# among them over and over. Cycles that do form wait a few pages longer, which costs some megabytes.
YOUNG, MIDDLE, OLD = 25_000, 20, 20


def settle() -> None:
    """Import what the first request would, and never look at it again: it lives as long as the process does."""
    for urls in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF, settings.PLATFORM_URLCONF):
        import_module(urls)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
