"""The base of the API's views: an address with a policy, whose methods answer.

    class TierList(Endpoint):
        policy = {"GET": "accounts.view"}
        serializer_class = TierSerializer
        query_class = TierQuery
        ordering_fields = {"id": "pk", "name": "name"}
        ordering = "name"

        @extend_schema(summary="All tiers")
        def get(self, request: Request) -> Response:
            return self.page(Tier.objects.filter(**self.query))

Raise ``api.problems.Problem``, an exception of REST framework's or any error of an action: it becomes a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.audit import acting_via
from accounts.models import User
from accounts.policy import ANONYMOUS, CAPABILITIES
from api.authentication import door
from api.idempotency import once
from api.pagination import PAGING
from api.problems import Problem
from api.reading import check_address, json_object
from api.serializers import QuerySerializer


class Endpoint(GenericAPIView):
    """One address. ``policy`` names the capability of each method; a method without one cannot be called.

    ``query_class`` reads what a GET may be asked; ``ordering_fields`` maps the names a list is sorted by to paths.
    Raises LookupError at import for a capability that is not in the policy table.
    """

    policy: ClassVar[Mapping[str, str]] = {}
    query_class: ClassVar[type[QuerySerializer]] = QuerySerializer
    ordering_fields: ClassVar[Mapping[str, str]] = {}
    ordering: ClassVar[str] = ""
    # What a name behind which own fields are sorted by begins with; a view that has one says their path.
    ordering_prefix: ClassVar[str] = ""
    # Its answers hold a secret: one kept for a repeated call is sealed.
    answers_secret: ClassVar[bool] = False
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

    @property
    def query(self) -> dict[str, Any]:
        """What the address asks for, as filters. Raises Problem 400 for what means nothing."""
        return self.query_class.read(self.request, PAGING if self.ordering else ())

    def refuse_parameters(self) -> None:
        """Raise Problem 400 for anything behind the question mark that ``query_class`` does not know."""
        _ = self.query

    def ordering_path(self, name: str) -> str | None:
        """What rows are sorted by for ``name``, without its sign; None for a word that means nothing."""
        return self.ordering_fields.get(name)

    def page(self, rows: QuerySet[Any]) -> Response:
        """A page of ``rows``. One query, and those by which the serializer extends its rows."""
        found = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(found, many=True).data)

    def one(self, rows: QuerySet[Any], status: int = 200, **match: Any) -> Response:
        """The row that matches, with its ETag; 304 when the caller has it. Raises Http404. One query.

        A row that shows what changes without its version (``Meta.unversioned``) is always answered in full.
        """
        serializer = self.get_serializer()
        versioned = getattr(serializer.Meta, "versioned", False)
        paths = serializer.paths | ({"version"} if versioned else set())
        found = rows.filter(**match).order_by().values(*paths).first()
        if found is None:
            raise Http404
        headers = {"ETag": etag(found["version"])} if versioned else {}
        is_told_by_version = not set(getattr(serializer.Meta, "unversioned", ())) & set(serializer.shown)
        known = self.request.headers.get("If-None-Match") if is_told_by_version and status == 200 else None
        if headers and known == headers["ETag"]:
            return Response(status=304, headers=headers)
        return Response(self.get_serializer(found).data, status, headers=headers)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the body. Raises 415 for a body without a type, 400 when it is something else."""
        return json_object(self.request)

    def read(self, wanted: type[BaseSerializer], *, partial: bool = False, **context: Any) -> dict[str, Any]:
        """The clean values of the body. Raises ValidationError naming fields and rules, Problem 400, 413 or 415."""
        context = self.get_serializer_context() | context
        serializer = wanted(data=self.body, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data  # type: ignore[no-any-return]

    @property
    def expected_version(self) -> int | None:
        """The version that ``If-Match`` names; None without it or for ``*``. Raises Problem 412 for another."""
        wanted = self.request.headers.get("If-Match", "").strip()
        if wanted in {"", "*"}:
            return None
        number = wanted.removeprefix("W/").strip('"')
        if not number.isascii() or not number.isdigit() or len(number) > 9:
            raise Problem("stale", "If-Match names no version of this resource.")
        return int(number)


def etag(version: int) -> str:
    """The ETag of a row at ``version``."""
    return f'"{version}"'
