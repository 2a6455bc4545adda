"""Work of the accounts app that a request does not wait for."""

from __future__ import annotations

from datetime import datetime
from smtplib import SMTPException
from typing import Any
from uuid import UUID

from celery import shared_task
from django.core.mail import send_mail as send
from django.utils import timezone

from accounts.actions.files import purge_files
from accounts.actions.refresh import refresh_due
from accounts.actions.sign_in_tries import forget_tries, note_try
from accounts.actions.stages import advance_stages
from accounts.actions.verification import read_on
from tenants.tasks import TenantTask


@shared_task(
    bind=True,
    base=TenantTask,
    name="accounts.send_mail",
    autoretry_for=(OSError, SMTPException),
    retry_backoff=5,
    max_retries=5,
)
def send_mail(self: Any, *, to: str, subject: str, body: str) -> None:
    """Mail one message, trying again for about five minutes while the mail server is away."""
    send(subject, body, None, [to])


@shared_task(base=TenantTask, name="accounts.note_sign_in")
def note_sign_in(*, email: str, outcome: str, at: str) -> None:
    """Note how a try to sign in ended."""
    note_try(email, outcome, at=datetime.fromisoformat(at))


@shared_task(base=TenantTask, name="accounts.forget_sign_ins")
def forget_sign_ins() -> int:
    """Delete tries to sign in that are 90 days old; how many went. Safe to run at any time."""
    return forget_tries(at=timezone.now())


@shared_task(base=TenantTask, name="accounts.refresh_due")
def refresh_accounts() -> int:
    """Bring accounts in line with contracts that began or ended in the last days, and to the stage of their age.

    Safe to run at any time.
    """
    now = timezone.now()
    return refresh_due(at=now) + advance_stages(at=now)


@shared_task(base=TenantTask, name="accounts.purge_files")
def purge_deleted_files() -> int:
    """Do away with files that were deleted 30 days ago; how many went. Safe to run at any time."""
    return purge_files(at=timezone.now())


@shared_task(base=TenantTask, name="accounts.verify_chain")
def verify_chain(check_id: str) -> None:
    """Read the audit chain; a long one takes several turns, so that others get theirs."""
    if not read_on(UUID(check_id)):
        verify_chain.delay(check_id)
