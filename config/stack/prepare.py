"""Brings the database and the static files up to the code: ``python -m config.stack.prepare LOGINS_FILE``.

Every step looks first and does only what lags, so that a second run takes seconds.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command


def main(logins: Path) -> None:
    """Migrate every schema, seed the demo tenants once, collect static files, leave the demo logins in ``logins``."""
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate_tenants", stdout=io.StringIO())
    call_command("seed_demo")
    said = io.StringIO()
    call_command("demo_logins", stdout=said)
    logins.unlink(missing_ok=True)
    with os.fdopen(os.open(logins, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(said.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
