"""Telling the worker how a try to sign in ended."""

from __future__ import annotations

import logging
from datetime import datetime

from accounts.choices import SignInOutcome
from tenants.on_commit import run_on_commit

log = logging.getLogger(__name__)


def note_later(email: str, outcome: SignInOutcome, *, at: datetime) -> None:
    """Have the worker note a try of whoever has the address, if anybody.

    SECURITY: only the worker looks whether somebody has it, so that neither the answer nor the time it takes tells.
    Without a broker nothing is noted, and signing in goes on.
    """
    from accounts.tasks import note_sign_in  # Celery reads the settings; adapters are imported while they load.

    def send() -> None:
        try:
            note_sign_in.apply_async(
                kwargs={"email": email, "outcome": outcome.value, "at": at.isoformat()}, retry=False
            )
        except Exception:
            log.warning("the broker did not take a try to sign in", exc_info=True)

    run_on_commit(send)
