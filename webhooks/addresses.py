"""Which addresses webhooks may be sent to: public ones, whatever a name resolves to.

SECURITY: the address is judged when the connection is made, and that very address is connected to, so a name that
answers otherwise the second time gains nothing. Names are judged before they are stored too, for a clear error.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES, InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from accounts.errors import RuleViolated

LONGEST = 500
HTTPS_PORT = 443


class Refused(requests.RequestException):
    """The address is not one that may be called."""


def check_url(url: str) -> str:
    """``url`` without blanks around it. Raises RuleViolated for one that can never be called."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RuleViolated("webhook.url", "This is not an address.", "url") from error
    if len(url) > LONGEST:
        raise RuleViolated("webhook.url", f"At most {LONGEST} characters.", "url")
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        raise RuleViolated("webhook.url", "Give a whole address, such as https://example.com/hooks.", "url")
    if parts.username is not None or parts.password is not None:
        raise RuleViolated("webhook.url", "No name and password in the address: verify the signature instead.", "url")
    if parts.fragment:
        raise RuleViolated("webhook.url", "Leave out what is behind the #: it is not sent.", "url")
    if settings.WEBHOOKS_UNGUARDED and parts.scheme == "http":
        return url
    if parts.scheme != "https":
        raise RuleViolated("webhook.url", "The address begins with https://.", "url")
    if not settings.WEBHOOKS_UNGUARDED:
        _check_public(parts.hostname, port)
    return url


def _check_public(host: str, port: int | None) -> None:
    if port not in {None, HTTPS_PORT}:
        raise RuleViolated("webhook.url", "Use the port of https, 443.", "url")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        bare = host.rstrip(".").lower()
        if "." not in bare or bare.endswith((".localhost", ".local", ".internal")) or bare[-1].isdigit():
            raise RuleViolated("webhook.url", "This is no name on the internet.", "url") from None
        return
    if not is_public(address):
        raise RuleViolated("webhook.url", "This address is not on the internet.", "url")


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether ``address`` is on the internet, and not a way round to one that is not."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
    if address.is_multicast or address.is_reserved or any(address in net for net in EXTRA_BLOCKED_NET_RANGES):
        return False
    return address.is_global


class PublicOnly(IPFilterAdapter):
    """Connects to the address it has judged, with the certificate checked against the name."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """The pool of the judged address. Raises Refused."""
        try:
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        except InvalidIPAddress as error:
            raise Refused(f"The name leads to {error}, which is not on the internet.") from error
        address = ipaddress.ip_address(host["host"].strip("[]"))
        if not is_public(address):
            raise Refused(f"The name leads to {address}, which is not on the internet.")
        return host, pool
