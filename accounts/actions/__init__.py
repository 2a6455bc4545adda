"""Every way to change the account record. One verb a function, one audit entry a change."""

from accounts.actions.accounts import (
    archive_account,
    assign_owner,
    create_account,
    restore_account,
    set_external_id,
    update_account,
)
from accounts.actions.activity import log_activity, log_touch
from accounts.actions.bulk import record_activities, upsert_accounts, upsert_contacts, upsert_contracts
from accounts.actions.changes import mark_changed
from accounts.actions.contacts import create_contact, delete_contact, mark_contact_left, update_contact
from accounts.actions.contracts import (
    create_contract,
    delete_contract,
    record_churn,
    record_return,
    update_contract,
)
from accounts.actions.editing import edit_accounts, undo_edit
from accounts.actions.entries import account_of_entry, delete_entry, pin_entry, restore_entry, unpin_entry, update_entry
from accounts.actions.next_steps import (
    complete_next_step,
    hand_over_next_step,
    put_off_next_step,
    reopen_next_step,
    restore_next_step,
)
from accounts.actions.own_fields import archive_field, change_field, define_field, move_field, restore_field
from accounts.actions.ownership import add_team_member, remove_team_member
from accounts.actions.refresh import refresh_due, refresh_from_contracts
from accounts.actions.saved_views import change_view, choose_default, delete_view, may_keep, save_view
from accounts.actions.stages import advance_stages

__all__ = [
    "account_of_entry",
    "add_team_member",
    "advance_stages",
    "archive_account",
    "archive_field",
    "assign_owner",
    "change_field",
    "change_view",
    "choose_default",
    "complete_next_step",
    "create_account",
    "create_contact",
    "create_contract",
    "define_field",
    "delete_contact",
    "delete_contract",
    "delete_entry",
    "delete_view",
    "edit_accounts",
    "hand_over_next_step",
    "log_activity",
    "log_touch",
    "mark_changed",
    "mark_contact_left",
    "may_keep",
    "move_field",
    "pin_entry",
    "put_off_next_step",
    "record_activities",
    "record_churn",
    "record_return",
    "refresh_due",
    "refresh_from_contracts",
    "remove_team_member",
    "reopen_next_step",
    "restore_account",
    "restore_entry",
    "restore_field",
    "restore_next_step",
    "save_view",
    "set_external_id",
    "undo_edit",
    "unpin_entry",
    "update_account",
    "update_contact",
    "update_contract",
    "update_entry",
    "upsert_accounts",
    "upsert_contacts",
    "upsert_contracts",
]
