"""Public holidays of a country, from the ``holidays`` library."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import holidays


def public_holidays(country: str, subdivision: str, years: Iterable[int]) -> dict[str, str]:
    """``{"2026-12-25": "Christmas Day"}`` of the ISO 3166 ``country``; empty for one the library does not know."""
    return dict(_public_holidays(country.upper(), subdivision.upper(), tuple(years)))


@lru_cache(maxsize=256)
def _public_holidays(country: str, subdivision: str, years: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    except NotImplementedError:
        return ()
    return tuple((day.isoformat(), name) for day, name in sorted(found.items()))


def known_countries() -> dict[str, list[str]]:
    """ISO codes the library knows, each with its subdivisions."""
    return {str(country): list(parts) for country, parts in holidays.list_supported_countries().items()}
