"""What changes in health: definitions, scores, overrides, events, CTAs."""

from health.actions.definitions import (
    activate_version,
    create_scorecard,
    draft_version,
    install_kpi,
    install_scorecard,
    use_scorecard,
)
from health.actions.events import record_event, snooze_trigger
from health.actions.opening import Handled, open_ctas
from health.actions.overrides import clear_override, expire_overrides, set_override
from health.actions.receipts import issue_receipts
from health.actions.recompute import (
    RecomputeResult,
    backfill,
    lock_health,
    recompute,
    recompute_changed,
    recompute_nightly,
)
from health.actions.rules import (
    activate_draft,
    change_policy,
    change_trigger,
    create_trigger,
    discard_draft_of,
    draft_trigger,
    enable_trigger,
    install_trigger,
    reset_trigger,
)
from health.actions.segments import change_segment, create_segment, delete_segment
from health.actions.versions import (
    activate_due,
    change_draft,
    discard_draft,
    draft_with_least_coverage,
    roll_back,
    schedule_version,
    unschedule_version,
)

__all__ = [
    "Handled",
    "RecomputeResult",
    "activate_draft",
    "activate_due",
    "activate_version",
    "backfill",
    "change_draft",
    "change_policy",
    "change_segment",
    "change_trigger",
    "clear_override",
    "create_scorecard",
    "create_segment",
    "create_trigger",
    "delete_segment",
    "discard_draft",
    "discard_draft_of",
    "draft_trigger",
    "draft_version",
    "draft_with_least_coverage",
    "enable_trigger",
    "expire_overrides",
    "install_kpi",
    "install_scorecard",
    "install_trigger",
    "issue_receipts",
    "lock_health",
    "open_ctas",
    "recompute",
    "recompute_changed",
    "recompute_nightly",
    "record_event",
    "reset_trigger",
    "roll_back",
    "schedule_version",
    "set_override",
    "snooze_trigger",
    "unschedule_version",
    "use_scorecard",
]
