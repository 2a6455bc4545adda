"""What the portfolio's filters offer, the names of owners and tiers, and the targets of figures. One query."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import Account
from health.book.scope import fetch

_CHOICES = """SELECT 'owner' AS kind, u.id::text AS value, COALESCE(NULLIF(u.name, ''), u.email) AS label, 0 AS place
FROM accounts_user u WHERE u.role NOT LIKE %s AND (u.is_active OR EXISTS (
    SELECT FROM accounts_account a WHERE a.owner_id = u.id))
UNION ALL SELECT 'tier', id::text, name, -rank FROM accounts_tier
UNION ALL SELECT DISTINCT 'segment', segment, segment, 0 FROM ({visible}) AS v(segment) WHERE segment <> ''
UNION ALL SELECT 'rule', id::text, name, 0 FROM health_segment
UNION ALL SELECT 'target', figure, value::text, 0 FROM health_figuretarget
UNION ALL SELECT 'card', c.key, c.name, 0 FROM health_scorecard c WHERE EXISTS (
    SELECT FROM health_scorecardversion v WHERE v.scorecard_id = c.id AND v.state = 'active')
UNION ALL SELECT 'band', b.value ->> 'rag', b.value ->> 'name', b.place FROM health_scorecardversion v
    JOIN health_scorecard c ON c.id = v.scorecard_id AND c.is_default
    CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'bands') WITH ORDINALITY AS b(value, place)
    WHERE v.state = 'active'
ORDER BY kind, place, label"""
_COLOURS = {"red": "Red", "orange": "Orange", "yellow": "Yellow", "green": "Green", "none": "No data"}
MOST_SEGMENTS = 60


@dataclass(frozen=True, slots=True)
class ScopeChoices:
    """(value, label) pairs of each filter, in the order in which they are offered.

    ``rules`` are segments by rule, ``plain`` those typed in. ``bands`` are the words of the default scorecard for each
    colour; bands that share one are joined. ``targets`` are those of figures, by key.
    """

    owners: list[tuple[str, str]]
    tiers: list[tuple[str, str]]
    rules: list[tuple[str, str]]
    plain: list[tuple[str, str]]
    cards: list[tuple[str, str]]
    bands: dict[str, str]
    targets: dict[str, Decimal]

    @property
    def segments(self) -> list[tuple[str, str]]:
        """Both kinds, those by rule first."""
        return [*self.rules, *self.plain]

    def owner(self, key: Any) -> str:
        """An owner's name; "Nobody" for none, "Somebody who left" for one who is offered no more."""
        return "Nobody" if key is None else dict(self.owners).get(str(key), "Somebody who left")


def scope_choices(user: Any) -> ScopeChoices:
    """What ``user`` may choose among: segments only of accounts they may see. One query."""
    segments = Account.objects.visible_to(user).unarchived().order_by().values_list("segment")
    text, parameters = segments.query.sql_with_params()
    found: dict[str, list[tuple[str, str]]] = {
        "owner": [],
        "tier": [],
        "segment": [],
        "rule": [],
        "card": [],
        "band": [],
        "target": [],
    }
    for row in fetch(_CHOICES.format(visible=text), ("portal%", *parameters)):
        found[row["kind"]].append((row["value"], row["label"]))
    names: dict[str, list[str]] = {}
    for colour, name in found["band"]:
        names.setdefault(colour, []).append(name)
    bands = {colour: " / ".join(names.get(colour, [usual])) for colour, usual in _COLOURS.items()}
    plain = found["segment"][:MOST_SEGMENTS]
    targets = {key: Decimal(value) for key, value in found["target"]}
    return ScopeChoices(found["owner"], found["tier"], found["rule"], plain, found["card"], bands, targets)
