"""How sign-in, second factors and their mail behave here: what allauth asks, answered for a tenant."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import audit, encryption, mail
from accounts.choices import SignInOutcome
from accounts.limits import LoginAttempt
from accounts.links import absolute
from accounts.sessions import bind
from accounts.signing_in import note_later

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User

TOTP = "accounts.mfa"
RESET_MAIL = "account/email/password_reset_key"


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in by e-mail for people who were invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up to a tenant: people are invited (``accounts.actions.invitations``)."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Whether a ``next`` stays on this very host."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign ``user`` in: the session is new, bound to the tenant, and the audit log has an entry."""
        super().login(request, user)
        now = timezone.now()
        bind(request.session, now)
        audit.record("user.signed_in", user, actor=user, at=now, via="page")
        note_later(user.email, SignInOutcome.SIGNED_IN, at=now)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The user of the credentials, or None. Raises ValidationError when there were too many wrong ones."""
        attempt = LoginAttempt(credentials.get("email", ""), self.get_client_ip(request))
        if not attempt.take():
            self._note(request, SignInOutcome.TOO_MANY, **credentials)
            raise self.validation_error("too_many_login_attempts")
        user = super().authenticate(request, **credentials)
        if user is not None:
            attempt.give_back()
        # A right password is not a sign-in yet: a second factor or a code may still be asked for.
        outcome = SignInOutcome.UNFINISHED if user is not None else SignInOutcome.WRONG_PASSWORD
        self._note(request, outcome, **credentials)
        return user

    def _note(self, request: HttpRequest, outcome: SignInOutcome, *, email: str = "", **_rest: Any) -> None:
        """Note a try; whoever is signed in and types their password once more tries nothing."""
        if email and not request.user.is_authenticated:
            note_later(email, outcome, at=timezone.now())

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: allauth's own limit locks a victim out from everywhere and counts each host apart."""

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        LoginAttempt(credentials.get("email", ""), self.get_client_ip(request)).clear()

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The reset link on the tenant's primary domain.

        SECURITY: never the Host header, which whoever asks for the mail may choose.
        """
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return absolute(path.replace("UID-KEY", key))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("people:profile")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render now and hand to the worker: a slow mail server neither delays nor betrays a sign-in."""
        now = timezone.now()
        if template_prefix == RESET_MAIL:
            note_later(email, SignInOutcome.RESET_ASKED, at=now)
            context = {**context, "until": mail.in_words(now + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT))}
        message = self.render_mail(template_prefix, email, {"email": email, "home": absolute("/"), **context})
        mail.send_later(to=email, subject=str(message.subject), body=str(message.body))

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell the user that their security settings changed, and the audit log too."""
        change = template_prefix.rsplit("/", 1)[-1]
        audit.record(f"security.{change}", user, actor=user, at=timezone.now(), via="page")
        super().send_notification_mail(template_prefix, user, context, email)


class MfaAdapter(DefaultMFAAdapter):
    """Second factors: secrets sealed at rest, passkeys bound to the host they were made on."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text, purpose=TOTP)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text, purpose=TOTP)

    def get_totp_issuer(self) -> str:
        return f"Tenure {self._get_site_name()}"

    def _get_site_name(self) -> str:
        return connection.tenant.name
