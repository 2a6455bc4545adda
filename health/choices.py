"""The words of the health domain."""

from django.db.models import TextChoices


class VersionState(TextChoices):
    """Where a scorecard version stands. Only a draft can be edited; one version a card is active."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class Rag(TextChoices):
    """The colour a band stands for, so that one chart can mix methodologies (AMB-20)."""

    GREEN = "green", "Green"
    YELLOW = "yellow", "Yellow"
    ORANGE = "orange", "Orange"
    RED = "red", "Red"
    NONE = "none", "Not enough data"


# AMB-133: what a colour says about risk.
RISK = {Rag.GREEN: "Low", Rag.YELLOW: "Medium", Rag.ORANGE: "High", Rag.RED: "Critical"}
AT_RISK = (Rag.YELLOW, Rag.ORANGE, Rag.RED)


class ReviewKind(TextChoices):
    """How much a portfolio review looks at: what is at risk each week, everything each month."""

    WEEK = "week", "At-risk review"
    MONTH = "month", "Portfolio review"


class Firing(TextChoices):
    """What became of a trigger that fired."""

    OPENED = "opened", "Opened a CTA"
    DUPLICATE = "duplicate", "A CTA for it was open already"


class Held(TextChoices):
    """Why a trigger whose condition holds did not open a CTA at once."""

    WAITING = "waiting", "Has not held long enough"
    SNOOZED = "snoozed", "Snoozed"
    CAPPED = "capped", "Over its own cap"
    WORKSPACE_CAP = "full", "Over the workspace's cap"
    QUIET = "quiet", "Put off by quiet hours"


class DryRunState(TextChoices):
    """Where a dry run stands."""

    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Stopped by an error"


DRY_RUN_WORKING = (DryRunState.QUEUED, DryRunState.RUNNING)

# One letter an input in HealthScore.states.
FRESH, STALE, MISSING, REFUSED = "f", "s", "-", "!"


class BacktestState(TextChoices):
    """Where a backtest stands."""

    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Stopped by an error"
    CANCELLED = "cancelled", "Cancelled"


BACKTEST_WORKING = (BacktestState.QUEUED, BacktestState.RUNNING)


class Step(TextChoices):
    """How often a backtest scores."""

    MONTH = "month", "Every month end"
    WEEK = "week", "Every week"


class Basis(TextChoices):
    """What counts as known on a past day."""

    RECORDED = "recorded", "What had been recorded by that day"
    DATED = "dated", "What is dated up to that day, whenever it was recorded"


class PackEvery(TextChoices):
    """How often a board pack is sent."""

    WEEK = "week", "Every week"
    MONTH = "month", "Every month"
    MONTH_END = "month_end", "Every month on the last business day"


class PackStop(TextChoices):
    """Why a scheduled board pack is sent no more."""

    OWNER_LEFT = "owner_left", "Whoever scheduled it was deactivated"
    OWNER_ROLE = "owner_role", "Whoever scheduled it makes no board packs any more"
    VIEW_GONE = "view_gone", "Its view was deleted or is not shared any more"
    NOBODY = "nobody", "Nobody is left who may get it"


class SendingState(TextChoices):
    """Where one sending of a board pack stands."""

    MAKING = "making", "Being written"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not sent"


class RenewalSignal(TextChoices):
    """What the scores and open risks of an account said of its renewal on the day of a checkpoint."""

    RENEW = "renew", "Renews"
    AT_RISK = "at_risk", "At risk"
    UNKNOWN = "unknown", "No signal"


class RenewalCall(TextChoices):
    """What the person who works the account says of its renewal."""

    WILL_RENEW = "will_renew", "Will renew"
    MONITOR = "monitor", "Monitor"
    AT_RISK = "at_risk", "At risk"
    WILL_CHURN = "will_churn", "Will churn"


class RenewalState(TextChoices):
    """How the two signals of a checkpoint stand to each other, what is to be done first."""

    DISAGREED = "disagreed", "Disagree"
    NO_CALL = "no_call", "No call yet"
    ONE_SIDED = "one_sided", "One signal only"
    AGREED = "agreed", "Agree"
    DECIDED = "decided", "Decided"


class RenewalSide(TextChoices):
    """Which of two signals that disagree a leader goes by."""

    SYSTEM = "system", "The system's signal"
    CALL = "call", "The call"


class RenewalOutcome(TextChoices):
    """What became of a term that is over."""

    RENEWED = "renewed", "Renewed"
    LOST = "lost", "Lost"
