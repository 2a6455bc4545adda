"""Sign-in pages of the library of which something is noted besides."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import url_str_to_user_pk
from allauth.account.views import password_reset_from_key
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.choices import SignInOutcome
from accounts.models import User
from accounts.signing_in import note_later


def reset_from_key(request: HttpRequest, uidb36: str, key: str) -> HttpResponse:
    """The page that a mailed link to a new password opens; a link that is over is noted for whom it was mailed to."""
    response = password_reset_from_key(request, uidb36=uidb36, key=key)
    said: dict[str, Any] = getattr(response, "context_data", None) or {}
    if said.get("token_fail"):
        _note_over(uidb36)
    return response


def _note_over(uidb36: str) -> None:
    try:
        email = User.objects.filter(pk=url_str_to_user_pk(uidb36)).values_list("email", flat=True).first()
    except (ValueError, ValidationError):  # a made-up link
        return
    if email:
        note_later(email, SignInOutcome.LINK_OVER, at=timezone.now())
