"""A valid request for each address that needs more than its path: the positive control sends these.

``EXAMPLES`` maps ``METHOD route-name`` to an ``Example``; each domain has a module. Without one, the request is sent
without a body and must answer what the API's documentation promises, or on pages ``DEFAULT_STATUS``. Where that
fails, the positive control says which line to add.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from api.openapi import document
from tests.authz.bodies import accounts, desk, health, incidents, knowledge, people, support, work, workspace
from tests.authz.bodies.example import Example

if TYPE_CHECKING:
    from tests.authz.routes import Route

DEFAULT_STATUS = {"GET": 200, "POST": 302, "PUT": 200, "PATCH": 200, "DELETE": 204}
EXAMPLES: dict[str, Example] = {
    **people.EXAMPLES,
    **accounts.EXAMPLES,
    **work.EXAMPLES,
    **health.EXAMPLES,
    **support.EXAMPLES,
    **desk.EXAMPLES,
    **incidents.EXAMPLES,
    **knowledge.EXAMPLES,
    **workspace.EXAMPLES,
}


def example_of(route: Route, method: str) -> Example:
    """The example of a route and method, with its status filled in."""
    example = EXAMPLES.get(f"{method} {route.name}", Example())
    if example.status is not None:
        return example
    return replace(example, status=_documented(route, method) or DEFAULT_STATUS[method])


def _documented(route: Route, method: str) -> int | None:
    """The success that the API's document promises."""
    if not route.is_api:
        return None
    address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.pattern)
    operation = document()["paths"].get(address, {}).get(method.lower(), {"responses": {}})
    return min((int(status) for status in operation["responses"] if status < "300"), default=None)
