import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from ui import charts
from ui.charts.svg import ticks

NAMESPACE = {"s": "http://www.w3.org/2000/svg"}
HOSTILE = '<img src=x onerror="a()">&|;;'


def parse(svg):
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def bars(label="At risk"):
    return charts.stacked_bars(
        "ARR by band",
        "At risk 3 in November.",
        [("Oct", "Oct 2026"), ("Nov", "Nov 2026")],
        [charts.Series("risk", label, [1, 3]), charts.Series("good", "Healthy", [4, 6])],
        lambda value: f"${value:.0f}",
    )


def line(**changes):
    values = {
        "title": "Logins",
        "desc": "Fell.",
        "categories": ["W1", "W2", "W3"],
        "values": [10, None, 4],
        "formatter": lambda value: f"{value:.0f}",
    }
    return charts.Line(**{**values, **changes})


def fall():
    return charts.waterfall(
        "Why",
        "Usage took 9.",
        charts.Total("22 Oct", 72, "watch"),
        [charts.Step("Usage", -9, "Logins fell"), charts.Step("Outcomes", 2), charts.Step("Money", 0)],
        charts.Total("Today", 65, "watch"),
        [charts.Cut(75, "Healthy")],
    )


@pytest.mark.parametrize("chart", [bars(), line().chart(), fall()], ids=["bars", "line", "waterfall"])
def test_each_of_the_three_widths_is_named_and_states_its_finding(chart):
    for width, svg in (("350", chart.narrow), ("600", chart.middle), ("860", chart.wide)):
        image = parse(svg)
        named = [image.find(f".//*[@id='{name}']").text for name in image.get("aria-labelledby").split()]
        assert (image.get("role"), image.get("width"), named[0]) == ("img", width, chart.title)
        assert named[1]


@pytest.mark.parametrize("days", [2, 31, 91])
def test_names_under_many_bars_stand_apart_and_inside(days):
    names = [(f"{10 + day % 20} Nov", f"Day {day}") for day in range(days)]
    series = [charts.Series("c1", "CTAs", [1] * days)]
    chart = charts.stacked_bars("CTAs by day", "One a day.", names, series, lambda value: f"{value:.0f}")
    for svg in (chart.narrow, chart.middle, chart.wide):
        image = parse(svg)
        places = [
            (float(each.get("x")), each.text) for each in image.findall(".//*") if (each.text or "").endswith("Nov")
        ]
        halves = [6 * len(text) / 2 for _x, text in places]
        edges = [(x - half, x + half) for (x, _text), half in zip(places, halves, strict=True)]
        assert edges[-1][1] <= float(image.get("width"))
        assert all(before[1] <= after[0] for before, after in pairwise(edges))


def test_ids_differ_between_the_widths_of_one_page():
    ids = re.findall(r'id="([^"]+)"', bars().html())
    assert len(ids) == len(set(ids))


def test_the_table_holds_the_numbers_of_the_bars_newest_first():
    assert list(bars().heads) == ["Period", "At risk", "Healthy", "Total"]
    assert [list(row) for row in bars().rows] == [["Nov 2026", "$3", "$6", "$9"], ["Oct 2026", "$1", "$4", "$5"]]


def test_bars_stand_on_the_baseline_with_the_first_series_lowest():
    image = parse(bars().wide)
    lowest = [
        max(
            float(rect.get("y")) + float(rect.get("height"))
            for rect in group.findall("s:rect[@class='f-risk']", NAMESPACE)
        )
        for group in image.findall(".//s:g[@class='col']", NAMESPACE)
    ]
    assert [round(y) for y in lowest] == [round(262 - 24 - 1.5)] * 2


def test_a_missing_value_is_a_gap_not_a_zero():
    drawn = line().chart().wide
    assert drawn.count('stroke-linejoin="round"') == 2
    assert [list(row) for row in line().chart().rows] == [["W3", "4"], ["W2", "–"], ["W1", "10"]]


def test_a_line_without_any_value_is_refused():
    with pytest.raises(ValueError, match="at least one value"):
        line(values=[None, None, None]).chart()


def names_of(svg):
    """Each text with where it begins and ends, at about the width of a letter."""
    found = []
    for each in parse(svg).iterfind(".//s:text", NAMESPACE):
        at, size = float(each.get("x")), 6 * len(each.text)
        begins = {"end": at - size, "middle": at - size / 2}.get(each.get("text-anchor"), at)
        found.append((each.text, begins, begins + size))
    return found


