"""The table of complaints names tests that exist."""

import re
from pathlib import Path

TABLE = Path(__file__).parents[2] / "docs" / "complaints.md"


def test_every_row_names_a_test_that_exists():
    rows = [line for line in TABLE.read_text().splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 16))
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, name in named:
            assert f"def {name}(" in (TABLE.parents[1] / file).read_text(), (file, name)
