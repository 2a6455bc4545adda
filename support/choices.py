"""The words of the support desk: statuses and their transitions, channels, clocks, verdicts, escalations."""

from django.db.models import IntegerChoices, TextChoices


class Status(TextChoices):
    """Where a ticket stands. Which one may follow which is in ``TRANSITIONS``."""

    NEW = "new", "New"
    OPEN = "open", "Open"
    WAITING_CUSTOMER = "waiting_customer", "Waiting on customer"
    WAITING_VENDOR = "waiting_vendor", "Waiting on third party"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    # Spam, a duplicate merged elsewhere, opened by mistake: neither met nor missed.
    CANCELLED = "cancelled", "Cancelled"


WAITING = frozenset({Status.WAITING_CUSTOMER, Status.WAITING_VENDOR})
# Somebody still owes something.
ACTIVE = frozenset({Status.NEW, Status.OPEN, *WAITING})
DONE = frozenset({Status.RESOLVED, Status.CLOSED, Status.CANCELLED})

TRANSITIONS: dict[str, frozenset[str]] = {
    Status.NEW: frozenset({Status.OPEN, *WAITING, Status.RESOLVED, Status.CANCELLED}),
    Status.OPEN: frozenset({*WAITING, Status.RESOLVED, Status.CANCELLED}),
    Status.WAITING_CUSTOMER: frozenset({Status.OPEN, Status.WAITING_VENDOR, Status.RESOLVED, Status.CANCELLED}),
    Status.WAITING_VENDOR: frozenset({Status.OPEN, Status.WAITING_CUSTOMER, Status.RESOLVED, Status.CANCELLED}),
    # Closing asks for the customer's confirmation (FMEA-6.5); opening again is reopening.
    Status.RESOLVED: frozenset({Status.CLOSED, Status.OPEN}),
    Status.CLOSED: frozenset({Status.OPEN}),
    Status.CANCELLED: frozenset({Status.OPEN}),
}


class Waits(TextChoices):
    """Statuses in which a resolution clock may wait."""

    CUSTOMER = Status.WAITING_CUSTOMER.value, "on the customer"
    VENDOR = Status.WAITING_VENDOR.value, "on a third party"


class Channel(TextChoices):
    """How a ticket reached us. Chats and calls are logged by agents; monitoring is an alert of a machine."""

    EMAIL = "email", "E-mail"
    PORTAL = "portal", "Portal"
    API = "api", "API"
    CHAT = "chat", "Chat"
    PHONE = "phone", "Phone"
    SLACK = "slack", "Slack or Teams"
    MONITORING = "monitoring", "Monitoring"
    EMERGENCY = "emergency", "Emergency line"


class TicketType(TextChoices):
    """What a ticket is about."""

    QUESTION = "question", "Question"
    HOW_TO = "how_to", "How to"
    PROBLEM = "problem", "Problem"
    BUG = "bug", "Bug"
    REQUEST = "request", "Service request"
    FEATURE = "feature", "Feature request"
    ACCESS = "access", "Access"


class Impact(IntegerChoices):
    """Whom it keeps from working; with the severity's rank it makes the priority (AMB-35)."""

    MANY = 1, "Many users"
    SOME = 2, "Some users"
    ONE = 3, "One user"


class Level(IntegerChoices):
    """Lines of support. What each is called, does and must know comes from the pack (``SupportLevel``)."""

    FIRST = 1, "Level 1"
    SECOND = 2, "Level 2"
    THIRD = 3, "Level 3"
    FOURTH = 4, "Engineering"


class Routing(TextChoices):
    """How far a new ticket is given on by itself."""

    OFF = "off", "Not at all: somebody assigns it"
    TEAM = "team", "To a team's queue"
    PERSON = "person", "To a team and one of its people"


class EventKind(TextChoices):
    """What can happen to a ticket. Clocks are worked out from these alone."""

    CREATED = "created", "Opened"
    STATUS = "status", "Status changed"
    CUSTOMER_REPLY = "customer_reply", "Customer wrote"
    AGENT_REPLY = "agent_reply", "Answered"
    REPLY_FAILED = "reply_failed", "An answer could not be delivered"
    NOTE = "note", "Internal note"
    SEVERITY = "severity", "Severity changed"
    ASSIGNED = "assigned", "Assigned"
    LEVEL = "level", "Passed to another level"
    ESCALATED = "escalated", "Escalated"
    FIELDS = "fields", "Details changed"
    POLICY = "policy", "Service level changed"
    MERGED = "merged", "Merged"
    SPLIT = "split", "Split"
    LINKED = "linked", "Linked"
    INCIDENT = "incident", "Incident"
    RATED = "rated", "Rated by the customer"
    TIME = "time", "Time logged"
    # Names the entry that counts no more ("event").
    UNDONE = "undone", "Taken back"
    SNOOZED = "snoozed", "Set aside"
    WOKEN = "woken", "Came back"


