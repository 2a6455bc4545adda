"""The account record, its people and contracts, and the workspace that holds them."""

from accounts.models.account import Account, ChangedAccount, ExternalId, TeamMember
from accounts.models.activity import Activity, AuditEntry, ChainCheck, LastTouch
from accounts.models.contact import Contact
from accounts.models.contract import Contract, ContractLine
from accounts.models.edits import BulkEdit, BulkEditRow
from accounts.models.files import AccountFile, FileVersion
from accounts.models.own_fields import OwnField
from accounts.models.people import ApiToken, Invitation, SignInTry, User
from accounts.models.saved_views import DefaultView, SavedView
from accounts.models.stand_ins import StandIn
from accounts.models.workspace import LifecycleStage, Severity, TeamRole, Tier, WorkCalendar, Workspace

__all__ = [
    "Account",
    "AccountFile",
    "Activity",
    "ApiToken",
    "AuditEntry",
    "BulkEdit",
    "BulkEditRow",
    "ChainCheck",
    "ChangedAccount",
    "Contact",
    "Contract",
    "ContractLine",
    "DefaultView",
    "ExternalId",
    "FileVersion",
    "Invitation",
    "LastTouch",
    "LifecycleStage",
    "OwnField",
    "SavedView",
    "Severity",
    "SignInTry",
    "StandIn",
    "TeamMember",
    "TeamRole",
    "Tier",
    "User",
    "WorkCalendar",
    "Workspace",
]
