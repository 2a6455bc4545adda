"""The kinds of notice a person can get, and what a person gets who set nothing."""

from __future__ import annotations

from django.db.models import TextChoices


class Kind(TextChoices):
    """What a notification is about. Each kind can be switched per person and channel."""

    HEALTH_BAND = "health_band", "An account changed its health band"
    HEALTH_TRIGGER = "health_trigger", "A trigger fired on an account"
    OVERRIDE_EXPIRED = "override_expired", "A score override ran out"
    CTA_OPENED = "cta_opened", "A CTA was opened for me"
    CTA_ASSIGNED = "cta_assigned", "A CTA was handed to me"
    CTA_WOKE = "cta_woke", "A snoozed CTA came back"
    SLA_WARNING = "sla_warning", "A promise to a customer is at risk"
    SLA_BREACH = "sla_breach", "A promise to a customer was missed"
    ESCALATION = "escalation", "An escalation reached me"
    TICKET = "ticket", "A ticket of mine moved"
    MENTION = "mention", "Somebody mentions me"
    TASK_DUE = "task_due", "Tasks of mine are due"
    IMPORT_DONE = "import_done", "An import finished"
    WEEKLY_DIGEST = "weekly_digest", "My week: what moved and what is due"
    BOARD_PACK = "board_pack", "A board pack that is sent to me"
    SYSTEM = "system", "The workspace itself"


# Kinds whose mail is off until a person asks for it: they come often or wait well in the app.
QUIET_BY_MAIL = frozenset({Kind.CTA_WOKE, Kind.IMPORT_DONE, Kind.HEALTH_TRIGGER, Kind.TICKET})

# What an account's work asks of its owner: whoever stands in for them is told as well.
LENT = frozenset(
    {
        Kind.HEALTH_BAND,
        Kind.HEALTH_TRIGGER,
        Kind.OVERRIDE_EXPIRED,
        Kind.CTA_OPENED,
        Kind.CTA_ASSIGNED,
        Kind.CTA_WOKE,
        Kind.SLA_WARNING,
        Kind.SLA_BREACH,
        Kind.ESCALATION,
    }
)

# Kinds that may pass quiet hours: a promise to a customer does not wait for the morning.
URGENT = frozenset({Kind.SLA_WARNING, Kind.SLA_BREACH, Kind.ESCALATION})


# A customer in the portal has no accounts to watch and no work here: the other kinds never reach them.
OF_CUSTOMERS = frozenset({Kind.SYSTEM})


def kinds_for(*, is_portal: bool) -> list[Kind]:
    """The kinds of notice that can reach a person, in their order."""
    return [kind for kind in Kind if not is_portal or kind in OF_CUSTOMERS]


def default_channels(kind: str) -> tuple[bool, bool]:
    """(in the app, by mail) for a person who set nothing for ``kind``."""
    return True, kind not in QUIET_BY_MAIL
