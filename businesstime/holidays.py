"""Public holidays of a country, from the ``holidays`` library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import holidays
from holidays.registry import COUNTRIES


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


def country_names() -> list[tuple[str, str]]:
    """(ISO code of two letters, English name) of the countries the library knows, by name."""
    found = {}
    for entry in COUNTRIES.values():
        name, code = entry[0], entry[1]
        found[code] = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return sorted(found.items(), key=lambda item: item[1])


def known_countries() -> dict[str, list[str]]:
    """ISO codes the library knows, each with its subdivisions."""
    return {str(country): list(parts) for country, parts in holidays.list_supported_countries().items()}
