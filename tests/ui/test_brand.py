import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.test_tokens import contrast as independent
from ui import brand
from ui.tokens import COLORS

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")


@given(COLOURS)
def test_every_colour_gives_readable_pairs_in_both_themes(accent):
    made = COLORS | brand.shades(accent)
    for theme in (0, 1):
        assert [pair for pair in brand.PAIRS if independent(made[pair[0]][theme], made[pair[1]][theme]) < 4.5] == []


@given(COLOURS, COLOURS)
def test_contrast_is_the_formula_of_the_guideline(one, other):
    assert brand.contrast(one, other) == pytest.approx(independent(one, other))


def test_a_colour_that_reads_already_is_kept_as_it_is():
    assert brand.shades("#3350C4")["accent"][0] == brand.shades("#3350C4")["accent-solid"][0] == "#3350C4"


def test_yellow_is_darkened_on_white_and_kept_on_black():
    light, dark = brand.shades("#FFD400")["accent"]
    assert dark == "#FFD400"
    assert light != "#FFD400"


@pytest.mark.parametrize("colour", ["", "#FFF", "red", "#12345G", "#1234567", "#3350C4;}"])
def test_what_is_no_colour_is_refused(colour):
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        brand.shades(colour)


def test_the_stylesheet_holds_nothing_but_the_accent_tokens():
    css = brand.stylesheet("#3350C4")
    assert re.findall(r"--([a-z-]+):", css) == ["accent", "accent-solid", "on-accent", "accent-soft", "accent-ink"]
    assert css.startswith("@layer tokens { :root { --accent: light-dark(#3350C4, ")
