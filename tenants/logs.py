"""What a log line says of a workspace, and what it must not say."""

import logging
import re

from django.db import connection

# A step of an address as long as our secrets are; keys of rows (36) are shorter.
_SECRET = re.compile(r"(?<=/)[\w:-]{40,}")


class TenantFilter(logging.Filter):
    """Adds ``tenant``, the selected schema, to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.tenant = getattr(connection, "schema_name", "-")
        return True


class SecretsFilter(logging.Filter):
    """SECURITY: whoever has the address of a calendar, an invitation or a rating may use it, so no log has it.

    Django logs the path of every request that is refused or fails.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_SECRET.sub("…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
