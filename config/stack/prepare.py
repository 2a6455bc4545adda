"""Brings the database and the static files up to the code: ``python -m config.stack.prepare LOGINS_FILE``.

Every step looks first and does only what lags, so that a second run takes seconds.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections


def main(logins: Path) -> None:
    """Migrate every schema, seed the demo tenants once, collect static files, leave the demo logins in ``logins``."""
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate_tenants", stdout=io.StringIO())
    seed_missing()
    said = io.StringIO()
    call_command("demo_logins", stdout=said)
    logins.unlink(missing_ok=True)
    with os.fdopen(os.open(logins, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(said.getvalue())


def seed_missing() -> None:
    """Seed the demo tenants that are not there yet, side by side; raises SystemExit when one of them fails."""
    from demo.load import is_seeded
    from demo.workspaces import DEMOS

    missing = [demo.slug for demo in DEMOS if not is_seeded(demo.slug)]
    if not missing:
        return
    connections.close_all()  # a connection must not be shared with a forked process
    context = multiprocessing.get_context("fork")  # they start with Django loaded
    seeders = [context.Process(target=_seed, args=(slug,)) for slug in missing]
    for seeder in seeders:
        seeder.start()
    for seeder in seeders:
        seeder.join()
    if any(seeder.exitcode for seeder in seeders):
        raise SystemExit("a demo tenant could not be seeded")


def _seed(slug: str) -> None:
    began, said = time.monotonic(), io.StringIO()
    call_command("seed_demo", slug, stdout=said)
    for seeded in json.loads(said.getvalue())["seeded"]:
        print(f"{seeded} is filled ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
