"""The book beside My day: what it adds up to, and how it went over the months."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.choices import Role
from accounts.models import Account, Tier
from health.book.trend import book_trend
from health.models import PortfolioDay
from health.models.portfolio import month_ends
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


class TestTrend:
    def test_the_book_over_time_is_what_the_reader_owned_then(self, desk, mara, today):
        def recorded(days, owner, rag, arr, scored, total, currency="USD"):
            PortfolioDay.objects.create(
                day=today - timedelta(days=days), owner_id=owner.pk, currency=currency, rag=rag, band=rag,
                accounts=scored, scored=scored, arr=arr, total=total,
            )  # fmt: skip

        other = UserFactory(role=Role.CSM)
        recorded(70, mara, "red", 100, 1, 40)
        recorded(70, other, "green", 9_000, 1, 90)
        recorded(35, mara, "green", 300, 2, 150)
        recorded(35, mara, "red", 50, 1, 30)
        recorded(35, mara, "green", 7, 1, 60, currency="EUR")
        trend = book_trend(mara, today, "USD")
        assert [(sum(month.arr.values()), month.arr["green"]) for month in trend.months] == [(100, 0), (350, 300)]
        assert trend.scores == [40, 60]
        page = text(desk.get("/day/"))
        part = page.split('id="h-trend"', 1)[1].split("</section>")[0]
        assert "ARR by health band" in part
        assert "60.0" in part
        assert "20.0" in part
        assert "$9k" not in part

    def test_one_recorded_month_draws_no_course(self, desk, mara, today):
        PortfolioDay.objects.create(
            day=today, owner_id=mara.pk, currency="USD", rag="red", band="red", accounts=1, scored=1, arr=5, total=40
        )
        assert "h-trend" not in text(desk.get("/day/"))

    def test_a_month_is_told_by_its_last_day_with_sums_up_to_today(self, mara):
        """As the days themselves say: both ends of a month, months without any, days before and after the time."""
        days = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 2),
                date(2026, 8, 20), date(2026, 8, 21), date(2026, 8, 22)]  # fmt: skip
        for day in days:
            PortfolioDay.objects.create(
                day=day, owner_id=mara.pk, currency="USD", rag="red", band="red", accounts=1, scored=1, arr=5, total=40
            )
        kept = PortfolioDay.objects.filter(day__in=month_ends(date(2026, 4, 1), date(2026, 8, 21)))
        assert sorted(kept.values_list("day", flat=True)) == [date(2026, 4, 30), date(2026, 5, 2), date(2026, 8, 21)]


class TestBook:
    def test_money_health_capacity_and_renewals_add_up(self, desk, mara, halden, today):
        tier = Tier.objects.create(key="strategic", name="Strategic", rank=3, capacity={"csm": {"max": 1}})
        Account.objects.update(tier=tier)
        AccountFactory(name="Brook", owner=mara, arr=Decimal(88_000), tier=tier)
        AccountFactory(owner=mara, arr=Decimal(5), currency="EUR")
        AccountFactory(owner=UserFactory(), arr=Decimal(999_999))
        book = desk.get("/day/").context["book"]
        assert (book.accounts, book.arr, book.foreign) == (3, Decimal(500_000), 1)
        assert [(load.tier, load.accounts, load.limit, load.over) for load in book.loads] == [
            ("Strategic", 2, 1, True), ("No tier", 1, None, False),
        ]  # fmt: skip
        assert [(colour.label, colour.accounts) for colour in book.colours] == [("No data", 3)]
        assert (book.renewing, [row["name"] for row in book.renewals]) == (1, ["Halden"])

    def test_somebody_without_accounts_is_told_how_to_get_some(self, desk):
        assert "You own no account yet" in text(desk.get("/day/"))
