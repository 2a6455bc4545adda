"""Noting how tries to sign in end, so that a colleague can say why somebody does not get in."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.choices import FAILED_OUTCOMES, SignInOutcome
from accounts.models import SignInTry, User

KEPT = timedelta(days=90)


@transaction.atomic
def note_try(email: str, outcome: str, *, at: datetime) -> SignInTry | None:
    """Note that a try with ``email`` ended so. Returns the row; None where nobody has the address.

    Whoever was deactivated is noted as that, whatever they typed. A success takes a sign-in that waited for its code
    away. Tries may arrive in another order than they were made.
    """
    # RACE: two workers would both count from the same number; the second waits here for the first.
    user = User.objects.select_for_update(of=("self",)).filter(email__iexact=email.strip()).first()
    if user is None:
        return None
    if not user.is_active and outcome in FAILED_OUTCOMES:
        outcome = SignInOutcome.DEACTIVATED
    known = {row.outcome: row for row in user.sign_in_tries.all()}
    success = known.get(SignInOutcome.SIGNED_IN)
    if outcome == SignInOutcome.UNFINISHED and success is not None and success.last_at >= at:
        return success
    if outcome == SignInOutcome.SIGNED_IN:
        user.sign_in_tries.filter(outcome=SignInOutcome.UNFINISHED, last_at__lte=at).delete()
    row = known.get(outcome)
    if row is None:
        return SignInTry.objects.create(user=user, outcome=outcome, first_at=at, last_at=at)
    begins_anew = success is not None and success is not row and row.last_at <= success.last_at < at
    row.times, row.first_at = (1, at) if begins_anew else (row.times + 1, min(row.first_at, at))
    row.last_at = max(row.last_at, at)
    row.save(update_fields=["times", "first_at", "last_at"])
    return row


def forget_tries(*, at: datetime) -> int:
    """Delete what was last tried 90 days ago or earlier; how many rows went."""
    gone, _by_model = SignInTry.objects.filter(last_at__lte=at - KEPT).delete()
    return gone
