"""``Idempotency-Key``: the same POST sent twice happens once and is answered twice.

The effect and the stored answer commit together, so after a crash either both are there or neither. While the
first call runs, a second one is told to wait (409); a call that died lets go after its lease.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.encryption import decrypt, encrypt
from api.authentication import caller_key
from api.models import IdempotencyKey
from api.problems import Problem, error_at, problem_of

KEPT = timedelta(hours=72)
LEASE = timedelta(minutes=2)
LONGEST = 255
SEALED = "idempotent answer"
_HEADERS_KEPT = ("Content-Type", "ETag", "Location")


def once(
    view: APIView, handler: Callable[..., HttpResponse], request: Request, *args: Any, **kwargs: Any
) -> HttpResponse:
    """``handler``'s answer, or the one it gave before under the same key. Without a key just ``handler``'s.

    Raises Problem 400 for an unusable key, 422 for one used with another request, 409 while the first call
    runs. Server errors are not kept: they may be tried again. Three queries more than without.
    """
    key, caller = request.headers.get("Idempotency-Key"), caller_key(request)
    if key is None or not caller:
        return handler(request, *args, **kwargs)
    # The server hands over a value that is not ASCII as an empty one; to go on without the key would do it twice.
    if not 1 <= len(key) <= LONGEST or not key.isprintable() or not key.isascii():
        detail = f"An Idempotency-Key has 1 to {LONGEST} printable ASCII characters."
        raise Problem("malformed", detail, errors=[error_at("", "idempotency_key", detail)])
    entry = _claim(caller, key, _fingerprint(request._request), timezone.now())
    seals = getattr(view, "answers_secret", False)
    if entry.status is not None:
        return _replay(entry, seals=seals)
    return _run(entry, lambda: _finished(view, handler, request, *args, **kwargs), seals=seals)


def _finished(view: APIView, handler: Callable[..., Any], request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
    """The finished answer, refusals included, so that a repeated call is refused in the same words."""
    try:
        response = handler(request, *args, **kwargs)
    except Exception as error:
        problem = problem_of(error)
        if problem is not None and problem.kind in {"rate-limited", "conflict"}:
            raise
        response = view.handle_exception(error)
    response = view.finalize_response(request, response, *args, **kwargs)
    return response.render() if isinstance(response, Response) else response


def forget_old(*, at: datetime) -> int:
    """Delete keys older than 72 hours. Returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=at - KEPT).delete()[0]


def _claim(caller: str, key: str, request_hash: str, now: datetime) -> IdempotencyKey:
    """The key's row: ours to run when its status is empty. Raises Problem when it is not ours to use."""
    new = IdempotencyKey(caller=caller, key=key, request_hash=request_hash, created_at=now, leased_until=now + LEASE)
    with transaction.atomic():
        IdempotencyKey.objects.bulk_create([new], ignore_conflicts=True)
        entry = IdempotencyKey.objects.select_for_update().get(caller=caller, key=key)
        if entry.pk == new.pk:
            return entry
        if entry.created_at < now - KEPT:
            entry.delete()
            new.save(force_insert=True)
            return new
        if entry.request_hash != request_hash:
            detail = "This Idempotency-Key was used with another request."
            raise Problem("refused", detail, errors=[error_at("", "idempotency_key_reused", detail)])
        if entry.status is None and entry.leased_until > now:
            raise Problem("conflict", "The first call with this key is under way.", headers={"Retry-After": "2"})
        if entry.status is None:
            entry.leased_until = now + LEASE
            entry.save(update_fields=["leased_until"])
        return entry


def _run(entry: IdempotencyKey, produce: Callable[[], HttpResponse], *, seals: bool) -> HttpResponse:
    """``seals``: the answer holds a secret, and is kept as secrets are."""
    try:
        with transaction.atomic():
            response = produce()
            if response.status_code >= 500:
                raise _NotKept(response)
            entry.status = response.status_code
            entry.headers = {name: response[name] for name in _HEADERS_KEPT if name in response}
            content = bytes(response.content)
            entry.body = encrypt(content.decode(), purpose=SEALED).encode() if seals else content
            entry.save(update_fields=["status", "headers", "body"])
        return response
    except _NotKept as failed:
        IdempotencyKey.objects.filter(pk=entry.pk, status=None).delete()
        return failed.response
    except Exception:
        IdempotencyKey.objects.filter(pk=entry.pk, status=None).delete()
        raise


class _NotKept(Exception):
    """Rolls back what a failed call did; carries its answer."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def _replay(entry: IdempotencyKey, *, seals: bool) -> HttpResponse:
    content = bytes(entry.body)
    content = decrypt(content.decode(), purpose=SEALED).encode() if seals else content
    response = HttpResponse(content, status=entry.status, headers=entry.headers)
    response["Idempotent-Replayed"] = "true"
    return response


def _fingerprint(request: HttpRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()} {request.content_type}\n".encode())
    if request.content_type == "multipart/form-data":
        for name, values in sorted(request.POST.lists()):
            digest.update(repr((name, values)).encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                digest.update(repr((name, file.name, file.size)).encode())
                for chunk in file.chunks():
                    digest.update(chunk)
                file.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()
