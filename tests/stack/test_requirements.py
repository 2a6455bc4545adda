import json
import os
import subprocess
import sys
import textwrap

import pytest

from tests.requirements import ROOT, known
from tests.requirements.__main__ import report


@pytest.fixture
def pytester_run(tmp_path):
    """Runs pytest on a file of its own with only our plugin; returns the process and what it noted."""

    def run(code):
        (tmp_path / "test_it.py").write_text(textwrap.dedent(code))
        script = (
            "import sys; from pathlib import Path; import tests.requirements.plugin as p;"
            "p.PROVEN_FILE = Path('proven.json'); import pytest; sys.exit(pytest.main(sys.argv[1:], plugins=[p]))"
        )
        command = [sys.executable, "-c", script, "-q", "-p", "no:django", "-p", "no:cacheprovider", "test_it.py"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        noted = tmp_path / "proven.json"
        return done, json.loads(noted.read_text()) if noted.exists() else None

    return run


def test_the_project_carries_459_rows_each_once():
    assert len(known()) == len(set(known())) == 459


def test_the_report_counts_rows_with_a_passing_test_and_lists_the_others_by_document():
    rows = ["FMEA-1.1", "FMEA-1.2", "MNA-1.1", "FLEET-7.3"]
    assert report({"FMEA-1.2": ["tests/a.py::b"], "MNA-1.1": []}, {"MNA-1.1": ["tests/a.py::c"]}, rows) == [
        "1 of 4 requirements proven",
        "  MNA-1.1: tests/a.py::c failed",
        "Not yet proven (3):",
        "  FMEA: FMEA-1.1",
        "  MNA: MNA-1.1",
        "  FLEET: FLEET-7.3",
    ]


def test_a_complete_report_lists_nothing():
    assert report({"A-1": ["t"]}, {}, ["A-1"]) == ["1 of 1 requirements proven"]


def test_passing_and_failing_tests_are_noted_and_an_unknown_row_stops_the_run(pytester_run):
    done, proven = pytester_run(
        """
        import pytest

        @pytest.mark.requirement("FLEET-7.3", "FMEA-1.1")
        def test_good(): pass

        @pytest.mark.requirement("FMEA-1.2")
        def test_bad(): assert False

        @pytest.mark.requirement("FMEA-1.3")
        @pytest.mark.skip
        def test_skipped(): pass
        """
    )
    assert done.returncode == 1
    assert sorted(proven["passed"]) == ["FLEET-7.3", "FMEA-1.1"]
    assert sorted(proven["failed"]) == ["FMEA-1.2"]
    done, _ = pytester_run("import pytest\n@pytest.mark.requirement('FLEET-99.9')\ndef test_odd(): pass\n")
    assert done.returncode == 4
    assert "proves FLEET-99.9, which docs/requirements.json does not list" in done.stdout + done.stderr
