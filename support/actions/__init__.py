"""What changes in the support desk: tickets, conversations, escalations, service levels, alerts."""

from support.actions.asking import ask_for_ratings, rate_once
from support.actions.attachments import attach
from support.actions.bulk import BulkResult, bulk_assign, bulk_status, bulk_tag, undo_bulk
from support.actions.calendars import recompute_open, recompute_where_calendars_changed
from support.actions.channels import install_channels, install_guides, set_channel
from support.actions.checklists import install_cycles, install_reviews, open_monthly, start_checklist, work_checklist
from support.actions.clocks import recompute, recompute_escalations
from support.actions.configuring import configure_clocks, configure_mail, set_routing
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
from support.actions.fields import clean_custom, retire_field, save_field
from support.actions.handling import assign, change_level, change_severity, link, log_time, merge, rate, split
from support.actions.holidays import retire_holidays, save_holidays
from support.actions.log import settings_row, settings_shown
from support.actions.macros import follow_macro, retire_macro, save_macro
from support.actions.mailroom import receive, work_due, work_mail
from support.actions.policies import (
    change_policy,
    create_policy,
    install_ladder,
    install_policies,
    install_support_levels,
    restore_policy,
    retire_policy,
)
from support.actions.routing import route_ticket
from support.actions.sorting import bring_back, discard, release, release_many
from support.actions.sweep import Swept, note_due, sweep, tell
from support.actions.teams import leave_team, retire_team, save_team, seat, set_away
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
    "clean_custom",
    "close",
    "close_quiet",
    "configure_clocks",
    "configure_mail",
    "create_policy",
    "customer_reply",
    "discard",
    "escalate",
    "follow_macro",
    "follow_mail",
    "hand_over",
    "install_channels",
    "install_cycles",
    "install_guides",
    "install_ladder",
    "install_policies",
    "install_reviews",
    "install_support_levels",
    "leave_team",
    "link",
    "log_escalation_time",
    "log_time",
    "mark_failed",
    "mark_sent",
    "merge",
    "note",
    "note_due",
    "open_monthly",
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
    "restore_policy",
    "retire_field",
    "retire_holidays",
    "retire_macro",
    "retire_policy",
    "retire_team",
    "route_ticket",
    "save_field",
    "save_holidays",
    "save_macro",
    "save_team",
    "seat",
    "set_away",
    "set_channel",
    "set_routing",
    "settings_row",
    "settings_shown",
    "split",
    "start_checklist",
    "sweep",
    "tell",
    "undo_bulk",
    "update_ticket",
    "work_checklist",
    "work_due",
    "work_mail",
]
