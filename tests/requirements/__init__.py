"""Which rows of ``docs/requirements.json`` the suite proves.

A test names its rows with ``@pytest.mark.requirement("FLEET-7.3")``. ``plugin`` notes what passed;
``python -m tests.requirements`` runs the marked tests and prints the count.
"""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROVEN_FILE = ROOT / ".tenure" / "requirements-proven.json"


def known() -> list[str]:
    """Every row's id, in the order of the file."""
    return [row["id"] for row in json.loads((ROOT / "docs" / "requirements.json").read_text())]
