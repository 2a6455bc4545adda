"""Celery tasks that know their workspace, and the one task that rings them all."""

from __future__ import annotations

import functools
from typing import Any

from celery import current_app, shared_task
from celery.exceptions import Ignore, Reject
from django.db import connection, transaction
from django_tenants.utils import get_public_schema_name, tenant_context
from tenant_schemas_celery.task import TenantTask as _TenantTask
from tenant_schemas_celery.task import headers_with_schema

from tenants import backlog, readiness
from tenants.models import Tenant, TenantStatus

HEADER = "_schema_name"


class NoTenant(RuntimeError):
    """A task that works inside a workspace was sent without one."""


class TenantTask(_TenantTask):
    """A task that runs in the workspace in which it was sent, and never in ``public`` by accident.

    ``scope = "tenant"`` (the default) refuses to be sent without a workspace, rejects a message without one and
    ignores one whose workspace is gone or not ready. ``scope = "public"`` always runs in the public schema.
    The workspace is taken when the task is called, not when the transaction commits.
    """

    abstract = True
    scope = "tenant"
    # SQL for the moment since which the oldest thing waits for this task in ``{schema}``; see tenants.backlog.
    waiting = ""

    def _headers(self, headers: dict[str, Any] | None) -> dict[str, Any]:
        headers = dict(headers or {})
        public = get_public_schema_name()
        if self.scope == "public":
            headers[HEADER] = public
            return headers
        headers = headers_with_schema(headers)
        if headers[HEADER] == public:
            raise NoTenant(f"{self.name} needs a workspace; the selected schema is public")
        return headers

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        options["headers"] = self._headers(options.get("headers"))
        return super().apply_async(args, kwargs, **options)

    def apply(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        options["headers"] = self._headers(options.get("headers"))
        return super().apply(args, kwargs, *rest, **options)

    def apply_async_on_commit(self, args: Any = None, kwargs: Any = None, **options: Any) -> None:
        options["headers"] = self._headers(options.get("headers"))
        transaction.on_commit(functools.partial(self.apply_async, args, kwargs, **options))

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        self.apply_async_on_commit(args, kwargs)

    def signature(self, args: Any = None, *rest: Any, **kwargs: Any) -> Any:
        signature = super().signature(args, *rest, **kwargs)
        headers = dict(signature.options.get("headers") or {})
        if HEADER not in headers and connection.schema_name != get_public_schema_name():
            signature.options["headers"] = headers | {HEADER: connection.schema_name}
        return signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if getattr(self.request, "called_directly", True):
            return super().__call__(*args, **kwargs)
        if self.scope == "public":
            connection.set_schema_to_public()
            return self.run(*args, **kwargs)
        wanted = (self.request.headers or {}).get(HEADER) or self.request.get(HEADER)
        if not wanted or wanted == get_public_schema_name():
            raise Reject(f"{self.name}: the message names no workspace", requeue=False)
        with tenant_context(self._tenant(wanted)):
            return self.run(*args, **kwargs)

    def _tenant(self, schema_name: str) -> Tenant:
        before = connection.tenant
        connection.set_schema_to_public()
        try:
            tenant = Tenant.objects.filter(schema_name=schema_name, status=TenantStatus.READY).first()
        finally:
            connection.set_tenant(before)
        if tenant is None:
            raise Ignore(f"workspace {schema_name} is gone or not ready")
        return tenant


@shared_task(base=TenantTask, name="tenants.dispatch", scope="public")
def dispatch(task_name: str, expires: float = 60, spread: float = 0) -> int:
    """Send ``task_name`` once to every ready workspace, or where something waits for it; returns to how many.

    Messages lapse after ``expires`` seconds. ``spread`` seconds lie between one workspace's and the next's, for
    work so heavy that all at once would keep the workers from everything else.
    """
    task = current_app.tasks[task_name]
    schemas = list(Tenant.objects.ready().order_by("pk").values_list("schema_name", flat=True))
    if task.waiting:
        schemas = backlog.worth_ringing(task_name, task.waiting, schemas)
    with current_app.producer_or_acquire() as producer:
        for number, schema in enumerate(schemas):
            countdown = number * spread or None
            lapses = expires + (countdown or 0)
            task.apply_async(headers={HEADER: schema}, producer=producer, expires=lapses, countdown=countdown)
    return len(schemas)


@shared_task(base=TenantTask, name="tenants.heartbeat", scope="public")
def heartbeat() -> None:
    """Leave word that a worker is alive; ``/readyz`` reads it."""
    readiness.beat()
