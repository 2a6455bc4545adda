"""A valid request for each address that needs more than its path: the positive control sends these.

``EXAMPLES`` maps ``METHOD route-name`` to an ``Example``. Without one, a GET is sent bare and must answer
200, and any other method is sent with an empty body and must answer with ``DEFAULT_STATUS``. Where that fails,
the positive control says which line to add here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.authz.routes import Route
    from tests.authz.world import World

DEFAULT_STATUS = {
    ("page", "GET"): 200,
    ("page", "POST"): 302,
    ("api", "GET"): 200,
    ("api", "POST"): 201,
    ("api", "PUT"): 200,
    ("api", "PATCH"): 200,
    ("api", "DELETE"): 204,
}


@dataclass(frozen=True, slots=True)
class Example:
    """``body`` (a dict, or a function of the world that makes one), query string and the status it earns.

    ``anybody`` False: the status depends on who asks and is only asserted for the actors in ``only``.
    """

    body: dict[str, Any] | list[Any] | Callable[[World], Any] = field(default_factory=dict)
    status: int | None = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    also: dict[str, int] = field(default_factory=dict)


EXAMPLES: dict[str, Example] = {
    # Signing in
    "POST account_login": Example({"login": "nobody@example.com", "password": "wrong"}, status=200),
}


def example_of(route: Route, method: str) -> Example:
    """The example of a route and method, with its status filled in."""
    example = EXAMPLES.get(f"{method} {route.name}", Example())
    if example.status is not None:
        return example
    default = DEFAULT_STATUS[("api" if route.is_api else "page", method)]
    return Example(example.body, default, example.query, example.headers, example.also)
