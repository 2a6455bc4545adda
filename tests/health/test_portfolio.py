"""The portfolio's figures: each equals what its rows add up to, for whatever filters and days; and who sees what."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Account, TeamMember, TeamRole, Workspace
from health.actions.standing import keep_standings
from health.book.choices import scope_choices
from health.book.compare import compare
from health.book.figures import AT_RISK, COLOURS, CONTRACTS, FIGURES
from health.book.keeping import kept
from health.book.portfolio import portfolio
from health.book.rows import rows_behind
from health.book.scope import SPLITS, Scope, period_before
from health.book.split import split
from health.book.sums import sums, sums_and_parts
from health.models import Standing
from tests.factories import AccountFactory, UserFactory
from tests.health import books, world
from tests.health.books import DAYS, TODAY, parts_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria")


@pytest.fixture
def book(vp):
    return books.book()


def _members(segment, day):
    """Who was in a segment at the end of ``day``: the slow way, stay by stay."""
    day = max(day, timezone.localdate(segment.created_at))
    return {
        str(stay.account_id)
        for stay in segment.members.all()
        if timezone.localdate(stay.entered_at) <= day
        and (stay.left_at is None or timezone.localdate(stay.left_at) > day)
    }


def scopes(book, count, seed):
    """Random filters and days."""
    rng = random.Random(seed)
    for _ in range(count):
        on = rng.choice([TODAY, TODAY, *DAYS[1:]])
        query = {
            "owner": rng.choice(["", "", "none", *(str(owner.pk) for owner in book["owners"])]),
            "tier": rng.choice(["", "", *(str(tier.pk) for tier in book["tiers"])]),
            "segment": rng.choice(["", "", "SMB", "Enterprise", *(str(segment.pk) for segment in book["segments"])]),
            "split": rng.choice(list(SPLITS)),
            "card": rng.choice(["", "", *(version.scorecard.key for version in book["versions"])]),
            "on": on.isoformat(),
            "since": rng.choice([day for day in DAYS if day < on] or [DAYS[0]]).isoformat(),
        }
        yield Scope.read(query, TODAY)


def _due(now, figure, part):
    """A month's from the chart, a quarter's from the forecast."""
    if "Q" in part:
        quarter = date(int(part[:4]), int(part[-1]) * 3 - 2, 1)
        return now.due_in(quarter)[figure.key == "due_risk"].arr
    colours = now.due.get(date.fromisoformat(f"{part}-01"), {})
    counted = [one.arr for rag, one in colours.items() if figure.key == "due" or rag in AT_RISK]
    return sum(counted, Decimal(0))


def shown(data, figure, part):
    """What the page says."""
    if figure.key == "band":
        return data.now.by_colour[part].arr
    if figure.parts == "month":
        return _due(data.now, figure, part)
    if figure.key == "cohort":
        quarter, age = part.split(".")
        found = [row for row in data.cohorts if row.quarter.isoformat() == quarter]
        return found[0].shares[int(age)] if found and len(found[0].shares) > int(age) else None
    return data.value(figure.key)


class TestFiguresEqualTheirRows:
    def test_for_random_filters_and_days(self, book, vp):
        checked = 0
        csm = book["owners"][1]
        for number, scope in enumerate(scopes(book, 12, seed=1)):
            # Each third as a CSM who sees their own book alone, each fourth in the other currency.
            user, currency = (csm if number % 3 == 2 else vp), ("EUR" if number % 4 == 3 else "USD")
            Workspace.objects.update(csm_reads_all_accounts=user is vp)
            user = type(user).objects.get(pk=user.pk)
            data = portfolio(user, scope, currency)
            for figure in FIGURES.values():
                for part in parts_of(figure, scope):
                    behind = rows_behind(user, scope, figure, part, currency)
                    said = shown(data, figure, part)
                    assert behind.value == figure.value(behind.rows), (figure.key, part, scope)
                    if figure.key == "cohort" and said is None:
                        continue
                    value = figure.value(behind.rows)
                    assert (said is None) == (value is None), (figure.key, part, scope)
                    if said is not None:
                        assert abs(said - value) < Decimal("0.00001"), (figure.key, part, scope)
                        checked += said != 0
                    assert all(figure.belongs(row, scope.on, part) for row in behind.rows), (figure.key, part)
                    assert behind.total == len(behind.rows) == len({row["account"] for row in behind.rows})
        assert checked > 80

    def test_the_bars_of_the_history_are_the_rows_of_the_days_they_stand_for(self, book, vp):
        """Each month's bar of each colour, also for a segment by rule and for whoever sees one book, and in euros."""
        csm, checked = book["owners"][0], 0
        for number, scope in enumerate(scopes(book, 10, seed=9)):
            currency = "EUR" if number == 5 else "USD"
            Workspace.objects.update(csm_reads_all_accounts=number % 2 == 0)
            user = type(csm).objects.get(pk=(vp if number % 2 == 0 else csm).pk)
            for month in portfolio(user, scope, currency).history:
                if month.day == TODAY:  # today's figures are live, its bar is of the last run
                    continue
                day = Scope.read({**scope.parameters(), "on": month.day.isoformat(), "since": ""}, TODAY)
                for colour in COLOURS:
                    rows = rows_behind(user, day, FIGURES["band"], colour, currency).rows
                    assert month.arr[colour] == sum((row["arr"] for row in rows), Decimal(0)), (scope, month.day)
                    checked += month.arr[colour] != 0
        assert checked > 8

    def test_nobody_who_belongs_is_left_out(self, book, vp):
        """The rows of a narrower figure are those of all accounts that belong, in the workspace's currency."""
        for scope in scopes(book, 12, seed=2):
            everybody = rows_behind(vp, scope, FIGURES["accounts"], "", "USD").rows
            for figure in FIGURES.values():
                if figure.source == CONTRACTS or figure.unit != "money":
                    continue
                for part in parts_of(figure, scope):
                    kept = {row["account"] for row in rows_behind(vp, scope, figure, part, "USD").rows}
                    belonging = {
                        row["account"]
                        for row in everybody
                        if row["currency"] == "USD" and figure.belongs(row, scope.on, part)
                    }
                    assert kept == belonging, (figure.key, part, scope)

    def test_the_colours_and_the_owners_add_up_to_the_whole(self, book, vp):
        for scope in scopes(book, 12, seed=3):
            now, _before = sums(vp, scope, "USD")
            assert sum(load.book.accounts for load in now.loads.values()) == now.whole.accounts
            assert sum(load.book.arr for load in now.loads.values()) == now.whole.arr
            assert sum(load.at_risk.arr for load in now.loads.values()) == now.at_risk.arr

    def test_the_history_ends_with_the_day_and_follows_its_filters(self, book, vp):
        for scope in scopes(book, 12, seed=4):
            if scope.on == TODAY:
                continue
            data = portfolio(vp, scope, "USD")
            last = data.history[-1].arr if data.history and data.history[-1].day == scope.on else {}
            assert {colour: last.get(colour, 0) for colour in COLOURS} == {
                colour: data.now.by_colour[colour].arr for colour in COLOURS
            }

    def test_a_segment_by_rule_keeps_those_who_were_in_it_that_day(self, book, vp):
        for segment in book["segments"]:
            for on in [TODAY, *DAYS[1:]]:
                asked = {"on": on.isoformat(), "since": DAYS[0].isoformat()}
                everybody = rows_behind(vp, Scope.read(asked, TODAY), FIGURES["accounts"], "", "USD").rows
                narrowed = Scope.read({**asked, "segment": str(segment.pk)}, TODAY)
                kept = {row["account"] for row in rows_behind(vp, narrowed, FIGURES["accounts"], "", "USD").rows}
                assert kept == {row["account"] for row in everybody} & _members(segment, on)
                assert kept

    def test_the_parts_of_a_split_are_the_portfolio_of_each_and_the_rows_they_lead_to(self, book, vp):
        choices, checked = scope_choices(vp), 0
        for number, drawn in enumerate(scopes(book, 14, seed=6)):
            # All filters at once leave nobody to be split: one of them, in turn.
            others = {"owner", "tier", "segment", "card"} - {("owner", "tier", "segment", "card")[number % 4]}
            asked = {name: value for name, value in drawn.parameters().items() if name not in others}
            scope = Scope.read(asked, TODAY)
            (whole, _before), rows = sums_and_parts(vp, scope, "USD")
            parts = split(rows, scope, choices)
            name = "segment" if scope.split == "rule" else scope.split
            if scope.split != "rule":
                assert sum(part.accounts for part in parts) == whole.whole.accounts
                assert sum(part.arr_at_risk for part in parts) == whole.at_risk.arr
            for part in parts:
                if not part.key or scope.parameters().get(name):
                    continue
                alone = Scope.read({**scope.parameters(), name: part.key}, TODAY)
                now, then = sums(vp, alone, "USD")
                assert (part.accounts, part.arr) == now.whole, (part, scope)
                assert (part.at_risk, part.arr_at_risk) == now.at_risk
                assert part.arr_before == (then and then.whole.arr)
                mean = now.value("score")
                assert part.score == mean or abs(part.score - mean) < Decimal("0.00001")
                behind = rows_behind(vp, alone, FIGURES["risk"], "", "USD")
                assert sum((row["arr"] for row in behind.rows), Decimal(0)) == part.arr_at_risk
                assert rows_behind(vp, alone, FIGURES["accounts"], "", "USD").total == part.accounts
                checked += part.accounts > 0
        assert checked > 15

    def test_a_page_of_rows_is_a_piece_of_all_of_them(self, book, vp, monkeypatch):
        monkeypatch.setattr("health.book.rows.PAGE_SIZE", 7)
        scope = Scope.read({}, TODAY)
        whole = rows_behind(vp, scope, FIGURES["arr"], "", "USD").rows
        pages = [rows_behind(vp, scope, FIGURES["arr"], "", "USD", page=page).rows for page in (1, 2, 3, 4, 5)]
        assert [row["account"] for page in pages for row in page] == [row["account"] for row in whole[:35]]


