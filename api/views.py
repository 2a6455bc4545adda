"""The base of the API's classes: an address with a policy, whose methods answer.

    class TierList(Endpoint):
        policy = {"GET": "accounts.view"}
        describe = {"GET": Operation("All tiers", answers={200: page_of(TIER)})}

        def get(self, request: HttpRequest) -> HttpResponse:
            return TIERS.page(request, Tier.objects.all())

Identity, policy, limits, idempotency and errors are those of ``api.plain``, so that both kinds behave alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.generic import View

from accounts.models import User
from accounts.policy import ANONYMOUS, CAPABILITIES
from api.describe import Operation
from api.plain import serve
from api.principal import Principal


class Endpoint(View):
    """One address. ``policy`` names the capability of each method; a method without one cannot be called.

    Raises LookupError at import for a capability that is not in the policy table.
    """

    policy: ClassVar[Mapping[str, str]] = {}
    describe: ClassVar[Mapping[str, Operation]] = {}
    # A token needs no CSRF cookie and nobody is sent to a sign-in page; ``api.principal`` asks instead.
    login_required = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for capability in cls.policy.values():
            if capability != ANONYMOUS and capability not in CAPABILITIES:
                raise LookupError(f"{capability} is not in the policy table")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponse]:
        """The view function, without the CSRF middleware and the redirect to the sign-in page."""
        view = super().as_view(**initkwargs)
        view.csrf_exempt = True  # type: ignore[attr-defined]
        view.login_required = False  # type: ignore[attr-defined]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer through ``api.plain.serve``."""

        def handle(_principal: Principal) -> HttpResponse:
            method = "get" if request.method == "HEAD" else (request.method or "").lower()
            return getattr(self, method)(request, *args, **kwargs)  # type: ignore[no-any-return]

        return serve(request, self.policy, handle)

    @property
    def user(self) -> User:
        """Who acts."""
        return self.request.principal.user  # type: ignore[attr-defined,no-any-return]
