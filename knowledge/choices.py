"""The words of the knowledge base."""

from django.db.models import TextChoices


class State(TextChoices):
    """Where an article stands (FMEA-6.10). A published one stays readable while its next text is written."""

    DRAFT = "draft", "Draft"
    REVIEW = "review", "In review"
    PUBLISHED = "published", "Published"
    RETIRED = "retired", "Retired"


class Audience(TextChoices):
    """Who may read what is published."""

    INTERNAL = "internal", "Colleagues only"
    PUBLIC = "public", "Customers too"


class ReviewKind(TextChoices):
    """The two looks every text needs before it is published (FMEA-6.10)."""

    TECHNICAL = "technical", "Technical review"
    EDITORIAL = "editorial", "Editorial review"


class Place(TextChoices):
    """Where somebody looked for an answer."""

    BASE = "base", "Knowledge base"
    TICKET = "ticket", "While a ticket was written"
    PORTAL = "portal", "Portal"
