"""The reader's weekly digest as it would read now, and when the next one comes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.policy import requires
from engagement.actions import channels_of
from engagement.choices import Kind
from health.actions.digest import READERS, digest_of, next_digest_at


@requires(GET="portfolio.view")
def digest_page(request: HttpRequest) -> HttpResponse:
    """What the mail of next Monday would say today."""
    user, workspace = request.user, request.user.workspace_settings
    following = next_digest_at(workspace, timezone.now())
    in_app, by_mail = channels_of([user.pk], Kind.WEEKLY_DIGEST)[user.pk]
    today = timezone.now().astimezone(following.tzinfo).date()
    context = {
        "digest": digest_of(user, workspace.currency, today),
        "following": following,
        "zone": workspace.timezone,
        "reads": user.role in READERS,
        "channels": [name for name, chosen in (("by mail", by_mail), ("in the app", in_app)) if chosen],
    }
    return render(request, "health/digest.html", context)
