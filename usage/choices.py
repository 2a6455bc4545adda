"""The words that events, metrics and their receipts are described with."""

from django.db.models import TextChoices


class MetricKind(TextChoices):
    """What a metric's value is."""

    NUMBER = "number", "Number"
    CHOICE = "choice", "Choice"


class Aggregation(TextChoices):
    """How the days of a window become one figure."""

    LATEST = "latest", "Latest value"
    SUM = "sum", "Sum of the days"
    MEAN = "mean", "Mean of the days"


class ReceiptKind(TextChoices):
    """What a batch held."""

    EVENTS = "events", "Events"
    METRICS = "metrics", "Metrics"


class FeatureOrigin(TextChoices):
    """Who put a feature on the list of key features."""

    AUTOMATIC = "automatic", "Found in the events"
    PACK = "pack", "Methodology"
    TENANT = "tenant", "Entered here"
