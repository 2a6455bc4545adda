"""What can be done with CTAs, their tasks and playbooks. Each verb is one transaction and one audit row."""

from playbooks.actions.bulk import BulkResult, bulk_close, bulk_prioritise, bulk_reassign, bulk_snooze, undo_bulk
from playbooks.actions.ctas import (
    NotOpen,
    close_cta,
    create_cta,
    open_cta,
    reassign_cta,
    reopen_cta,
    snooze_cta,
    update_cta,
    wake_cta,
    wake_snoozed,
)
from playbooks.actions.own import restore_playbook, retire_playbook, write_playbook
from playbooks.actions.recipes import install_playbook, install_playbooks, set_trigger_keys
from playbooks.actions.tasks import add_task, complete_task, reopen_task, update_task

__all__ = [
    "BulkResult",
    "NotOpen",
    "add_task",
    "bulk_close",
    "bulk_prioritise",
    "bulk_reassign",
    "bulk_snooze",
    "close_cta",
    "complete_task",
    "create_cta",
    "install_playbook",
    "install_playbooks",
    "open_cta",
    "reassign_cta",
    "reopen_cta",
    "reopen_task",
    "restore_playbook",
    "retire_playbook",
    "set_trigger_keys",
    "snooze_cta",
    "undo_bulk",
    "update_cta",
    "update_task",
    "wake_cta",
    "wake_snoozed",
    "write_playbook",
]
