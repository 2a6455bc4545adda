"""Several values as one parameter of an address."""

from __future__ import annotations

from collections.abc import Iterable


def split(text: str) -> list[str]:
    """The values of one parameter. Commas part them; a comma inside a value is written %2C, a per cent sign %25."""
    return [part.replace("%2C", ",").replace("%25", "%") for part in text.split(",") if part]


def join(values: Iterable[str]) -> str:
    """``values`` as one parameter; ``split`` gives them back."""
    return ",".join(value.replace("%", "%25").replace(",", "%2C") for value in values)
