"""Addresses of sign-in and account security: allauth's views, each behind our policy and our limits.

Only what this product uses is here. ``requires`` also narrows each view to the methods named, where allauth's
class-based views would take PUT for POST. Sign-up and change of address lead to a sentence and to the profile.
"""

from collections.abc import Callable

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions import views as usersessions
from django.http import HttpResponse
from django.urls import URLPattern, path, re_path

from accounts.limits import ENTRANCE, RESET, Limit, limited
from accounts.policy import ANONYMOUS, requires
from accounts.views.profile import email_redirect, signup_closed
from accounts.views.signing_in import reset_from_key

View = Callable[..., HttpResponse]


def entrance(view: View, limit: Limit = ENTRANCE) -> View:
    """A page for everybody, counted per address over all tenants."""
    return requires(GET=ANONYMOUS, POST=ANONYMOUS)(limited(limit)(view))


def notice(view: View) -> View:
    """A page for everybody that only says something."""
    return requires(GET=ANONYMOUS)(view)


def own(view: View) -> View:
    """A form about one's own account."""
    return requires(GET="profile.own", POST="profile.own")(view)


def own_notice(view: View) -> View:
    """A page about one's own account."""
    return requires(GET="profile.own")(view)


urlpatterns: list[URLPattern] = [
    path("login/", entrance(account.login), name="account_login"),
    path("logout/", entrance(account.logout), name="account_logout"),
    path("inactive/", notice(account.account_inactive), name="account_inactive"),
    path("signup/", notice(signup_closed), name="account_signup"),
    path("confirm-email/", entrance(account.email_verification_sent), name="account_email_verification_sent"),
    path("reauthenticate/", own(account.reauthenticate), name="account_reauthenticate"),
    path("email/", own_notice(email_redirect), name="account_email"),
    path("password/change/", own(account.password_change), name="account_change_password"),
    path("password/set/", own(account.password_set), name="account_set_password"),
    path("password/reset/", entrance(account.password_reset, RESET), name="account_reset_password"),
    path("password/reset/done/", notice(account.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        entrance(reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        notice(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path("sessions/", own(usersessions.list_usersessions), name="usersessions_list"),
    path("2fa/", own_notice(mfa.index), name="mfa_index"),
    path("2fa/authenticate/", entrance(mfa.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", own(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", own(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", own(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", own_notice(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", own(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", own_notice(codes.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("2fa/passkeys/", own_notice(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("2fa/passkeys/add/", own(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("2fa/passkeys/login/", entrance(webauthn.login_webauthn), name="mfa_login_webauthn"),
    path("2fa/passkeys/reauthenticate/", own(webauthn.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("2fa/passkeys/<int:pk>/remove/", own(webauthn.remove_webauthn), name="mfa_remove_webauthn"),
    path("2fa/passkeys/<int:pk>/edit/", own(webauthn.edit_webauthn), name="mfa_edit_webauthn"),
]
