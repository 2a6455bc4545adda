"""Endpoints as plain Django views, with everything the API promises: token or session, policy, problems,
limits, idempotency. For calls in which every microsecond counts; the others derive from ``api.views.Endpoint``.

    @endpoint(POST="usage.write")
    def usage_events(request: HttpRequest) -> HttpResponse:
        body = json_object(request)          # api.reading
        ...
        return answer({"receipt": receipt.pk}, status=202)

``request.principal`` is who acts (``.user``, ``.token``). Raise ``api.problems.Problem`` or any error of an
action; it becomes a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.audit import acting_via
from accounts.policy import ANONYMOUS, CAPABILITIES
from api import json, rates
from api.describe import Operation
from api.idempotency import once
from api.principal import Principal, allow, check, identify
from api.problems import Problem, answer_error
from api.reading import check_request

View = Callable[..., HttpResponse]


def endpoint(*, describe: Mapping[str, Operation] | None = None, **policy: str) -> Callable[[View], View]:
    """Decorate a view with its policy, a capability for each method, and what the documentation says of each.

    Raises LookupError at import for a capability that is not in the policy table.
    """
    for capability in policy.values():
        if capability != ANONYMOUS and capability not in CAPABILITIES:
            raise LookupError(f"{capability} is not in the policy table")

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return serve(request, policy, lambda _principal: view(request, *args, **kwargs))

        guarded.policy = dict(policy)  # type: ignore[attr-defined]
        guarded.describe = dict(describe or {})  # type: ignore[attr-defined]
        login_not_required(guarded)
        return csrf_exempt(guarded)

    return decorate


def serve(request: HttpRequest, policy: Mapping[str, str], handle: Callable[[Principal], HttpResponse]) -> HttpResponse:
    """Answer ``request`` by ``handle`` once it is known, allowed and within limits. Never raises."""
    budget = None
    try:
        check_request(request)
        principal = identify(request)
        request.principal = principal  # type: ignore[attr-defined]
        request.user = principal.user
        budget = rates.take(request, principal)
        if budget.exceeded:
            raise rates.refuse(budget)
        if request.method == "OPTIONS":
            return rates.add_headers(HttpResponse(status=204, headers=allow(policy)), budget)
        check(principal, policy, request.method or "GET")
        with acting_via(principal.via):
            response = once(request, principal, lambda: _kept(request, principal, handle))
    except Exception as error:
        response = answer_error(error, request)
    response.setdefault("Cache-Control", "private, no-store")
    return rates.add_headers(response, budget)


def _kept(request: HttpRequest, principal: Principal, handle: Callable[[Principal], HttpResponse]) -> HttpResponse:
    """The answer, refusals included, so that a repeated call is refused in the same words."""
    try:
        return handle(principal)
    except Problem as problem:
        if problem.kind in {"rate-limited", "conflict"}:
            raise
        return answer_error(problem, request)
    except Exception as error:
        return answer_error(error, request)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """``body`` as JSON."""
    return HttpResponse(json.dumps(body), status=status, content_type="application/json", headers=dict(headers or {}))


def no_content() -> HttpResponse:
    """204."""
    return HttpResponse(status=204)
