"""Events as they came, the daily rows folded from them, and observations of metrics."""

from usage.models.events import HistoryMonth, IngestReceipt, ParkedEvent, UsageEvent
from usage.models.observations import MetricDefinition, MetricLatest, MetricValue, ParkedObservation
from usage.models.rollups import AccountDay, AppUser, FeatureSlot, Signal

__all__ = [
    "AccountDay",
    "AppUser",
    "FeatureSlot",
    "HistoryMonth",
    "IngestReceipt",
    "MetricDefinition",
    "MetricLatest",
    "MetricValue",
    "ParkedEvent",
    "ParkedObservation",
    "Signal",
    "UsageEvent",
]
