"""The words that accounts, people and contracts are described with."""

from django.db.models import TextChoices


class Role(TextChoices):
    """What a user may do in the workspace (DESIGN §8). Rules are in ``accounts.policy``."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Administrator"
    VP_CS = "vp_cs", "VP Customer Success"
    CSM = "csm", "Customer Success Manager"
    SUPPORT_AGENT = "support_agent", "Support agent"
    ONBOARDING = "onboarding", "Onboarding specialist"
    TRAINER = "trainer", "Trainer"
    RENEWALS = "renewals", "Renewals / account executive"
    READ_ONLY = "read_only", "Read-only"
    PORTAL_ADMIN = "portal_admin", "Portal administrator"
    PORTAL_USER = "portal_user", "Portal user"


PORTAL_ROLES = frozenset({Role.PORTAL_ADMIN, Role.PORTAL_USER})
STAFF_ROLES = frozenset(set(Role) - PORTAL_ROLES)
ADMIN_ROLES = frozenset({Role.OWNER, Role.ADMIN})
LEADER_ROLES = frozenset({Role.OWNER, Role.ADMIN, Role.VP_CS})


class SignInOutcome(TextChoices):
    """What became of a try to sign in, as colleagues read it who are asked for help."""

    SIGNED_IN = "signed_in", "Signed in"
    UNFINISHED = "unfinished", "Right password, but the code after it was not entered"
    WRONG_PASSWORD = "wrong_password", "Wrong password"
    TOO_MANY = "too_many", "Refused after too many wrong passwords; opens again within an hour"
    DEACTIVATED = "deactivated", "This person was deactivated"
    RESET_ASKED = "reset_asked", "Asked for a link to a new password"
    LINK_OVER = "link_over", "Opened a link to a new password that was used or has run out"


# What keeps somebody out; the others let them in or on.
FAILED_OUTCOMES = frozenset(
    {
        SignInOutcome.UNFINISHED,
        SignInOutcome.WRONG_PASSWORD,
        SignInOutcome.TOO_MANY,
        SignInOutcome.DEACTIVATED,
        SignInOutcome.LINK_OVER,
    }
)


class Scope(TextChoices):
    """What an API token may do, on top of its user's role."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    ADMIN = "admin", "Administer"


class FieldKind(TextChoices):
    """What a field of the workspace's own on accounts holds (``accounts.own_values``)."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    DATE = "date", "Date"
    YES_NO = "yes_no", "Yes or no"
    CHOICE = "choice", "Choice"
    LINK = "link", "Link"


class AccountStatus(TextChoices):
    """Where the commercial relationship stands; the lifecycle stage says where the work stands."""

    PROSPECT = "prospect", "Prospect"
    ACTIVE = "active", "Active"
    CHURNED = "churned", "Churned"


class StakeholderRole(TextChoices):
    """What a contact is in the buying and using of the product."""

    EXECUTIVE_SPONSOR = "executive_sponsor", "Executive sponsor"
    DECISION_MAKER = "decision_maker", "Decision maker"
    CHAMPION = "champion", "Champion"
    ECONOMIC_BUYER = "economic_buyer", "Economic buyer"
    ADMINISTRATOR = "administrator", "Administrator"
    POWER_USER = "power_user", "Power user"
    END_USER = "end_user", "End user"
    DETRACTOR = "detractor", "Detractor"
    OTHER = "other", "Other"


class Influence(TextChoices):
    """How much a contact's word weighs in the decision to stay, judged by the CSM."""

    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    UNKNOWN = "", "Not judged"


class Sentiment(TextChoices):
    """How a contact feels about us, judged by the CSM."""

    WARM = "warm", "Warm"
    NEUTRAL = "neutral", "Neutral"
    COLD = "cold", "Cold"
    UNKNOWN = "", "Not known"


class ContractStatus(TextChoices):
    """Where a contract stands. ``ended`` keeps its end date; ``churned`` was not renewed."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    ENDED = "ended", "Ended"
    CHURNED = "churned", "Churned"


class ActivityKind(TextChoices):
    """Kinds of timeline entry."""

    NOTE = "note", "Note"
    CALL = "call", "Call"
    MEETING = "meeting", "Meeting"
    EMAIL = "email", "E-mail"
    HEALTH = "health", "Health"
    CTA = "cta", "CTA"
    CONTRACT = "contract", "Contract"
    PEOPLE = "people", "People"
    TICKET = "ticket", "Ticket"
    USAGE = "usage", "Usage"
    RELEASE = "release", "Product release"
    SURVEY = "survey", "Survey"
    FILE = "file", "File"
    SYSTEM = "system", "System"


# Kinds that count as having been in touch with the customer.
TOUCH_KINDS = (ActivityKind.CALL, ActivityKind.MEETING, ActivityKind.EMAIL)


class Visibility(TextChoices):
    """Internal by default; shared with the customer by choice."""

    INTERNAL = "internal", "Internal"
    SHARED = "shared", "Shared with the customer"


class ListPage(TextChoices):
    """A list whose views people save."""

    ACCOUNTS = "accounts", "Accounts"
    TICKETS = "tickets", "Tickets"
    PORTFOLIO = "portfolio", "Portfolio"
