"""Two signals for each renewal: the system's, fixed at a checkpoint, and the call made without seeing it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import create_contract, update_contract
from accounts.errors import RuleViolated
from accounts.models import AuditEntry
from engagement.models import Notification
from health.actions import recompute, set_override
from health.actions.renewal_sweep import record_signals
from health.actions.renewals import decide_renewal, give_call, install_renewal
from health.models import RenewalPlan, RenewalReview
from health.queries.renewals import RenewalFilters, checkpoints_in_use, renewals_ahead, state_sums
from health.renewals import checkpoint_at, checkpoints_of, signal_of, was_right
from playbooks.actions import create_cta
from playbooks.models import Cta
from tests.health import world
from tests.health.definitions import PACKS
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
EVERYONE = RenewalFilters()


@pytest.fixture
def vp():
    return world.person("vera@acme.test", role="vp_cs", name="Vera")


@pytest.fixture
def ann():
    return world.person("ann@acme.test", name="Ann")


def renewing(name, days, *, owner=None, arr="12000", **fields):
    """An account whose one contract ends in ``days``."""
    account = world.account(name, owner=owner)
    contract = create_contract(
        account, actor=None, at=NOON, start_on=TODAY - timedelta(days=400), end_on=TODAY + timedelta(days=days),
        arr=Decimal(arr), **fields,
    )  # fmt: skip
    return account, contract


def review_of(account):
    return RenewalReview.objects.select_related("account").get(account=account, is_latest=True)


@pytest.fixture
def scored():
    """Three renewals in 88 days: a green one, a red one, and one nothing is known of."""
    world.card()
    found = {name: renewing(name, 88)[0] for name in ("Green", "Red", "Unknown")}
    world.measure(found["Green"], FLEET_BEST)
    world.measure(found["Red"], FLEET_RED)
    recompute(at=NOON)
    record_signals(at=NOON)
    return found


@pytest.mark.parametrize(
    ("days_left", "checkpoint"),
    [(181, None), (180, 180), (91, 180), (90, 90), (89, 90), (31, 90), (30, 30), (0, 30), (-1, None)],
)
def test_a_renewal_is_at_the_checkpoint_it_passed_last(days_left, checkpoint):
    assert checkpoint_at(days_left, (180, 90, 30)) == checkpoint


@given(st.integers(-5, 800), st.sets(st.integers(1, 730), min_size=1, max_size=6))
def test_no_other_checkpoint_lies_between_a_renewal_and_its_own(days_left, checkpoints):
    found = checkpoint_at(days_left, checkpoints)
    passed = {days for days in checkpoints if days_left >= 0 and days >= days_left}
    assert (found in passed and not any(days < found for days in passed)) if passed else found is None


def test_a_workspaces_own_checkpoints_go_before_its_packs_and_those_before_the_products():
    assert checkpoints_of((60,), [(120, 90)]) == (60,)
    assert checkpoints_of((), [(120, 90), (180, 90)]) == (180, 120, 90)
    assert checkpoints_of((), []) == (180, 90, 30)


def test_a_packs_timeline_gives_the_checkpoints_and_one_without_phases_the_usual_ones():
    for pack in ("generic", "bis"):
        install_renewal(PACKS[pack]["renewal"], pack=pack)
    assert checkpoints_in_use() == (180, 90, 30)
    install_renewal(PACKS["fleet"]["renewal"], pack="fleet")
    assert checkpoints_in_use() == (120, 90, 60, 30)
    install_renewal(PACKS["mna"]["renewal"], pack="mna")
    assert checkpoints_in_use() == (180, 120, 90, 60, 30)
    install_renewal({"phases": []}, pack="fleet")
    assert checkpoints_in_use() == (180, 90)


@pytest.mark.parametrize(
    ("rag", "risks", "signal"),
    [
        ("green", [], "renew"), ("yellow", [], "renew"), ("orange", [], "at_risk"), ("red", [], "at_risk"),
        ("green", ["Usage fell"], "at_risk"), ("none", [], "unknown"), ("none", ["Usage fell"], "at_risk"),
    ],
)  # fmt: skip
def test_an_orange_or_red_band_and_an_open_risk_are_at_risk(rag, risks, signal):
    assert signal_of(rag, "61.0", "Band", TODAY, risks).signal == signal


def test_the_systems_signal_names_its_score_and_at_most_three_risks():
    assert signal_of("red", "41.0", "Red", date(2026, 11, 3), list("ABCDE")).reasons == [
        "Scored 41.0, Red, on 3 Nov 2026.", "Open risk: A.", "Open risk: B.", "Open risk: C.", "And 2 more open risks.",
    ]  # fmt: skip


def test_each_renewal_gets_the_systems_signal_once_at_a_checkpoint(scored):
    rows = RenewalReview.objects.order_by("account__name").values_list(
        "account__name", "days_before", "signal", "band_name", "shown", "scored_on", "call_due_on", "state"
    )
    due_on = TODAY + timedelta(days=7)
    assert list(rows) == [
        ("Green", 90, "renew", "Green", Decimal("100.0"), TODAY, due_on, "no_call"),
        ("Red", 90, "at_risk", "Red", Decimal("60.0"), TODAY, due_on, "no_call"),
        ("Unknown", 90, "unknown", "", None, None, due_on, "no_call"),
    ]
    assert record_signals(at=NOON) == 0


def test_only_terms_at_a_checkpoint_that_run_and_nothing_follows_are_taken():
    _far, at_first, near = renewing("Far", 181), renewing("First", 180), renewing("Today", 0)
    for name, status in (("Left", "churned"), ("Offer", "draft")):
        renewing(name, 20, status=status)
    followed, _contract = renewing("Renewed early", 20)
    create_contract(followed, actor=None, at=NOON, start_on=TODAY - timedelta(days=40), arr=Decimal(1))
    other, _contract = renewing("Another product", 20)
    create_contract(other, actor=None, at=NOON, start_on=TODAY - timedelta(days=41), arr=Decimal(1))
    archived, _contract = renewing("Archived", 20)
    archived.archived_at = NOON
    archived.save()

    assert record_signals(at=NOON) == 3
    found = set(RenewalReview.objects.values_list("account__name", "days_before"))
    assert found == {(at_first[0].name, 180), (near[0].name, 30), (other.name, 30)}


def test_a_day_without_a_sweep_is_made_up_for_and_the_next_checkpoint_takes_over():
    account, _contract = renewing("Late", 95)
    record_signals(at=NOON)
    record_signals(at=NOON + timedelta(days=7))
    assert list(RenewalReview.objects.order_by("-days_before").values_list("days_before", "is_latest")) == [
        (180, False), (90, True),
    ]  # fmt: skip
    assert review_of(account).days_before == 90


def test_a_term_that_is_moved_is_another_renewal():
    _account, contract = renewing("Moved", 40)
    record_signals(at=NOON)
    update_contract(contract, actor=None, at=NOON, end_on=TODAY + timedelta(days=60))
    ann = world.person()
    assert list(renewals_ahead(ann, EVERYONE, TODAY)) == []
    record_signals(at=NOON)
    assert [(row.ends_on, row.days_before) for row in renewals_ahead(ann, EVERYONE, TODAY)] == [
        (TODAY + timedelta(days=60), 90)
    ]


def test_a_band_set_by_a_person_is_not_the_systems_signal(ann):
    world.card()
    account, _contract = renewing("Hopeful", 30, owner=ann)
    world.measure(account, FLEET_RED)
    recompute(at=NOON)
    set_override(account, band="green", reason="I know", expires_at=NOON + timedelta(days=9), actor=ann, at=NOON)
    record_signals(at=NOON)
    assert (review_of(account).signal, review_of(account).rag) == ("at_risk", "red")


def test_an_open_cta_for_a_risk_is_a_reason_and_other_ctas_are_none(ann):
    account, _contract = renewing("Worked", 30, owner=ann)
    create_cta(account, actor=ann, at=NOON, title="Usage fell", kind="risk")
    create_cta(account, actor=ann, at=NOON, title="Plan the QBR", kind="lifecycle")
    record_signals(at=NOON)
    assert review_of(account).reasons == ["Not enough data for a score.", "Open risk: Usage fell."]


STATES = [
    ("renew", "will_renew", "agreed"), ("renew", "monitor", "one_sided"), ("renew", "at_risk", "disagreed"),
    ("renew", "will_churn", "disagreed"), ("at_risk", "will_renew", "disagreed"), ("at_risk", "monitor", "one_sided"),
    ("at_risk", "at_risk", "agreed"), ("at_risk", "will_churn", "agreed"), ("unknown", "will_renew", "one_sided"),
    ("unknown", "monitor", "one_sided"), ("unknown", "at_risk", "one_sided"), ("unknown", "will_churn", "one_sided"),
]  # fmt: skip


@pytest.mark.parametrize(("signal", "call", "state"), STATES)
def test_how_two_signals_compare(signal, call, state, ann):
    account, _contract = renewing("Any", 120)
    record_signals(at=NOON)
    RenewalReview.objects.update(signal=signal)
    assert give_call(review_of(account), call=call, reason="Said so", actor=ann, at=NOON).state == state


@pytest.mark.parametrize(("days", "refused"), [(91, False), (90, True), (89, True)])
def test_monitor_is_refused_from_90_days_before_the_renewal_on(days, refused, ann):
    account, _contract = renewing("Waiting", days)
    record_signals(at=NOON)
    review = review_of(account)
    if not refused:
        assert give_call(review, call="monitor", reason="New sponsor", actor=ann, at=NOON).call == "monitor"
        return
    with pytest.raises(RuleViolated, match="Monitor is refused") as problem:
        give_call(review, call="monitor", reason="New sponsor", actor=ann, at=NOON)
    assert (problem.value.rule, problem.value.field) == ("renewal.monitor_ended", "call")
    with pytest.raises(IntegrityError, match="renewal_monitor_ends"), transaction.atomic():
        RenewalReview.objects.update(call="monitor", call_reason="x", days_left=days, called_at=NOON)


def test_a_call_needs_a_known_word_and_a_reason_and_a_renewal_that_is_still_ahead(scored, ann):
    review = review_of(scored["Green"])
    for call, reason, field in (
        ("maybe", "x", "call"),
        ("will_renew", "  ", "reason"),
        ("will_renew", "x" * 501, "reason"),
    ):
        with pytest.raises(RuleViolated) as problem:
            give_call(review, call=call, reason=reason, actor=ann, at=NOON)
        assert problem.value.field == field
    with pytest.raises(RuleViolated, match="over"):
        give_call(review, call="will_renew", reason="x", actor=ann, at=NOON + timedelta(days=89))
    assert review_of(scored["Green"]).call == ""


def test_a_call_never_changes_the_systems_signal_and_is_in_the_log(scored, ann):
    before = review_of(scored["Red"])
    after = give_call(before, call="at_risk", reason="Budget cut", actor=ann, at=NOON)
    same = ("signal", "reasons", "shown", "band_name", "scored_on", "recorded_at")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    entry = AuditEntry.objects.filter(action="renewal.called").get()
    assert (entry.actor_label, entry.after) == (
        "ann@acme.test", {"signal": "at_risk", "call": "at_risk", "reason": "Budget cut", "side": ""},
    )  # fmt: skip


@pytest.mark.parametrize(("late", "first_call"), [(7, "will_renew"), (8, "")])
def test_a_call_is_independent_until_the_systems_signal_is_shown(scored, ann, late, first_call):
    at = NOON + timedelta(days=late)
    review = give_call(review_of(scored["Green"]), call="will_renew", reason="Signed", actor=ann, at=at)
    assert (review.call, review.first_call) == ("will_renew", first_call)
    changed = give_call(review, call="at_risk", reason="Sponsor left", actor=ann, at=at)
    assert (changed.call, changed.first_call) == ("at_risk", first_call)


def test_a_disagreement_goes_to_a_vp_who_decides_for_one_of_the_two(scored, ann, vp):
    review = give_call(review_of(scored["Red"]), call="will_renew", reason="They love us", actor=ann, at=NOON)
    cta = Cta.objects.get()
    assert (review.cta_id, cta.owner, cta.kind, cta.priority, cta.title) == (
        cta.pk, vp, "renewal", "high", "Two signals disagree on the renewal of 20 Feb 2027",
    )  # fmt: skip
    notice = Notification.objects.get(user=vp)
    assert (notice.title, notice.url) == (
        "Red: two signals disagree on the renewal", f"/health/renewals/{review.pk}/decision/",
    )  # fmt: skip
    assert not Notification.objects.filter(user=ann).exists()

    decided = decide_renewal(review, side="system", reason="No sponsor", actor=vp, at=NOON)
    assert (decided.state, decided.side, decided.side_reason, decided.decided_by) == (
        "decided", "system", "No sponsor", vp,
    )  # fmt: skip
    cta.refresh_from_db()
    assert (cta.outcome, cta.close_note) == ("resolved", "The system's signal counts: No sponsor")
    assert AuditEntry.objects.filter(action="renewal.decided").count() == 1
    for change in (
        lambda: give_call(decided, call="at_risk", reason="x", actor=ann, at=NOON),
        lambda: decide_renewal(decided, side="call", reason="x", actor=vp, at=NOON),
    ):
        with pytest.raises(RuleViolated, match="decided"):
            change()


def test_a_call_that_agrees_after_all_takes_the_disagreement_back(scored, ann, vp):
    review = give_call(review_of(scored["Red"]), call="will_renew", reason="They love us", actor=ann, at=NOON)
    give_call(review, call="will_renew", reason="They still do", actor=ann, at=NOON)
    cta = Cta.objects.get()
    agreed = give_call(review, call="at_risk", reason="They do not", actor=ann, at=NOON)
    cta.refresh_from_db()
    assert (agreed.state, agreed.cta_id, cta.status, cta.outcome) == ("agreed", None, "closed", "no_action")


def test_who_made_the_call_does_not_decide_while_another_leader_is_there(scored, vp):
    review = give_call(review_of(scored["Red"]), call="will_renew", reason="They love us", actor=vp, at=NOON)
    assert decide_renewal(review, side="call", reason="Nobody else is here", actor=vp, at=NOON).state == "decided"

    review = give_call(review_of(scored["Green"]), call="will_churn", reason="Bought up", actor=vp, at=NOON)
    other = world.person("olga@acme.test", role="owner", name="Olga")
    with pytest.raises(RuleViolated, match="another leader decides"):
        decide_renewal(review, side="call", reason="Mine", actor=vp, at=NOON)
    assert decide_renewal(review, side="call", reason="Yes", actor=other, at=NOON).decided_by == other


def test_a_decision_needs_a_disagreement_a_side_and_a_reason(scored, ann, vp):
    review = review_of(scored["Red"])
    with pytest.raises(RuleViolated, match="do not disagree"):
        decide_renewal(review, side="call", reason="x", actor=vp, at=NOON)
    give_call(review, call="will_renew", reason="x", actor=ann, at=NOON)
    for side, reason, field in (("both", "x", "side"), ("call", " ", "reason")):
        with pytest.raises(RuleViolated) as problem:
            decide_renewal(review, side=side, reason=reason, actor=vp, at=NOON)
        assert problem.value.field == field


def test_what_nobody_decided_is_asked_anew_at_the_next_checkpoint(ann, vp):
    account, _contract = renewing("Slow", 91)
    record_signals(at=NOON)
    RenewalReview.objects.update(signal="at_risk")
    give_call(review_of(account), call="will_renew", reason="x", actor=ann, at=NOON)
    record_signals(at=NOON + timedelta(days=1))
    assert list(Cta.objects.values_list("status", "outcome", "close_note")) == [
        ("closed", "no_action", "The next checkpoint has come."),
    ]  # fmt: skip
    earlier = RenewalReview.objects.get(days_before=180)
    with pytest.raises(RuleViolated, match="later checkpoint"):
        decide_renewal(earlier, side="call", reason="x", actor=vp, at=NOON)


def test_sums_by_state_and_currency_are_those_of_the_rows(scored, ann):
    give_call(review_of(scored["Green"]), call="will_renew", reason="x", actor=ann, at=NOON)
    renewing("Euro", 10, arr="500", currency="EUR")
    record_signals(at=NOON)
    sums = state_sums(ann, EVERYONE, TODAY)
    assert {state: (each.number, each.arr) for state, each in sums.items() if each.number} == {
        "agreed": (1, {"USD": Decimal(12000)}), "no_call": (3, {"EUR": Decimal(500), "USD": Decimal(24000)}),
    }  # fmt: skip
    for state, each in sums.items():
        rows = list(renewals_ahead(ann, RenewalFilters(state=state), TODAY))
        assert (len(rows), sum(row.contract.arr for row in rows)) == (each.number, sum(each.arr.values()))


def test_what_was_told_is_right_or_wrong_or_said_nothing():
    assert [was_right(told, "lost") for told in ("renew", "at_risk", "unknown", "monitor", "will_churn", "")] == [
        False, True, None, None, True, None,
    ]  # fmt: skip


def test_a_sweep_costs_the_same_whatever_the_number_of_renewals(ann):
    world.card()

    def cost(count):
        found = [renewing(f"{count}-{number}", 30, owner=ann)[0] for number in range(count)]
        for account in found:
            world.measure(account, FLEET_BEST)
        recompute(at=NOON)
        with CaptureQueriesContext(connection) as seen:
            assert record_signals(at=NOON) == count
        return len(seen)

    cost(1)
    assert cost(3) == cost(1)


@pytest.mark.schema("globex")
def test_another_workspace_has_renewals_of_its_own(tenants):
    renewing("Theirs", 30)
    assert record_signals(at=NOON) == 1
    connection.set_tenant(tenants["acme"])
    assert (RenewalReview.objects.count(), RenewalPlan.objects.count(), record_signals(at=NOON)) == (0, 0, 0)
