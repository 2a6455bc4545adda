"""Which workspace a log line belongs to."""

import logging

from django.db import connection


class TenantFilter(logging.Filter):
    """Adds ``tenant``, the selected schema, to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.tenant = getattr(connection, "schema_name", "-")
        return True
