import pytest

from ui.tokens import COLORS, tone_of, tones_of

THEMES = (0, 1)
TEXT = 4.5
MARK = 3.0


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(front: str, back: str) -> float:
    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_gives_the_known_extremes():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


TEXT_PAIRS = [
    *((ink, ground) for ink in ("text", "text-2", "text-3") for ground in ("surface", "bg", "surface-2")),
    ("text-3", "surface-3"),
    ("text-2", "surface-3"),
    ("accent", "surface"),
    ("accent", "bg"),
    ("on-accent", "accent-solid"),
    ("accent-ink", "accent-soft"),
    *(
        (f"{band}-ink", ground)
        for band in ("best", "good", "watch", "warn", "risk")
        for ground in ("surface", f"{band}-soft")
    ),
    ("nodata-ink", "surface"),
    *((f"{step}-ink", step) for step in ("q0", "q1", "q2", "q3", "q4", "q5", "q6", "r1")),
]
MARK_PAIRS = [
    *((mark, "surface") for mark in ("best", "good", "watch", "warn", "risk", "c1", "c2", "c3", "c4", "c5", "control")),
    # "No data" is pale on purpose and drawn with this outline.
    ("control", "surface"),
    ("control", "bg"),
]


@pytest.mark.parametrize("theme", THEMES, ids=("light", "dark"))
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(ink, ground, theme):
    assert contrast(COLORS[ink][theme], COLORS[ground][theme]) >= TEXT


@pytest.mark.parametrize("theme", THEMES, ids=("light", "dark"))
@pytest.mark.parametrize(("mark", "ground"), MARK_PAIRS)
def test_marks_can_be_seen(mark, ground, theme):
    assert contrast(COLORS[mark][theme], COLORS[ground][theme]) >= MARK


def test_each_colour_of_a_band_has_its_tone():
    assert [tone_of(colour) for colour in ("green", "yellow", "orange", "red", "", None, "mauve")] == [
        "good",
        "watch",
        "warn",
        "risk",
        "nodata",
        "nodata",
        "neutral",
    ]


def test_the_better_of_two_green_bands_is_told_from_the_other():
    assert tones_of(["green", "green", "yellow", "orange", "red"]) == ["best", "good", "watch", "warn", "risk"]
    assert tones_of(["green", "yellow", "red"]) == ["good", "watch", "risk"]