class LinkKind(TextChoices):
    """How two tickets belong together."""

    RELATED = "related", "Related to"
    DUPLICATE = "duplicate", "Duplicate of"
    BLOCKS = "blocks", "Blocks"
    CAUSED_BY = "caused_by", "Caused by"


class Delivery(TextChoices):
    """What became of a message that leaves the house. Only one that was sent answers a customer."""

    NONE = "none", "Not to be sent"
    PENDING = "pending", "Waiting to be sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"


class Clock(TextChoices):
    """Promises that are measured: three of a ticket, four of each escalation, four of an incident."""

    FIRST_RESPONSE = "first_response", "First response"
    UPDATE = "update", "Next update"
    RESOLUTION = "resolution", "Resolution"
    ACKNOWLEDGE = "acknowledge", "Acknowledgement"
    FIRST_ACTION = "first_action", "First action"
    REVIEW = "review", "Post-incident review"


TICKET_CLOCKS = (Clock.FIRST_RESPONSE, Clock.UPDATE, Clock.RESOLUTION)
ESCALATION_CLOCKS = (Clock.ACKNOWLEDGE, Clock.FIRST_ACTION, Clock.UPDATE, Clock.RESOLUTION)


class Verdict(TextChoices):
    """What became of a promise. A missed one may still be running: it stays missed when it ends."""

    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    MET = "met", "Met"
    MISSED = "missed", "Missed"
    CANCELLED = "cancelled", "Cancelled"


class PolicyScope(TextChoices):
    """What a service level promises something about."""

    TICKET = "ticket", "Tickets"
    CHANNEL = "channel", "Tickets of a channel"
    SUPPORT_MODEL = "support-model", "Tickets of accounts with this support model"
    ESCALATION = "escalation", "Escalations of a level"
    FEEDBACK = "feedback", "Feedback"
    CSM = "csm", "Enquiries to the CSM"


# Those whose promises hold for a ticket; where several do, the earliest deadline counts (BIS-2.4).
TICKET_SCOPES = frozenset({PolicyScope.TICKET, PolicyScope.CHANNEL, PolicyScope.SUPPORT_MODEL})


class EscalationStatus(TextChoices):
    """Where an escalation stands."""

    OPEN = "open", "Waiting for acknowledgement"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    IN_PROGRESS = "in_progress", "Being worked"
    PASSED_ON = "passed_on", "Passed to the next level"
    RESOLVED = "resolved", "Resolved"


OPEN_ESCALATIONS = frozenset({EscalationStatus.OPEN, EscalationStatus.ACKNOWLEDGED, EscalationStatus.IN_PROGRESS})


class EscalationOutcome(TextChoices):
    """How an escalation ended (FLEET-9.14)."""

    RESOLVED = "resolved", "Resolved"
    PARTIAL = "partial", "Partly resolved"
    PENDING = "pending", "Pending"
    PASSED_ON = "passed_on", "Passed to the next level"
    WITHDRAWN = "withdrawn", "Withdrawn"


class MailState(TextChoices):
    """What became of a mail that arrived."""

    WAITING = "waiting", "Waiting to be read"
    OPENED = "opened", "Opened a ticket"
    JOINED = "joined", "Joined a ticket"
    # Nobody vouches for the sender, or nobody knows them: a person decides.
    QUARANTINED = "quarantined", "In quarantine"
    # Machines' mail: kept, and nothing came of it.
    NOTED = "noted", "Noted"
    BOUNCE = "bounce", "Delivery report"
    DUPLICATE = "duplicate", "Came twice"
    FAILED = "failed", "Could not be worked"
    DISCARDED = "discarded", "Discarded"


# What a person may still decide about.
UNDECIDED = frozenset({MailState.QUARANTINED, MailState.NOTED, MailState.FAILED})


class IncidentStatus(TextChoices):
    """Where an incident stands, whatever its methodology calls the stages on the way."""

    OPEN = "open", "Being worked"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


class EntryKind(TextChoices):
    """What stands in an incident's timeline."""

    OPENED = "opened", "Opened"
    STAGE = "stage", "Stage"
    UPDATE = "update", "Update"
    NOTE = "note", "Internal note"
    LETTER = "letter", "Customers told"
    ACCOUNTS = "accounts", "Affected accounts"
    TICKET = "ticket", "Ticket"
    DETAILS = "details", "Details changed"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Opened again"
    REVIEW = "review", "Review"
    ACTION = "action", "Follow-up"
    CLOSED = "closed", "Closed"


class Origin(TextChoices):
    """How an account came to be among those an incident affects."""

    HAND = "hand", "Chosen"
    TIER = "tier", "By tier"
    SEGMENT = "segment", "By segment"
    COMPONENT = "component", "By component"
    TICKET = "ticket", "By a ticket"
