"""``make requirements``: runs the tests that name a requirement and prints which rows they prove."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import groupby

from tests.requirements import PROVEN_FILE, ROOT, known


def report(passed: dict[str, list[str]], failed: dict[str, list[str]], rows: list[str]) -> list[str]:
    """The lines to print: the count, rows with a failing test, then the unproven ids, a line for each document."""
    proven = [row for row in rows if passed.get(row)]
    lines = [f"{len(proven)} of {len(rows)} requirements proven"]
    lines += [f"  {row}: {', '.join(tests)} failed" for row, tests in sorted(failed.items())]
    unproven = [row for row in rows if not passed.get(row)]
    if unproven:
        lines.append(f"Not yet proven ({len(unproven)}):")
    for source, ids in groupby(unproven, key=lambda row: row.partition("-")[0]):
        lines.append(f"  {source}: " + " ".join(ids))
    return lines


def main() -> int:
    """Run the marked tests; status 1 when one of them fails."""
    PROVEN_FILE.unlink(missing_ok=True)
    tests = [sys.executable, "-m", "pytest", "-q", "-m", "requirement", "--no-header", "-p", "no:cacheprovider"]
    status = subprocess.run(tests, cwd=ROOT, check=False).returncode
    found = json.loads(PROVEN_FILE.read_text()) if PROVEN_FILE.exists() else {"passed": {}, "failed": {}}
    print("\n".join(report(found["passed"], found["failed"], known())))
    return 0 if status in {0, 5} and not found["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
