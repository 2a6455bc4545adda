"""What changes in the support desk: tickets, conversations, escalations, service levels, alerts."""

from support.actions.asking import ask_for_ratings, rate_once
from support.actions.attachments import attach
from support.actions.bulk import BulkResult, bulk_assign, bulk_status, bulk_tag
from support.actions.calendars import recompute_open, recompute_where_calendars_changed
from support.actions.clocks import recompute, recompute_escalations
from support.actions.conversation import customer_reply, follow_mail, mark_failed, mark_sent, note, reply
from support.actions.escalations import (
    acknowledge,
    begin,
    escalate,
    hand_over,
    log_escalation_time,
    pass_on,
    post_update,
    resolve_escalation,
)
from support.actions.handling import assign, change_level, change_severity, link, log_time, merge, rate, split
from support.actions.log import settings_row, settings_shown
from support.actions.macros import follow_macro, retire_macro, save_macro
from support.actions.mailroom import receive, work_due, work_mail
from support.actions.policies import (
    change_policy,
    create_policy,
    install_ladder,
    install_policies,
    install_support_levels,
    retire_policy,
)
from support.actions.sorting import bring_back, configure_mail, discard, release, release_many
from support.actions.sweep import Swept, note_due, sweep, tell
from support.actions.tickets import (
    NotAllowed,
    cancel,
    change_status,
    close,
    close_quiet,
    open_ticket,
    reopen,
    resolve,
    update_ticket,
)

__all__ = [
    "BulkResult",
    "NotAllowed",
    "Swept",
    "acknowledge",
    "ask_for_ratings",
    "assign",
    "attach",
    "begin",
    "bring_back",
    "bulk_assign",
    "bulk_status",
    "bulk_tag",
    "cancel",
    "change_level",
    "change_policy",
    "change_severity",
    "change_status",
    "close",
    "close_quiet",
    "configure_mail",
    "create_policy",
    "customer_reply",
    "discard",
    "escalate",
    "follow_macro",
    "follow_mail",
    "hand_over",
    "install_ladder",
    "install_policies",
    "install_support_levels",
    "link",
    "log_escalation_time",
    "log_time",
    "mark_failed",
    "mark_sent",
    "merge",
    "note",
    "note_due",
    "open_ticket",
    "pass_on",
    "post_update",
    "rate",
    "rate_once",
    "receive",
    "recompute",
    "recompute_escalations",
    "recompute_open",
    "recompute_where_calendars_changed",
    "release",
    "release_many",
    "reopen",
    "reply",
    "resolve",
    "resolve_escalation",
    "retire_macro",
    "retire_policy",
    "save_macro",
    "settings_row",
    "settings_shown",
    "split",
    "sweep",
    "tell",
    "update_ticket",
    "work_due",
    "work_mail",
]
