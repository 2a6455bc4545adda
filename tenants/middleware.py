"""The first things that happen to a request: which workspace it is for, and under which id it runs."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import uuid_utils.compat as uuid_utils
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django_tenants.middleware.main import TenantMainMiddleware
from django_tenants.utils import get_public_schema_name, remove_www, tenant_context

from tenants.models import TenantStatus
from tenants.slugs import PLATFORM

MOST_KEPT = 1000
Response = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class TenantMiddleware(TenantMainMiddleware):
    """Selects the workspace of the host; an unknown or unserved one is 404, with the same words for both.

    The workspace selected before is restored afterwards, and a streaming body is produced in its own. Who a host
    belongs to is kept for ``HOSTS_KEPT_SECONDS``, so that a busy one is not looked up with every request.
    """

    TENANT_NOT_FOUND_EXCEPTION = HttpResponseNotFound

    def __init__(self, get_response: Response) -> None:
        super().__init__(get_response)
        self.get_response = get_response
        self._kept: dict[str, tuple[float, Any]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = connection.tenant
        try:
            answer = self.process_request(request)
            if answer is None:
                answer = self._answer(request)
            return answer
        finally:
            connection.set_tenant(before)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.tenant.schema_name == get_public_schema_name():
            # The public schema has no sessions: a cookie that strays here is not looked up.
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        response = self.get_response(request)
        if response.streaming and not response.is_async:
            response.streaming_content = in_tenant(request.tenant, response.streaming_content)
        return response

    @staticmethod
    def hostname_from_request(request: HttpRequest) -> str:
        return remove_www(request.get_host().split(":")[0].lower().rstrip("."))

    def get_tenant(self, domain_model: Any, hostname: str) -> Any:
        """The ready workspace of the host, a copy for this request alone; raises DoesNotExist. A query at most."""
        until, tenant = self._kept.get(hostname, (0.0, None))
        if time.monotonic() >= until:
            domain = domain_model.objects.select_related("tenant").get(domain=hostname)
            if domain.tenant.status != TenantStatus.READY:
                raise domain_model.DoesNotExist
            tenant = domain.tenant
            self._keep(hostname, tenant)
        return copy.copy(tenant)

    def _keep(self, hostname: str, tenant: Any) -> None:
        if settings.HOSTS_KEPT_SECONDS:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[hostname] = (time.monotonic() + settings.HOSTS_KEPT_SECONDS, tenant)

    @staticmethod
    def setup_url_routing(request: HttpRequest, force_public: bool = False) -> None:
        """Each kind of host has its own addresses: the public one, the operators' and everybody else's."""
        if force_public or request.tenant.schema_name == get_public_schema_name():
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
        elif request.tenant.slug == PLATFORM:
            request.urlconf = settings.PLATFORM_URLCONF

    def no_tenant_found(self, request: HttpRequest, hostname: str) -> HttpResponse:
        return HttpResponseNotFound("Unknown workspace\n", content_type="text/plain")


def in_tenant(tenant: Any, chunks: Iterable[Any]) -> Iterator[Any]:
    """``chunks``, each produced with ``tenant`` selected: the server reads them after the middleware is done."""
    iterator = iter(chunks)
    while True:
        with tenant_context(tenant):
            try:
                chunk = next(iterator)
            except StopIteration:
                return
        yield chunk


class RequestIdMiddleware:
    """Gives each request an id, the caller's if it is a plain one, and returns it as ``X-Request-ID``."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if REQUEST_ID.match(given) else str(uuid_utils.uuid7())
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id
        return response


class HealthMiddleware:
    """Answers ``/healthz`` and ``/readyz`` for any host: a load balancer asks by address."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/readyz":
            from tenants.readiness import readiness_response

            return readiness_response()
        return self.get_response(request)
