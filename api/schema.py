"""What drf-spectacular cannot know: capabilities and scopes, problems, limits, and repeating a call."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accounts.policy import ANONYMOUS, CAPABILITIES
from api.problems import KINDS
from api.webhook_schema import described_events

LIMITS = {
    "RateLimit-Limit": "Calls a minute",
    "RateLimit-Remaining": "Calls left in this minute",
    "RateLimit-Reset": "Seconds until the next minute",
}
TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "code": TEXT,
                    "detail": TEXT,
                },
                "required": ["pointer", "code", "detail"],
            },
        },
        "request_id": TEXT,
    },
    "required": ["type", "title", "status", "detail", "errors", "request_id"],
}
# Give it to ``extend_schema`` where a change can be refused because of another one.
IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="The ETag you read")
WORDS = {"200": "Done", "201": "Created", "202": "Stored; worked on next", "204": "Done"}


class PolicySchema(AutoSchema):
    """An operation with what its view's policy asks and what every answer carries."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation; None when the view is left out."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        if "summary" not in operation:
            warn(f"{self.method} {self.path} has no summary")
        capability = self.view.policy[self.method]
        needs, scopes = "Needs no token.", []
        if capability != ANONYMOUS:
            scopes = [str(CAPABILITIES[capability].scope)]
            needs = f"Needs `{capability}`, and a token with the scope `{scopes[0]}`."
            operation["x-capability"] = capability
        operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
        operation["security"] = [{"token": scopes}] if scopes else []
        if self.method == "POST":
            key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
            operation.setdefault("parameters", []).append(key)
        self._complete_responses(operation, needs_token=bool(scopes))
        return operation

    def _complete_responses(self, operation: dict[str, Any], *, needs_token: bool) -> None:
        responses = operation["responses"]
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in LIMITS}
        for status, response in responses.items():
            response["description"] = WORDS.get(status, "Answer")
            response["headers"] = headers | response.get("headers", {})
        codes = {400, 429}
        codes |= {401, 403} if needs_token else set()
        codes |= {404} if "{" in self.path else set()
        codes |= {413, 415, 422} if "requestBody" in operation else set()
        codes |= {409} if self.method == "POST" else set()
        codes |= {412} if any(item["name"] == "If-Match" for item in operation.get("parameters", ())) else set()
        responses |= {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(codes)}

    def get_operation_id(self) -> str:
        """The method and the address's name, such as get-account-list."""
        return f"{self.method.lower()}-{_names()[self.path_regex]}"

    def get_auth(self) -> list[dict[str, Any]]:
        """Nothing: ``get_operation`` reads the policy instead."""
        return []

    def get_response_serializers(self) -> Any:
        """A list where the view has an order; the row, or nothing when it is deleted, elsewhere."""
        shown = self.view.serializer_class
        if self.method == "DELETE":
            return {204: None}
        if shown is None:
            return super().get_response_serializers()
        if not self.view.ordering:
            return {200: shown}
        return {200: shown(many=True)} if self.method == "GET" else {201: shown}

    def get_override_parameters(self) -> list[Any]:
        """What the view's query reads."""
        return [self.view.query_class] if self.method == "GET" and self.view.query_class().fields else []

    def get_request_serializer(self) -> None:
        """No body, unless ``extend_schema`` names one."""


@cache
def _names() -> dict[str, str]:
    """The name of every address by its pattern."""
    from api.urls import RESOURCES

    return {f"api/v1/{pattern.pattern}": pattern.name for pattern in RESOURCES}


def add_shared(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """The document with what operations refer to: the token, problems, limits, tags."""
    components = result.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["headers"] = {
        name: {"schema": {"type": "integer", "description": text}} for name, text in LIMITS.items()
    }
    components["responses"] = {
        str(kind.status): {
            "description": kind.title,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for kind in KINDS.values()
    }
    result["webhooks"] = described_events(components["schemas"])
    _forget_enum_ids(result)
    tags = {tag for item in result["paths"].values() for operation in item.values() for tag in operation["tags"]}
    return result | {"security": [{"token": []}], "tags": [{"name": tag} for tag in sorted(tags)]}


def _forget_enum_ids(part: Any) -> None:
    """Take away the marks by which the hook that we leave out would find enumerations."""
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _forget_enum_ids(inner)
