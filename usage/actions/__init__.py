"""Everything that changes usage rows."""

from usage.actions.definitions import define_metric, define_stated_metrics
from usage.actions.draining import Drained, drain
from usage.actions.events import receive_events, store_events
from usage.actions.features import define_key_features
from usage.actions.metrics import receive_metrics, record_observations, replay_parked_observations, state_metric
from usage.actions.parking import discard_parked, release_parked
from usage.actions.rollups import forget_account, keep_within_window, rebuild_account_days

__all__ = [
    "Drained",
    "define_key_features",
    "define_metric",
    "define_stated_metrics",
    "discard_parked",
    "drain",
    "forget_account",
    "keep_within_window",
    "rebuild_account_days",
    "receive_events",
    "receive_metrics",
    "record_observations",
    "release_parked",
    "replay_parked_observations",
    "state_metric",
    "store_events",
]
