"""Mail about signing in: codes, reset links, invitations.

Everything else that leaves the product goes through the outbox of ``engagement``. These few mails are about
the people of the workspace themselves, are worthless minutes later and may be asked for again, so they go
straight to the worker.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from accounts.links import absolute
from accounts.models import Workspace
from tenants.on_commit import run_on_commit


def in_words(moment: datetime) -> str:
    """``Sat 28 Nov 2026, 16:05 (Europe/Berlin)``: the one end of a link, in the workspace's zone."""
    zone = Workspace.objects.get().timezone
    return f"{moment.astimezone(ZoneInfo(zone)):%a %-d %b %Y, %H:%M} ({zone})"


def send_later(*, to: str, subject: str, body: str) -> None:
    """Have the worker mail ``body`` to ``to`` once the current transaction is through."""
    from accounts.tasks import send_mail  # Celery reads the settings; adapters are imported while they load.

    run_on_commit(lambda: send_mail.delay(to=to, subject=subject, body=body))


def send_template(name: str, *, to: str, **context: Any) -> None:
    """Mail ``people/mail/<name>.txt``, whose first line is the subject."""
    text = render_to_string(f"people/mail/{name}.txt", {"home": absolute("/"), **context})
    subject, _, body = text.lstrip().partition("\n")
    send_later(to=to, subject=subject.strip(), body=body.strip() + "\n")