def test_long_names_on_the_axis_of_time_leave_room_for_each_other():
    days = [f"{day} Oct 2026" for day in range(10, 24)]
    chart = line(categories=days, values=[1.0] * len(days)).chart()
    for svg in (chart.narrow, chart.middle, chart.wide):
        shown = sorted((begins, ends) for name, begins, ends in names_of(svg) if name in days)
        assert len(shown) >= 2
        assert all(ends <= begins for (_, ends), (begins, _) in pairwise(shown))


def test_no_two_values_of_an_axis_read_alike():
    chart = line(values=[2.8, 2.9, 2.9], formatter=lambda value: f"{value:.1f}").chart()
    marks = [name for name, *_ in names_of(chart.narrow) if re.fullmatch(r"\d\.\d", name)]
    # The last of them is the label of the last point.
    assert len(marks) > 1
    assert len(set(marks[:-1])) == len(marks[:-1])


def test_of_two_lines_the_chart_says_which_is_which():
    alone, both = line(), line(compare=[8, 7, 6], compare_label="Precision", label="Recall")
    assert "Recall" not in [name for name, *_ in names_of(alone.chart().wide)]
    assert {"Recall", "Precision"} <= {name for name, *_ in names_of(both.chart().wide)}


def test_the_names_of_bands_stand_beside_each_other_in_the_narrowest_waterfall():
    chart = charts.waterfall(
        "Why",
        "Usage took 14.",
        charts.Total("26 Oct", 94.4, "good"),
        [charts.Step("Product usage", -14.4), charts.Step("Support", -8.9)],
        charts.Total("Today", 71.1, "watch"),
        [charts.Cut(90, "Green"), charts.Cut(70, "Yellow")],
    )
    shown = {name: (begins, ends) for name, begins, ends in names_of(chart.narrow) if " from " in name}
    assert set(shown) == {"Yellow from 70", "Green from 90"}
    assert shown["Yellow from 70"][1] <= shown["Green from 90"][0]


def test_the_waterfall_tells_every_step_with_its_sign():
    assert [list(row) for row in fall().rows] == [
        ["22 Oct", "72", ""],
        ["Usage", "\N{MINUS SIGN}9", "Logins fell"],
        ["Outcomes", "+2", ""],
        ["Money", "0", ""],
        ["Today", "65", ""],
    ]


def test_names_from_outside_cannot_become_markup():
    for markup in (
        bars(HOSTILE).html(),
        line(title=HOSTILE, label=HOSTILE, events=[(0, HOSTILE)]).chart().html(),
        charts.donut(HOSTILE, HOSTILE, [("good", HOSTILE, 1)], str),
        charts.share_bar(HOSTILE, HOSTILE, [("good", HOSTILE, 1)]),
        charts.bullet(1, label=HOSTILE),
    ):
        assert "<img" not in markup
        assert 'onerror="' not in markup


def test_no_chart_needs_an_inline_style():
    drawn = bars().html() + line().chart().html() + fall().html() + charts.spark([1, 2]) + charts.bullet(3, 5)
    drawn += charts.gauge("Score", "58", 58, "watch", "Watch", [(0, "risk"), (50, "watch")], 60)
    assert "style=" not in drawn


def test_every_mark_has_a_literal_colour_for_pdf_and_a_class_for_the_page():
    for element in parse(bars().wide).iter():
        css = element.get("class") or ""
        if css.startswith("f-"):
            assert re.fullmatch(r"#[0-9A-F]{6}", element.get("fill"))


def test_charts_of_nothing():
    assert charts.spark([]) == ""
    assert charts.spark([5]) == ""
    assert charts.share_bar("Share", "Nothing", []) == ""
    assert "Nothing" in charts.donut("Share", "Nothing", [], str)
    assert parse(charts.gauge("Score", "None", None, "nodata", "No data", [(0, "risk")])) is not None


def test_one_whole_part_is_a_closed_ring():
    path = parse(charts.donut("Share", "All", [("good", "Healthy", 5)], str)).find(".//s:g/s:path", NAMESPACE)
    assert path.get("d").split("A")[1].split()[3] == "1"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 20, [0, 5, 10, 15, 20]),
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (41, 81, [50, 60, 70, 80]),
        (5, 5, [5, 5.25, 5.5, 5.75, 6]),
    ],
)
def test_ticks_are_round_and_inside(low, high, expected):
    assert ticks(low, high) == expected
