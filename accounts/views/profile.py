"""One's own profile, and the two addresses of allauth that end here."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actions.people import update_profile
from accounts.people_forms import ProfileForm
from accounts.policy import requires


@requires(GET="profile.own", POST="profile.own")
def profile(request: HttpRequest) -> HttpResponse:
    """Name, title, time zone and theme; and the way to password, second factors and sessions."""
    user = request.user
    initial = {"name": user.name, "title": user.title, "timezone": user.timezone, "theme": user.theme}
    form = ProfileForm(request.POST or None, initial=initial)
    if (
        request.method == "POST"
        and form.is_valid()
        and form.run(lambda: update_profile(user, actor=user, at=timezone.now(), **form.cleaned_data))
    ):
        messages.success(request, _("Saved."))
        return redirect("people:profile")
    factors = dict(Authenticator.objects.filter(user=user).order_by().values_list("type").annotate(n=Count("pk")))
    context = {
        "form": form,
        "totp": factors.get(Authenticator.Type.TOTP, 0),
        "passkeys": factors.get(Authenticator.Type.WEBAUTHN, 0),
        "sessions": UserSession.objects.filter(user=user).count(),
    }
    return render(request, "people/profile.html", context, status=422 if form.is_bound else 200)


def email_redirect(request: HttpRequest) -> HttpResponse:
    """An address is changed by an administrator, so allauth's own page leads to the profile."""
    return redirect("people:profile")


def signup_closed(request: HttpRequest) -> HttpResponse:
    """How to get in: by invitation."""
    return render(request, "account/signup_closed.html")
