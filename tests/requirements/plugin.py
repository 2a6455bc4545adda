"""The pytest side: checks the ids that tests name and writes what their passing proves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.requirements import PROVEN_FILE, known


class Proofs:
    """Collects, over one run, the tests that passed and failed for each requirement."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.passed: dict[str, list[str]] = {}
        self.failed: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rows = [value for key, value in report.user_properties if key == "requirement"]
        for row in rows:
            if report.when == "call" and report.passed:
                self.passed.setdefault(str(row), []).append(report.nodeid)
            if report.failed:
                self.failed.setdefault(str(row), []).append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.config.option.collectonly or hasattr(session.config, "workerinput"):
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"passed": self.passed, "failed": self.failed}, indent=1, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Proofs(PROVEN_FILE), "requirement-proofs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rows = set(known())
    for item in items:
        for mark in item.iter_markers("requirement"):
            for row in mark.args:
                if row not in rows:
                    raise pytest.UsageError(f"{item.nodeid} proves {row}, which docs/requirements.json does not list")
                item.user_properties.append(("requirement", row))
