"""What became of renewals beside what was said of them, and the checkpoints at which it is said."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contract, record_churn, update_contract
from accounts.errors import RuleViolated
from accounts.models import AuditEntry
from health.actions.renewal_sweep import record_signals, settle_outcomes
from health.actions.renewals import give_call, install_renewal, set_checkpoints
from health.models import RenewalReview
from health.queries.renewals import checkpoints_in_use, track_record
from health.renewals import outcome_of, verdict_of
from playbooks.models import Cta
from tests.health import world
from tests.health.definitions import PACKS
from tests.health.test_renewals import renewing, review_of
from tests.health.world import NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
END = date(2026, 11, 30)
NEXT = END.toordinal() + 1


@pytest.fixture
def vp(client):
    person = world.person("vera@acme.test", role="vp_cs", name="Vera")
    client.force_login(person)
    return person


@pytest.mark.parametrize(
    ("ended_on", "renewed", "lost", "outcome"),
    [
        (END, {NEXT}, set(), "renewed"), (END, set(), {NEXT}, "lost"), (END, {NEXT + 1}, {NEXT - 1}, ""),
        (END + timedelta(days=1), set(), set(), "renewed"), (None, set(), set(), "renewed"),
        (END - timedelta(days=9), set(), {NEXT - 9}, "lost"),
    ],
)  # fmt: skip
def test_what_became_of_a_term(ended_on, renewed, lost, outcome):
    assert outcome_of(END, ended_on, renewed, lost) == outcome


@pytest.mark.parametrize(
    ("number", "system", "call", "verdict"),
    [(9, 9, 0, "Too few to say"), (10, 9, 0, "The system"), (10, 4, 5, "The call"), (10, 5, 5, "As often right")],
)
def test_under_ten_terms_nothing_is_told(number, system, call, verdict):
    assert verdict_of(number, system, call) == verdict


def test_a_term_that_is_over_is_renewed_lost_or_not_known_yet():
    followed, prolonged, churned, silent = (
        renewing(name, 5) for name in ("Followed", "Prolonged", "Churned", "Silent")
    )
    record_signals(at=NOON)
    assert settle_outcomes(at=NOON) == 0
    end = TODAY + timedelta(days=5)
    create_contract(followed[0], actor=None, at=NOON, start_on=end + timedelta(days=20), arr=Decimal(1))
    update_contract(prolonged[1], actor=None, at=NOON, end_on=end + timedelta(days=365))
    record_churn(churned[0], on=TODAY + timedelta(days=1), actor=None, at=NOON)

    def known(days):
        settle_outcomes(at=NOON + timedelta(days=days))
        return dict(RenewalReview.objects.values_list("account__name", "outcome"))

    assert known(2) == {"Followed": "", "Prolonged": "", "Churned": "lost", "Silent": ""}
    assert known(6) == {"Followed": "renewed", "Prolonged": "renewed", "Churned": "lost", "Silent": ""}
    assert known(35)["Silent"] == ""
    assert known(36)["Silent"] == "lost"
    create_contract(silent[0], actor=None, at=NOON, start_on=end + timedelta(days=1), arr=Decimal(1))
    assert known(37)["Silent"] == "renewed"


def test_a_disagreement_that_nobody_decided_ends_with_its_term(vp):
    account, _contract = renewing("Gone", 5)
    record_signals(at=NOON)
    RenewalReview.objects.update(signal="at_risk")
    give_call(review_of(account), call="will_renew", reason="x", actor=world.person(), at=NOON)
    settle_outcomes(at=NOON + timedelta(days=40))
    assert list(Cta.objects.values_list("outcome", "close_note")) == [("no_action", "The term is over.")]


def test_each_side_is_counted_where_both_said_something_in_time(vp, client):
    for number in range(10):
        renewing(f"A{number}", 60)
    record_signals(at=NOON)
    rows = list(RenewalReview.objects.order_by("pk"))
    said = [("renew", "will_renew", "renewed")] * 4 + [("at_risk", "will_renew", "lost")] * 3 + [
        ("renew", "will_churn", "lost"), ("renew", "monitor", "lost"), ("at_risk", "", "lost"),
    ]  # fmt: skip
    for row, (signal, call, outcome) in zip(rows, said, strict=True):
        RenewalReview.objects.filter(pk=row.pk).update(signal=signal, first_call=call, outcome=outcome)
    assert [tuple(record) for record in track_record(vp)] == [(90, 8, 7, 5)]
    text = client.get("/health/renewals/").content.decode()
    assert "Who was right" in text
    assert "Too few to say" in text


def test_the_settling_costs_the_same_whatever_the_number_of_terms():
    def cost(count):
        for number in range(count):
            account, contract = renewing(f"{count}-{number}", 5)
            RenewalReview.objects.create(
                contract=contract, account=account, ends_on=TODAY - timedelta(days=40), days_before=30,
                recorded_at=NOON, signal="renew", call_due_on=TODAY, is_latest=False,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as seen:
            assert settle_outcomes(at=NOON) == count
        return len(seen)

    assert cost(1) == cost(3)


def test_the_contracts_tab_leads_to_what_was_said_at_each_checkpoint(vp, client):
    now, ann = timezone.now(), world.person(name="Ann")
    account = world.account("Told", owner=ann)
    today = timezone.localdate(now)
    create_contract(
        account, actor=None, at=now, start_on=today - timedelta(days=9), end_on=today + timedelta(days=91),
        arr=Decimal(1), number="C-7",
    )  # fmt: skip
    url = f"/health/accounts/{account.pk}/renewals/"
    assert url in client.get(f"/accounts/{account.pk}/contracts/").content.decode()
    assert "No checkpoint yet" in client.get(url).content.decode()
    record_signals(at=now)
    RenewalReview.objects.update(reasons=["Because of this."])
    assert "Because of this." not in client.get(url).content.decode()
    review = review_of(account)
    give_call(review, call="monitor", reason="New sponsor", actor=ann, at=now)
    give_call(review, call="at_risk", reason="He left", actor=ann, at=now)
    record_signals(at=now + timedelta(days=1))
    whole = client.get(url).content.decode()
    for part in ("180 days before", "90 days before", "Because of this.", "He left", "First call: monitor", "C-7"):
        assert part in whole
    panel = client.get(url, HTTP_HX_REQUEST="true").content.decode()
    assert panel.lstrip().startswith("<section")

    def cost():
        with CaptureQueriesContext(connection) as seen:
            client.get(url)
        return sum("search_path" not in query["sql"] for query in seen)

    client.get(url)
    two = cost()
    record_signals(at=now + timedelta(days=61))
    assert (RenewalReview.objects.count(), cost()) == (3, two)


def test_a_workspace_sets_its_own_checkpoints_and_goes_back_to_the_packs(vp, client):
    install_renewal(PACKS["mna"]["renewal"], pack="mna")
    url = "/health/renewals/checkpoints/"
    assert client.post(url, {"days": "30, 120,60, 60"}).status_code == 302
    assert checkpoints_in_use() == (120, 60, 30)
    assert "120, 60, 30" in client.get(url).content.decode()
    assert AuditEntry.objects.get(action="renewal.checkpoints").after == {"days": [120, 60, 30]}
    for wrong in ("soon", "0", "731", "1,2,3,4,5,6,7", "-5"):
        assert client.post(url, {"days": wrong}).status_code == 422
    assert checkpoints_in_use() == (120, 60, 30)
    client.post(url, {"days": ""})
    assert checkpoints_in_use() == (180, 90)
    assert set_checkpoints([730, 1], actor=vp, at=NOON) == (730, 1)
    with pytest.raises(RuleViolated, match="730"):
        set_checkpoints([731], actor=vp, at=NOON)