class TestComparison:
    def test_accounts_and_steps_explain_the_change_to_the_cent(self, book, vp):
        moved = 0
        for scope in scopes(book, 15, seed=5):
            now, before = sums(vp, scope, "USD")
            found = compare(vp, scope, "USD")
            assert (found.arr.after, found.risk.after) == (now.whole.arr, now.at_risk.arr)
            if before is not None:
                assert (found.arr.before, found.risk.before) == (before.whole.arr, before.at_risk.arr)
            for bridge in (found.arr, found.risk):
                assert sum((step.amount for step in bridge.steps), Decimal(0)) == bridge.change
                assert sum((move.change for move in bridge.moved), Decimal(0)) == bridge.change
                assert len({move.account_id for move in bridge.moved}) == len(bridge.moved)
                moved += len(bridge.moved)
        assert moved > 30

    @pytest.mark.parametrize(
        ("before", "after", "why"),
        [
            ({"arr": 100}, {"arr": 150}, ("grown", 50)),
            ({"arr": 100}, {"arr": 60}, ("shrunk", -40)),
            ({"arr": 100}, {"status": "churned", "churned_on": TODAY}, ("left", -100)),
            ({"arr": 100, "customer_since_on": TODAY}, {}, ("new", 100)),
            ({"arr": 100, "segment": "SMB"}, {"segment": "Enterprise"}, ("in", 100)),
            ({"arr": 100, "segment": "Enterprise"}, {"segment": "SMB"}, ("out", -100)),
        ],
    )
    def test_says_why_an_account_counts_more_or_less(self, vp, before, after, why):
        account = AccountFactory(**{"segment": "Enterprise", **before})
        keep_standings(DAYS[-1])
        Account.objects.filter(pk=account.pk).update(**after)
        scope = Scope.read({"since": DAYS[-1].isoformat(), "segment": "Enterprise"}, TODAY)
        assert [(move.why, move.change) for move in compare(vp, scope, "USD").arr.moved] == [why]

    def test_falling_into_risk_and_out_of_it(self, vp):
        world.card()
        from health.models import ScorecardVersion

        version = ScorecardVersion.objects.select_related("scorecard").get()
        accounts = {name: AccountFactory(name=name, arr=arr) for name, arr in (("falls", 30), ("rises", 7))}
        for name, colour in (("falls", "green"), ("rises", "red")):
            books.scored_as(accounts[name], version, Always(colour), DAYS[-1])
        keep_standings(DAYS[-1])
        for name, colour in (("falls", "orange"), ("rises", "green")):
            books.scored_as(accounts[name], version, Always(colour), TODAY)
        found = compare(vp, Scope.read({"since": DAYS[-1].isoformat()}, TODAY), "USD").risk
        assert [(move.name, move.why, move.change) for move in found.moved] == [
            ("falls", "fell", 30),
            ("rises", "rose", -7),
        ]


