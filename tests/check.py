"""``make check``: every check that needs no test, one line each, and what the failing ones said."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNTYPED = {"tests", "benchmarks"}
# What a deployment sets; `check --deploy` looks at the settings that follow from it.
DEPLOYED = {"HTTPS": "1", "SECRET_KEY": "check-deploy-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF", "DEBUG": "0"}


def tool(name: str, *arguments: str) -> list[str]:
    """A program of our virtual environment with its arguments."""
    return [str(Path(sys.executable).parent / name), *arguments]


def manage(*arguments: str) -> list[str]:
    """A management command."""
    return [sys.executable, "manage.py", *arguments]


def steps(openapi: Path) -> dict[str, list[str]]:
    """The checks by name, in order, cheap ones first."""
    templates = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.html"))
    typed = sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - UNTYPED)
    return {
        "lint": tool("ruff", "check", "."),
        "format": tool("ruff", "format", "--check", "."),
        "templates": tool("djade", "--check", "--target-version", "5.2", *templates),
        "imports": tool("lint-imports"),
        "migrations": manage("makemigrations", "--check", "--dry-run"),
        "deployment": manage("check", "--deploy", "--fail-level", "WARNING"),
        "openapi": manage("openapi", "--file", str(openapi)),
        "openapi file": tool("openapi-spec-validator", str(openapi)),
        "types": tool("mypy", *typed),
        "benchmarks": [sys.executable, "-m", "benchmarks", "--check"],
    }


def main() -> int:
    """Run all checks; status 1 when one of them fails."""
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name, command in steps(Path(folder) / "openapi.json").items():
            began = time.monotonic()
            env = os.environ | (DEPLOYED if name == "deployment" else {})
            done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            verdict = "ok" if done.returncode == 0 else "FAILED"
            print(f"{name:<14}{verdict:<8}{time.monotonic() - began:6.1f} s", flush=True)
            if done.returncode:
                failed.append(name)
                print(done.stdout + done.stderr, flush=True)
    print(f"make check: {'failed: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
