"""What trigger rules may name in this workspace, for the editor's choices and the checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter

from django.db.models import CharField, Value
from django.db.models.functions import Cast

from accounts.choices import ActivityKind
from accounts.metrics import METRICS
from accounts.models import User
from health.automation.checker import Finding, Known, Rule, findings
from health.automation.ranges import Range
from health.cards import compiled
from health.choices import AT_RISK
from health.conditions import HEALTH_BAND, HEALTH_CHANGE, HEALTH_SCORE, absences_of, events_of
from health.models import HealthEvent, ScorecardVersion, Segment, Trigger, TriggerVersion
from health.queries.events import BAND_WORSENED, CHURN_RISK, CONTRACT_AT_RISK, STAKEHOLDER_CHANGED
from health.queries.inputs import active_cards
from health.wording import Names
from playbooks.queries import playbook_list
from ui import wording
from usage.choices import MetricKind
from usage.derived import FORMULAS
from usage.models import MetricDefinition

_DERIVED = {
    BAND_WORSENED: "Health band got worse",
    STAKEHOLDER_CHANGED: "A key stakeholder left",
    CHURN_RISK: "Churn risk",
    CONTRACT_AT_RISK: "Contract at risk",
}
_WHOLE = Range()


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that a rule may test. ``options`` makes it a choice; ``range`` is what it can be."""

    label: str
    unit: str = ""
    options: tuple[tuple[str, str], ...] = ()
    range: Range = _WHOLE


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything by its key: figures, events, events whose absence counts, segments, playbooks, people by mail."""

    metrics: Mapping[str, Metric]
    events: Mapping[str, str]
    silences: Mapping[str, str]
    segments: Mapping[str, str]
    playbooks: Mapping[str, str]
    people: Mapping[str, str]
    known: Known
    rules: Mapping[object, TriggerVersion]

    @property
    def names(self) -> Names:
        """What conditions are told with."""
        figures = {key: metric.label for key, metric in self.metrics.items()}
        return Names(figures, {**self.silences, **self.events}, dict(self.metrics[HEALTH_BAND].options))


def vocabulary() -> Vocabulary:
    """All of it, and the triggers' newest versions. Five queries, whatever there is."""
    cards = list(active_cards().by_key.values())
    bands, answerable = _bands(cards)
    metrics = {
        HEALTH_BAND: Metric(
            wording.titled(HEALTH_BAND), options=tuple(bands.items()), range=Range(words=frozenset(bands))
        ),
        **{key: Metric(wording.titled(key)) for key in (HEALTH_SCORE, HEALTH_CHANGE)},
        **_metrics(cards),
    }
    rules = newest_versions()
    recorded, segments, playbooks = _names()
    conditions = [version.definition["condition"] for version in rules.values()]
    named = frozenset().union(*(events_of(each) for each in conditions))
    silent = frozenset().union(*(absences_of(each) for each in conditions))
    events = {**_DERIVED, **{key: wording.titled(key) for key in sorted((recorded | named) - _DERIVED.keys())}}
    silences = {
        **{kind.value: str(kind.label) for kind in ActivityKind},
        **{key: wording.titled(key) for key in recorded | silent},
    }
    people = {user.email: str(user) for user in User.objects.active().staff().order_by("name", "email")}
    known = Known(
        metrics={key: metric.range for key, metric in metrics.items()},
        events=frozenset(events) | metrics.keys(),
        silences=frozenset(recorded | {kind.value for kind in ActivityKind}),
        segments=frozenset(segments),
        playbooks=frozenset(playbooks),
        people=frozenset(people),
        bands=answerable,
    )
    return Vocabulary(metrics, events, silences, segments, playbooks, people, known, rules)


def _names() -> tuple[set[str], dict[str, str], dict[str, str]]:
    """The keys of recorded events, segments by their id, live playbooks by their key. One query."""
    events = HealthEvent.objects.order_by().values_list(Value("event"), "key", Value("")).distinct()
    segments = Segment.objects.order_by().values_list(Value("segment"), Cast("pk", CharField()), "name")
    playbooks = playbook_list().order_by().values_list(Value("playbook"), "key", "name")
    found: dict[str, dict[str, str]] = {"event": {}, "segment": {}, "playbook": {}}
    rows = events.union(segments, playbooks, all=True)
    for kind, key, name in sorted(rows, key=itemgetter(2)):
        found[kind][key] = name
    return set(found["event"]), found["segment"], found["playbook"]


def _bands(cards: Sequence[ScorecardVersion]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Every band of the running cards by key, and by card those that call for action. No query."""
    bands: dict[str, str] = {}
    answerable: dict[str, dict[str, str]] = {}
    for version in cards:
        items = version.definition["bands"]
        bands.update({item["key"]: item["name"] for item in items})
        answerable[version.scorecard.name] = {item["key"]: item["name"] for item in items if item["rag"] in AT_RISK}
    return bands, answerable


def _metrics(cards: Sequence[ScorecardVersion]) -> dict[str, Metric]:
    """Figures that are stated, computed from usage, read off the record, or read by a running card. One query."""
    found = {}
    for metric in MetricDefinition.objects.order_by("name"):
        options = tuple((option["key"], option.get("name") or option["key"]) for option in metric.options)
        if metric.kind == MetricKind.CHOICE:
            found[metric.key] = Metric(metric.name, options=options, range=Range(words=frozenset(dict(options))))
        else:
            found[metric.key] = Metric(metric.name, wording.said_unit(metric.unit), range=_limits(metric))
    computed = {*METRICS, *FORMULAS, *(key.partition(":")[0] for key in found)}
    for version in cards:
        computed.update(compiled(version).evidence_inputs)
    for key in sorted(computed - found.keys()):
        found[key] = Metric(wording.titled(key), wording.figure(key).unit)
    return found


def _limits(metric: MetricDefinition) -> Range:
    low, high = metric.lowest, metric.highest
    return Range(
        Decimal("-Infinity") if low is None else Decimal(low), Decimal("Infinity") if high is None else Decimal(high)
    )


def newest_versions() -> dict[object, TriggerVersion]:
    """Trigger to its newest version. One query."""
    rows = TriggerVersion.objects.order_by("trigger_id", "-number").distinct("trigger_id").select_related("trigger")
    return {version.trigger_id: version for version in rows}


def checked(words: Vocabulary, *, draft_of: Trigger | None = None) -> list[Finding]:
    """What the checker says about the triggers that are on, with the draft of one in its place. No query."""
    rules = {
        version.trigger.key: Rule(version.trigger.key, version.trigger.name, version.definition)
        for version in words.rules.values()
        if version.trigger.is_enabled
    }
    if draft_of is not None and draft_of.draft:
        rules[draft_of.key] = Rule(draft_of.key, draft_of.draft["name"], draft_of.draft)
    return findings(list(rules.values()), words.known)