class Always:
    """Draws one colour, and of everything else the first."""

    def __init__(self, colour):
        self.colour = colour

    def choice(self, options):
        return self.colour if self.colour in options else options[0]

    def randrange(self, low, high):
        return 50_000_000


class TestScope:
    @pytest.mark.parametrize(
        ("period", "since"),
        [
            ("30", date(2026, 10, 25)),
            ("90", date(2026, 8, 26)),
            ("month", date(2026, 10, 31)),
            ("quarter", date(2026, 9, 30)),
            ("year", date(2025, 12, 31)),
        ],
    )
    def test_a_period_is_compared_with_the_day_before_it_began(self, period, since):
        assert period_before(period, TODAY) == since

    def test_the_address_holds_what_was_asked_and_nothing_else(self):
        asked = {"owner": "me", "segment": "SMB", "since": "2026-10-01", "on": "2026-11-01", "split": "tier"}
        scope = Scope.read(asked, TODAY)
        assert scope.parameters() == asked
        assert (
            Scope.read(
                {"owner": "?", "on": "2027-01-01", "since": "x", "period": "7", "split": "x"}, TODAY
            ).parameters()
            == {}
        )

    def test_a_day_after_the_other_is_dropped(self):
        scope = Scope.read({"on": "2026-10-01", "since": "2026-11-01"}, TODAY)
        assert (scope.since, scope.period) == (date(2026, 9, 1), "30")


