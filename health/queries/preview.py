"""What a version would do if it went live now: both sets of scores of every account it would score, side by side.

Accounts, inputs and arithmetic are those of a recompute at the same moment; only which version is live differs.
``tests/health/test_preview.py`` activates the version and finds every account where the preview said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from accounts.models import Account
from accounts.queries.workspace import workspace_day
from health.cards import CompiledCard, compiled
from health.choices import Rag
from health.models import ScorecardVersion
from health.queries.influence import Influence, influences
from health.queries.inputs import ActiveCards, Frame, active_cards, frame_for, subjects
from health.queries.replay import score_with
from health.queries.scored import Scored, fill_measures_from_kpis, grouped, metrics_read, score_frame
from health.scoring import decimal
from health.scoring.columns import NONE

if TYPE_CHECKING:
    from accounts.models import User

Colours = dict[str, int]


class Standing(NamedTuple):
    """A score with one decimal and its band; ``rank`` is 0 for the best. All None under half coverage."""

    score: Decimal | None
    shown: Decimal | None
    band: str | None
    name: str
    rag: str
    coverage: Decimal


UNSCORED = Standing(None, None, None, "Not scored", Rag.NONE.value, Decimal(0))


@dataclass(frozen=True, slots=True)
class Change:
    """One account before and after. ``override`` is the band set by hand that goes on standing, or empty."""

    account_id: UUID
    name: str
    owner: str
    arr: Decimal
    currency: str
    before: Standing
    after: Standing
    override: str

    @property
    def moved(self) -> Decimal | None:
        """Points up or down; None where one side has no score."""
        if self.before.score is None or self.after.score is None:
            return None
        return self.after.score - self.before.score

    @property
    def changes_band(self) -> bool:
        return (self.before.band, self.before.rag) != (self.after.band, self.after.rag)

    @property
    def direction(self) -> str:
        """better, worse or same, by the colour; between colours and no score: appears or disappears."""
        if not self.changes_band:
            return "same"
        if Rag.NONE in {self.before.rag, self.after.rag}:
            return "appears" if self.before.rag == Rag.NONE else "disappears"
        old, new = _RANKS.index(self.before.rag), _RANKS.index(self.after.rag)
        return "same" if old == new else "better" if new < old else "worse"


_RANKS = (Rag.GREEN, Rag.YELLOW, Rag.ORANGE, Rag.RED)


@dataclass(frozen=True, slots=True)
class Preview:
    """Every account the version would score, those that move furthest first; ``live`` is the version of now.

    ``influences``: how many of these accounts each measure moves into another band.
    """

    changes: list[Change]
    live: ScorecardVersion | None
    influences: list[Influence]

    @property
    def before(self) -> Colours:
        return _counted(change.before.rag for change in self.changes)

    @property
    def after(self) -> Colours:
        return _counted(change.after.rag for change in self.changes)

    @property
    def crossing(self) -> list[Change]:
        """Accounts whose band changes, worse ones first, then by the money."""
        order = {"worse": 0, "disappears": 1, "appears": 2, "same": 3, "better": 4}
        found = [change for change in self.changes if change.changes_band]
        return sorted(found, key=lambda change: (order[change.direction], -change.arr, change.name))

    @property
    def unchanged(self) -> int:
        return sum(1 for change in self.changes if change.before[:4] == change.after[:4])


def preview_of(version: ScorecardVersion, user: User, *, at: datetime) -> Preview:
    """Scores of the accounts ``version`` would score after its activation at ``at``, before and after.

    The queries of a recompute's reading and one more, whatever the number of accounts; nothing is written.
    """
    on = workspace_day(at, user.workspace_settings.timezone)
    now = active_cards()
    then = with_version(now, version)
    accounts = subjects(None, on, since=False)
    theirs = [place for place, subject in enumerate(accounts) if then.of(subject) is version]
    chosen = [accounts[place] for place in theirs]
    before_cards = grouped(chosen, now)
    metrics = metrics_read(compiled(version)).union(*(metrics_read(card) for card in before_cards))
    # Naming most accounts costs more than reading the others too.
    most = 2 * len(chosen) > len(accounts)
    frame = frame_for([subject.account_id for subject in chosen], metrics, on, everyone=most)
    before = [UNSCORED] * len(chosen)
    for card, places in before_cards.items():
        _stand(before, card, places, frame, at)
    after = [UNSCORED] * len(chosen)
    card = compiled(version)
    scored = _stand(after, card, list(range(len(chosen))), frame, at)
    changes = _named(chosen, before, after, user)
    seen = {change.account_id for change in changes}
    rows = [row for row, subject in enumerate(chosen) if subject.account_id in seen]
    return Preview(changes, now.by_key.get(version.scorecard.key), influences(card, scored, rows))


def with_version(cards: ActiveCards, version: ScorecardVersion) -> ActiveCards:
    """The active versions as they will be once ``version`` is one of them."""
    card = version.scorecard
    return ActiveCards(
        {**cards.by_key, card.key: version},
        {**cards.by_segment, **dict.fromkeys(card.segments, version)},
        version if card.is_default else cards.default,
    )


def _stand(found: list[Standing], card: CompiledCard, places: list[int], frame: Frame, at: datetime) -> Scored:
    """Write the standing of the accounts at ``places``, each distinct one made once; the scores behind it."""
    own = frame.copy() if card.kpis else frame
    fill_measures_from_kpis(card, own)
    scored = score_frame(card, places, own, at=at)
    known: dict[tuple[int, int, int], Standing] = {}
    rows = zip(scored.scores.total.tolist(), scored.band.tolist(), scored.scores.coverage.tolist(), strict=True)
    for place, row in zip(places, rows, strict=True):
        if row not in known:
            known[row] = standing_of(card, *row)
        found[place] = known[row]
    return scored


def standing_of(card: CompiledCard, total: int, band: int, coverage: int) -> Standing:
    """Figures of a score as people see them; coverage in per cent with two decimals, cut."""
    covered = Decimal(coverage // 10_000) / 100
    if total == NONE:
        return Standing(None, None, None, "Not enough data", Rag.NONE.value, covered)
    best = card.card.bands[band]
    return Standing(decimal(total), card.card.shown(total), best.key, best.name, best.rag, covered)


def _named(chosen: list[Any], before: list[Standing], after: list[Standing], user: User) -> list[Change]:
    """With names, for what ``user`` may see. One query."""
    rows = Account.objects.visible_to(user).values_list(
        "pk", "name", "owner__name", "arr", "currency", "health__override__band_name"
    )
    names: dict[UUID, Any] = {pk: rest for pk, *rest in rows}
    changes = []
    for subject, old, new in zip(chosen, before, after, strict=True):
        if subject.account_id in names:
            name, owner, arr, currency, override = names[subject.account_id]
            changes.append(Change(subject.account_id, name, owner or "", arr, currency, old, new, override or ""))
    return sorted(changes, key=lambda change: (-abs(change.moved or Decimal(0)), change.name))


def _counted(colours: Any) -> Colours:
    counts = Counter(str(colour) for colour in colours)
    return {str(colour): counts[str(colour)] for colour in (*_RANKS, Rag.NONE)}


__all__ = [
    "UNSCORED",
    "Change",
    "Preview",
    "Standing",
    "preview_of",
    "score_with",
    "standing_of",
    "with_version",
]
