import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps as django_apps
from django.conf import settings

from ui import formats


@pytest.mark.parametrize(
    ("amount", "currency", "whole", "compact"),
    [
        (Decimal(412000), "USD", "$412,000", "$412k"),
        (Decimal("18420000"), "EUR", "€18,420,000", "€18.42M"),
        (Decimal("999499"), "USD", "$999,499", "$999k"),
        (Decimal("999500"), "USD", "$999,500", "$1M"),
        (Decimal("1200000000"), "GBP", "£1,200,000,000", "£1.2B"),
        (Decimal("12.50"), "USD", "$12.50", "$12"),
        (Decimal(0), "USD", "$0", "$0"),
        (Decimal(-1500), "USD", "\N{MINUS SIGN}$1,500", "\N{MINUS SIGN}$2k"),
        (Decimal(50), "SEK", "SEK 50", "SEK 50"),
        (None, "USD", "–", "–"),
    ],
)
def test_money_is_written_in_full_and_short(amount, currency, whole, compact):
    assert (formats.money(amount, currency), formats.money(amount, currency, compact=True)) == (whole, compact)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1412, "1,412"),
        (Decimal("68.45"), "68.5"),
        (Decimal("68.00"), "68"),
        (-3, "\N{MINUS SIGN}3"),
        (0, "0"),
        (None, "–"),
    ],
)
def test_numbers_have_one_decimal_unless_they_are_whole(value, text):
    assert formats.number(value) == text


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert (formats.number(-0.04, 1), formats.signed(0.04, 1), formats.signed(0.05 + 0.01, 1)) == ("0.0", "0.0", "+0.1")


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (95, 0, "95 %"),
        (Decimal("103.04"), 1, "103.0 %"),
        (Decimal("99.5"), 0, "100 %"),
        (Decimal("99.5"), None, "99.5 %"),
        (1250, 0, "1,250 %"),
        (-3, 0, "\N{MINUS SIGN}3 %"),
        (None, 1, "–"),
    ],
)
def test_per_cent_is_written_in_one_way(value, places, text):
    assert formats.percent(value, places) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.12, "12 %"), (0.012, "1.2 %"), (0.0, "0 %"), (1.0, "100 %"), (None, "–")]
)
def test_a_small_share_has_a_decimal(value, text):
    assert formats.share(value) == text


# Thresholds of promises as they are kept and typed, and patterns of the database.
NO_FIGURES = {"accounts/search.py", "support/actions/clocks.py", "support/actions/sweep.py"}


def test_no_module_writes_per_cent_without_a_blank():
    root = Path(settings.BASE_DIR)
    apps = [config.name for config in django_apps.get_app_configs() if (root / config.name).is_dir()]
    found = {
        str(path.relative_to(root))
        for app in apps
        for path in (root / app).rglob("*.py")
        if "migrations" not in path.parts and re.search(r"\}%[\"'` ]", path.read_text())
    }
    assert found == NO_FIGURES


@pytest.mark.parametrize(
    ("days", "text"), [(0, "today"), (1, "in 1 day"), (74, "in 74 days"), (-1, "1 day ago"), (-3, "3 days ago")]
)
def test_days_until(days, text):
    today = date(2026, 11, 24)
    assert formats.days_until(today + timedelta(days=days), today) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (44, "just now"),
        (45, "1 min ago"),
        (3599, "60 min ago"),
        (3600, "1 h ago"),
        (86399, "24 h ago"),
        (86400, "1 day ago"),
        (86400 * 59, "59 days ago"),
        (86400 * 60, "25 Sep 2026"),
        (-7200, "in 2 h"),
    ],
)
def test_ago_changes_its_unit_at_each_edge(seconds, text):
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert formats.ago(now - timedelta(seconds=seconds), now) == text


def test_the_year_is_left_out_only_in_the_current_one():
    today = date(2026, 11, 24)
    assert [formats.day(day, today=today) for day in (date(2026, 1, 31), date(2027, 1, 31))] == [
        "31 Jan",
        "31 Jan 2027",
    ]
    assert formats.day(None) == "–"


@pytest.mark.parametrize(
    ("name", "text"), [("Mara Lind", "ML"), ("Jan van der Berg", "JV"), ("", "?"), ("x@acme.test", "XA"), ("…", "?")]
)
def test_initials(name, text):
    assert formats.initials(name) == text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("66.666667", "66.7"),
        ("0.933333", "0.93"),
        ("0.000001", "0"),
        ("-0.4", "-0.4"),
        ("1200", "1200"),
        (10**26, f"{10**26}"),
        (10**27, f"{10**27}"),
        (-(10**40), f"-{10**40}"),
        ("off_track", "off_track"),
        ("NaN", "NaN"),
        (None, "None"),
    ],
)
def test_a_reading_is_told_as_exactly_as_a_sentence_needs(value, told):
    assert formats.reading(value) == told


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
         "Chrome on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1",
         "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15.1; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Mac"),
        ("curl/8.9", "curl/8.9"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words(agent, told):
    assert formats.browser(agent) == told
