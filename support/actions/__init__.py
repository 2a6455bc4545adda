"""What changes in the support desk: tickets, conversations, escalations, service levels, alerts."""

from support.actions.account_reviews import install_review_cadences, keep_review
from support.actions.asking import ask_for_ratings, rate_once
from support.actions.attachments import attach
from support.actions.bulk import BulkResult, bulk_assign, bulk_status, bulk_tag, undo_bulk
from support.actions.calendars import recompute_open, recompute_where_calendars_changed
from support.actions.channels import install_channels, install_guides, set_channel
from support.actions.checklists import install_cycles, install_reviews, open_monthly, start_checklist, work_checklist
from support.actions.clocks import recompute, recompute_escalations, recompute_incidents
from support.actions.configuring import configure_clocks, configure_incidents, configure_mail, set_routing
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
from support.actions.incident_letters import PartMissing, send_letter
from support.actions.incident_log import IncidentClosed
from support.actions.incident_reviews import add_action, drop_action, publish_review, save_review
from support.actions.incident_scope import add_accounts, answer_tickets, link_ticket, remove_accounts, unlink_ticket
from support.actions.incidents import (
    close_incident,
    install_incident_letters,
    install_incident_stages,
    move_incident,
    note_incident,
    open_incident,
    post_incident_update,
    reopen_incident,
    update_incident,
)
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
from support.actions.silence import follow_silence
from support.actions.snooze import snooze, wake, wake_snoozed
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
from support.actions.unescalated import tell_unescalated

__all__ = [
    "BulkResult",
    "IncidentClosed",
    "NotAllowed",
    "PartMissing",
    "Swept",
    "acknowledge",
    "add_accounts",
    "add_action",
    "answer_tickets",
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
    "close_incident",
    "close_quiet",
    "configure_clocks",
    "configure_incidents",
    "configure_mail",
    "create_policy",
    "customer_reply",
    "discard",
    "drop_action",
    "escalate",
    "follow_macro",
    "follow_mail",
    "follow_silence",
    "hand_over",
    "install_channels",
    "install_cycles",
    "install_guides",
    "install_incident_letters",
    "install_incident_stages",
    "install_ladder",
    "install_policies",
    "install_review_cadences",
    "install_reviews",
    "install_support_levels",
    "keep_review",
    "leave_team",
    "link",
    "link_ticket",
    "log_escalation_time",
    "log_time",
    "mark_failed",
    "mark_sent",
    "merge",
    "move_incident",
    "note",
    "note_due",
    "note_incident",
    "open_incident",
    "open_monthly",
    "open_ticket",
    "pass_on",
    "post_incident_update",
    "post_update",
    "publish_review",
    "rate",
    "rate_once",
    "receive",
    "recompute",
    "recompute_escalations",
    "recompute_incidents",
    "recompute_open",
    "recompute_where_calendars_changed",
    "release",
    "release_many",
    "remove_accounts",
    "reopen",
    "reopen_incident",
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
    "save_review",
    "save_team",
    "seat",
    "send_letter",
    "set_away",
    "set_channel",
    "set_routing",
    "settings_row",
    "settings_shown",
    "snooze",
    "split",
    "start_checklist",
    "sweep",
    "tell",
    "tell_unescalated",
    "undo_bulk",
    "unlink_ticket",
    "update_incident",
    "update_ticket",
    "wake",
    "wake_snoozed",
    "work_checklist",
    "work_due",
    "work_mail",
]
