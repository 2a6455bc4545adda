"""Rows of the support desk. Other apps change them only through ``support.actions``."""

from support.models.channels import IssueGuide, SupportChannel
from support.models.checklists import Checklist, ChecklistItem, ChecklistTemplate
from support.models.clocks import CalendarSnapshot, DeadlineRun, SlaAlert, SlaClock
from support.models.edits import TicketEdit, TicketEditRow
from support.models.escalations import Escalation, EscalationUpdate, Ladder
from support.models.incidents import (
    Incident,
    IncidentAccount,
    IncidentAction,
    IncidentDelivery,
    IncidentEntry,
    IncidentLetter,
    IncidentProcess,
    IncidentReview,
)
from support.models.mail import IncomingMail
from support.models.messages import Attachment, Macro, Message
from support.models.policies import HolidayList, SlaPolicy, SlaPolicyVersion
from support.models.reviews import AccountReview, ReviewCadence
from support.models.teams import SupportLevel, SupportSettings, Team, TeamSeat, TicketField
from support.models.tickets import Ticket, TicketEvent, TicketLink, TicketRating, TimeEntry

__all__ = [
    "AccountReview",
    "Attachment",
    "CalendarSnapshot",
    "Checklist",
    "ChecklistItem",
    "ChecklistTemplate",
    "DeadlineRun",
    "Escalation",
    "EscalationUpdate",
    "HolidayList",
    "Incident",
    "IncidentAccount",
    "IncidentAction",
    "IncidentDelivery",
    "IncidentEntry",
    "IncidentLetter",
    "IncidentProcess",
    "IncidentReview",
    "IncomingMail",
    "IssueGuide",
    "Ladder",
    "Macro",
    "Message",
    "ReviewCadence",
    "SlaAlert",
    "SlaClock",
    "SlaPolicy",
    "SlaPolicyVersion",
    "SupportChannel",
    "SupportLevel",
    "SupportSettings",
    "Team",
    "TeamSeat",
    "Ticket",
    "TicketEdit",
    "TicketEditRow",
    "TicketEvent",
    "TicketField",
    "TicketLink",
    "TicketRating",
    "TimeEntry",
]
