"""Bodies: strict JSON within limits, read whole or left as bytes for whoever decodes faster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, MultiPartParser

from api import json

MAX_BODY = 8 * 1024 * 1024


class RawJSONParser(BaseParser):
    """The bytes of a JSON body: ``request.data`` is not decoded."""

    media_type = "application/json"
    limit = MAX_BODY

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The bytes. Raises RequestDataTooBig before a body above the limit is read."""
        check_length(parser_context, self.limit)
        return stream.read()


class StrictJSONParser(RawJSONParser):
    """UTF-8 JSON of at most 32 levels and 8 MB."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The value. Raises UnsupportedMediaType for another character set, ParseError for what is not JSON."""
        charset = parser_context["request"].content_params.get("charset", "utf-8").lower()
        if charset not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMediaType(media_type or "", "JSON is sent in UTF-8.")
        try:
            return json.loads(super().parse(stream, media_type, parser_context))
        except json.BadJson as error:
            raise ParseError(str(error), "json") from error


class MergePatchParser(StrictJSONParser):
    """The same under the name of RFC 7396."""

    media_type = "application/merge-patch+json"


class UploadParser(MultiPartParser):
    """A form with files; a view sets ``limit`` to the bytes it takes."""

    limit = MAX_BODY

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Data and files. Raises RequestDataTooBig before a body above the limit is read."""
        check_length(parser_context, self.limit)
        return super().parse(stream, media_type, parser_context)


def check_length(parser_context: Mapping[str, Any], limit: int) -> None:
    """Raise RequestDataTooBig for a request whose body is longer than ``limit`` bytes."""
    if int(parser_context["request"].META.get("CONTENT_LENGTH") or 0) > limit:
        raise RequestDataTooBig(f"At most {limit // (1024 * 1024)} MB a request.")
