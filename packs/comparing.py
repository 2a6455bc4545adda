"""The scorecard by which each methodology would score an account: the workspace's version, else the shipped one."""

from __future__ import annotations

from functools import cache

from health.cards import CompiledCard, compile_definition, compiled
from health.choices import VersionState
from health.models import ScorecardVersion
from packs import files


def main_cards() -> list[tuple[str, str, str, CompiledCard]]:
    """(pack, name, version in words, card) of all five, in their order. One query."""
    live = {
        version.scorecard.key: version
        for version in ScorecardVersion.objects.filter(state=VersionState.ACTIVE).select_related("scorecard")
    }
    found = []
    for key in files.PACK_KEYS:
        shipped = _shipped(key)
        version = live.get(shipped.card.key)
        name = files.load(key)["pack"]["name"]
        if version is not None and version.scorecard.pack == key:
            found.append((key, name, f"version {version.number}", compiled(version)))
        else:
            found.append((key, name, "as shipped", shipped))
    return found


@cache
def _shipped(key: str) -> CompiledCard:
    cards = files.load(key)["scorecards"]
    return compile_definition(next((card for card in cards if card.get("default")), cards[0]))