class TestWhoSees:
    def test_a_csm_confined_to_their_book_gets_figures_and_history_of_it_alone(self, book):
        Workspace.objects.update(csm_reads_all_accounts=False)
        csm = book["owners"][0]
        for query in ({}, {"on": DAYS[-2].isoformat(), "since": DAYS[0].isoformat()}):
            scope = Scope.read(query, TODAY)
            mine = set(map(str, Account.objects.filter(owner=csm).values_list("pk", flat=True)))
            data = portfolio(csm, scope, "USD")
            for figure in FIGURES.values():
                for part in parts_of(figure, scope):
                    assert {row["account"] for row in rows_behind(csm, scope, figure, part, "USD").rows} <= mine
            assert data.now.whole.accounts <= len(mine)
            assert {move.account_id for move in compare(csm, scope, "USD").arr.moved} <= set(
                Account.objects.filter(owner=csm).values_list("pk", flat=True)
            )
            for month in data.history:
                kept = Standing.objects.visible_to(csm).on(month.day).filter(currency="USD")
                assert sum(month.arr.values()) == sum(standing.arr for standing in kept)


def test_whoever_moves_from_one_team_to_another_sees_the_other_accounts_at_once(vp):
    Workspace.objects.update(csm_reads_all_accounts=False)
    csm, other = UserFactory(role=Role.CSM), UserFactory(role=Role.CSM)
    first, second = AccountFactory(owner=other), AccountFactory(owner=other)
    role = TeamRole.objects.get_or_create(key="sponsor", defaults={"name": "Sponsor"})[0]
    scope = Scope.read({}, TODAY)

    def seen():
        return kept("keys", csm, scope, lambda: set(Account.objects.visible_to(csm).values_list("pk", flat=True)))

    member = TeamMember.objects.create(account=first, user=csm, role=role)
    before = seen()
    member.delete()
    TeamMember.objects.create(account=second, user=csm, role=role)
    assert (before, seen()) == ({first.pk}, {second.pk})


def test_the_number_of_queries_does_not_grow_with_the_rows(book, vp):
    scope = Scope.read({}, TODAY)
    with CaptureQueriesContext(connection) as many:
        portfolio(vp, scope, "USD")
    Account.objects.exclude(pk__in=Account.objects.values("pk")[:1]).update(archived_at=timezone.now())
    with CaptureQueriesContext(connection) as few:
        portfolio(vp, scope, "USD")
    assert len(few) <= len(many) == 6
