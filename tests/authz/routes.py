"""Every address of every URLconf, with the methods it answers and the capability each of them declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.authz.third_party import DECLARED

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """One leaf of a URLconf.

    ``policy`` is a copy made when the route was found, so that a mutant does not change what is expected of it.
    """

    urlconf: str
    name: str
    pattern: str
    callback: Any = field(repr=False, compare=False)
    kwargs: tuple[str, ...]
    policy: dict[str, str] = field(repr=False, compare=False)

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("api/v1/")

    @property
    def host(self) -> str:
        """Where it is served: public, platform (the operators' workspace) or tenant (every workspace)."""
        hosts = {settings.PUBLIC_SCHEMA_URLCONF: "public", settings.PLATFORM_URLCONF: "platform"}
        return hosts.get(self.urlconf, "tenant")

    @property
    def view_class(self) -> Any:
        return getattr(self.callback, "cls", None) or getattr(self.callback, "view_class", None)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods this address answers; all five for a view that does not say.

        A view behind ``requires`` answers exactly what it declares (``test_other_methods_are_405``).
        """
        if hasattr(self.callback, "policy"):
            return tuple(m for m in METHODS if m in self.callback.policy)
        actions = getattr(self.callback, "actions", None)
        if actions:
            return tuple(m for m in METHODS if m.lower() in actions)
        if self.view_class is not None:
            return tuple(m for m in METHODS if hasattr(self.view_class, m.lower()))
        return tuple(m for m in METHODS if m in self.policy) or METHODS

    def undeclared(self) -> list[str]:
        """Methods without a capability, as ``GET name pattern``."""
        return [f"{m} {self.name or '(no name)'} {self.pattern}" for m in self.methods if m not in self.policy]


def routes() -> list[Route]:
    """All leaves, each once: those of every workspace first, then the public host's and the operators' own."""
    found: dict[str, Route] = {}
    for urlconf in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF, settings.PLATFORM_URLCONF):
        for route in _leaves(urlconf, get_resolver(urlconf), "", (), ()):
            found.setdefault(f"{route.host == 'public'} {route.name} {route.pattern}", route)
    return list(found.values())


def _leaves(
    urlconf: str, node: Any, prefix: str, namespaces: tuple[str, ...], kwargs: tuple[str, ...]
) -> Iterator[Route]:
    for child in node.url_patterns:
        pattern = prefix + str(child.pattern)
        names = kwargs + tuple(child.pattern.converters) + _groups(child)
        if isinstance(child, URLResolver):
            inner = namespaces + ((child.namespace,) if child.namespace else ())
            yield from _leaves(urlconf, child, pattern, inner, names)
        elif isinstance(child, URLPattern):
            name = ":".join((*namespaces, child.name)) if child.name else ""
            path = pattern.replace("^", "").replace("$", "")
            yield Route(urlconf, name, path, child.callback, names, _policy_of(child.callback, name))


def _policy_of(view: Any, name: str) -> dict[str, str]:
    """Capability by method, as the view declares it; empty when it declares nothing."""
    view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    declared = getattr(view, "policy", None) or getattr(view, "initkwargs", {}).get("policy")
    return dict(declared or getattr(view_class, "policy", None) or DECLARED.get(name, {}))


def _groups(child: Any) -> tuple[str, ...]:
    regex = child.pattern.regex
    return tuple(name for name in regex.groupindex if name not in child.pattern.converters)
