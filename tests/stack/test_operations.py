"""The operations page says what the code does."""

import re
from pathlib import Path

from config import env

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()


def rows(heading):
    """The cells of the first table below a heading, code marks removed."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_variables_is_the_table_of_the_code():
    expected = [
        [variable.name, "required" if variable.default is None else variable.default, variable.purpose]
        for variable in env.VARIABLES.values()
    ]
    assert rows("Environment") == expected


def test_every_command_of_the_makefile_is_described():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    described = {row[0].removeprefix("make ").split()[0] for row in rows("Commands")}
    assert described == set(targets) - {"help", "install", "install-dev"}
