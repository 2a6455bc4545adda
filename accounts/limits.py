"""How often something may be tried. The counters live in Redis and are atomic.

Windows are fixed, so at the seam of two windows twice the amount passes; the limits are chosen with that in
mind. A limit that is ``shared`` counts over all tenants (an address does not get a fresh budget by moving to
the next sub-domain); the others count within the selected tenant, whatever its host is called.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount`` tries in ``seconds``."""

    name: str
    amount: int
    seconds: int
    shared: bool = False

    def take(self, subject: str) -> int:
        """Count one try of ``subject`` and return how many this window has seen, this one included."""
        cache = caches["global" if self.shared else "default"]
        key = self._key(subject)
        cache.add(key, 0, self.seconds)
        try:
            return int(cache.incr(key))
        except ValueError:  # The window ended between the two calls: this is the first try of the next.
            cache.set(key, 1, self.seconds)
            return 1

    def give_back(self, subject: str) -> None:
        """Take one try of ``subject`` back, as if it had not been made."""
        cache = caches["global" if self.shared else "default"]
        try:
            cache.decr(self._key(subject))
        except ValueError:
            return

    def used(self, subject: str) -> int:
        """Tries counted in this window."""
        return int(caches["global" if self.shared else "default"].get(self._key(subject), 0))

    def clear(self, subject: str) -> None:
        """Forget the tries of this window."""
        caches["global" if self.shared else "default"].delete(self._key(subject))

    def allows(self, subject: str) -> bool:
        """Count a try and tell whether it is within the limit."""
        return self.take(subject) <= self.amount

    def _key(self, subject: str) -> str:
        digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
        return f"limit:{self.name}:{int(time.time()) // self.seconds}:{digest}"


# Wrong passwords for one login from one network, and for one login from everywhere.
LOGIN_FROM_NETWORK = Limit("login-network", 5, 900)
LOGIN_ANYWHERE = Limit("login-anywhere", 50, 3600)
# Requests from one address to the doors that need no login, over all tenants.
ENTRANCE = Limit("entrance", 60, 60, shared=True)
RESET = Limit("reset", 10, 3600, shared=True)
INVITATIONS = Limit("invitations", 100, 3600)


def network_of(address: str) -> str:
    """The network an address belongs to: /24 for IPv4, /56 for IPv6, the size one customer is given."""
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 56}", strict=False))


class LoginAttempt:
    """One try to sign in as ``login`` from ``address``.

    Five wrong passwords from one network in 15 minutes close that network to that login, and only that
    network: an attacker elsewhere cannot lock the owner out. After 50 in an hour from anywhere, each network
    has one try instead of five, which slows a spread attack and still lets the owner in at the first right
    password.
    """

    def __init__(self, login: str, address: str) -> None:
        self.login = login.strip().lower()
        self.pair = f"{self.login}|{network_of(address)}"

    def take(self) -> bool:
        """Count the try; False when it must be refused without looking at the password."""
        from_here = LOGIN_FROM_NETWORK.take(self.pair)
        if from_here > LOGIN_FROM_NETWORK.amount:
            return False
        anywhere = LOGIN_ANYWHERE.take(self.login)
        return from_here == 1 or anywhere <= LOGIN_ANYWHERE.amount

    def give_back(self) -> None:
        """The password was right: the try does not count."""
        LOGIN_ANYWHERE.give_back(self.login)
        LOGIN_FROM_NETWORK.give_back(self.pair)

    def clear(self) -> None:
        """Forget the tries, after the password was reset."""
        LOGIN_ANYWHERE.clear(self.login)
        LOGIN_FROM_NETWORK.clear(self.pair)


def limited(limit: Limit) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view so that one address may POST to it no more often than ``limit``; then 429."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST" and not limit.allows(get_adapter().get_client_ip(request)):
                response = render(request, "429.html", status=429)
                response["Retry-After"] = str(limit.seconds)
                return response
            return view(request, *args, **kwargs)

        return guarded

    return decorate
