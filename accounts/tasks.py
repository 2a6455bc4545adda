"""Work of the accounts app that a request does not wait for."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.core.mail import send_mail as send

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
