"""The base of the API's views: an address with a policy, whose methods answer.

    class TierList(Endpoint):
        policy = {"GET": "accounts.view"}
        describe = {"GET": Operation("All tiers", answers={200: page_of(TIER)})}

        def get(self, request: Request) -> Response:
            return TIERS.page(request, Tier.objects.all())

Raise ``api.problems.Problem``, an exception of REST framework's or any error of an action: it becomes a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.audit import acting_via
from accounts.models import User
from accounts.policy import ANONYMOUS, CAPABILITIES
from api.authentication import door
from api.describe import Operation
from api.idempotency import once
from api.reading import check_address


class Endpoint(APIView):
    """One address. ``policy`` names the capability of each method; a method without one cannot be called.

    Raises LookupError at import for a capability that is not in the policy table.
    """

    policy: ClassVar[Mapping[str, str]] = {}
    describe: ClassVar[Mapping[str, Operation]] = {}
    format_kwarg = None  # addresses have no .json at their end

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for capability in cls.policy.values():
            if capability != ANONYMOUS and capability not in CAPABILITIES:
                raise LookupError(f"{capability} is not in the policy table")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer; what ``initial`` enters is left when the answer is made."""
        with ExitStack() as self.within:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Settle who calls and whether they may, before the method runs.

        Unlike REST framework's own order, a call is counted before it is judged: every answer to a known caller
        tells what is left, refusals too, and guessing is limited.
        """
        check_address(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)
        self.within.enter_context(acting_via(door(request)))
        if request.method == "POST":
            self.post = partial(once, self, self.post)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """204 with the methods in Allow."""
        return Response(status=204)

    def finalize_response(self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any) -> HttpResponse:
        """The answer with the headers of every answer; nothing is kept by proxies."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.setdefault("Cache-Control", "private, no-store")
        return final

    @property
    def allowed_methods(self) -> list[str]:
        """What the Allow header names."""
        return sorted({*self.policy, "OPTIONS"} | ({"HEAD"} if "GET" in self.policy else set()))

    @property
    def user(self) -> User:
        """Who acts."""
        return self.request.user  # type: ignore[no-any-return]
