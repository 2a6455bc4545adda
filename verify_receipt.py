"""Check a receipt: ``python -m verify_receipt FILE [--entry HASH]``.

Works the score or the figure out again from the evidence in the file and compares every stored result, the digest
and the audit entry that sealed it. Needs Python and this folder; no database, no Django, no network. ``--entry`` is
the hash of that entry as the workspace's audit log shows it; without it the seal is only compared with itself.

Leaves with 0 when the receipt holds, 1 when it does not, 2 when it could not be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from health.receipts import check


def main(arguments: list[str] | None = None) -> int:
    """Print what was found, and return the exit status."""
    parser = argparse.ArgumentParser(prog="verify_receipt", description="Check receipts of scores and figures.")
    parser.add_argument("file", type=Path, nargs="+", help="a receipt as it was downloaded")
    parser.add_argument("--entry", default="", metavar="HASH", help="the audit entry's hash in the workspace's log")
    asked = parser.parse_args(arguments)
    status = 0
    for path in asked.file:
        try:
            finding = check(path.read_bytes(), entry_hash=asked.entry)
        except OSError as error:
            sys.stderr.write(f"{path}: {error.strerror}\n")
            status = 2
            continue
        sys.stdout.write(f"{path}: {'HOLDS' if finding.holds else 'DOES NOT HOLD'} {finding.summary}\n")
        sys.stdout.writelines(f"  {problem}\n" for problem in finding.problems)
        status = max(status, 0 if finding.holds else 1)
    return status


if __name__ == "__main__":
    sys.exit(main())
