"""The whole product on one machine, from Python packages alone.

``python -m config.stack up`` starts PostgreSQL, Redis, web, workers and beat and watches over them;
``services`` starts only the two servers; ``exec -- COMMAND`` runs one command beside them.
``DATABASE_URL`` and ``REDIS_URL`` replace the embedded servers. See ``docs/operations.md``.
"""


class StackError(Exception):
    """Something the person at the terminal has to change; the message says what and how."""
