"""What changed since the reader last looked at an account."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.frame import account_or_404, frame
from accounts.policy import requires
from health.actions.visits import mark_seen, note_visit
from health.book.since import changed_since, last_look

OVERVIEW = "accounts:account-detail"


@requires(GET="accounts.view", POST="accounts.view")
def account_since(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The news as a page. Posting notes the look: htmx, which the overview makes post, gets the news alone.

    With ``seen`` everything up to now is taken as seen. Five queries and the note beside the frame's.
    """
    account = account_or_404(request, account_id)
    now = timezone.now()
    if request.method == "POST" and "seen" in request.POST:
        mark_seen(account, user=request.user, at=now)
        if not request.htmx:  # type: ignore[attr-defined]
            messages.success(request, "Marked as seen.")
            return redirect(OVERVIEW, account.pk)
    looked_at = last_look(request.user, account, now)
    context = {"looked_at": looked_at, "news": changed_since(request.user, account, looked_at) if looked_at else None}
    if request.method == "POST":
        note_visit(account, user=request.user, at=now)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect(OVERVIEW, account.pk)
        context |= {"account": account, "marked": "seen" in request.POST}
        return render(request, "health/_since.html", context)
    return render(request, "health/account_since.html", frame(request, account, OVERVIEW, **context))
