import gzip
import re
from pathlib import Path

from django.conf import settings

from ui.icons import NAMES, SHAPES, build_sprite
from ui.stylesheet import ORDER, SOURCES, build_stylesheet

STATIC = Path(settings.BASE_DIR) / "static"


def test_the_committed_stylesheet_is_what_its_sources_give():
    assert (STATIC / "app.css").read_text() == build_stylesheet()


def test_the_committed_sprite_is_what_the_list_of_icons_gives():
    assert (STATIC / "icons.svg").read_text() == build_sprite()


def test_every_source_file_is_part_of_the_stylesheet():
    assert {path.stem for path in SOURCES.glob("*.css")} == set(ORDER)


def test_no_rule_needs_an_inline_exception_of_the_policy():
    assert "url(" not in re.sub(r"url\(inter\.woff2\)", "", (STATIC / "app.css").read_text())
    assert "@import" not in (STATIC / "app.css").read_text()


def test_the_page_weight_stays_in_its_budget():
    packed = {name: len(gzip.compress((STATIC / name).read_bytes())) for name in ("app.css", "app.js", "icons.svg")}
    assert packed["app.css"] <= 14_500
    assert packed["app.js"] <= 8_000
    assert packed["icons.svg"] <= 9_000
    assert (STATIC / "inter.woff2").stat().st_size <= 40_000


def test_the_font_comes_with_its_licence():
    assert "SIL OPEN FONT LICENSE" in (STATIC / "inter-OFL.txt").read_text().upper()


def test_every_icon_that_a_template_or_the_code_names_is_in_the_sprite():
    known = set(NAMES) | {f"s-{name}" for name in SHAPES}
    root = Path(settings.BASE_DIR)
    used = set()
    for path in (root / "templates").rglob("*.html"):
        used |= set(re.findall(r'{% icon "([a-z0-9-]+)"', path.read_text()))
        used |= set(re.findall(r'symbol="([a-z0-9-]+)"', path.read_text()))
    assert used
    assert used - known == set()


def test_the_script_is_short_enough_to_read():
    assert len((STATIC / "app.js").read_text().splitlines()) < 400
