"""Renewals over REST: the list, the call and the decision, with the signal hidden as on the page."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contract
from health.actions.renewal_sweep import record_signals
from health.models import RenewalReview
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
URL = "health/renewals/"


def renewing(name, days, *, owner=None, signal="at_risk"):
    account, now = AccountFactory(name=name, owner=owner), timezone.now()
    today = timezone.localdate()
    create_contract(
        account, actor=None, at=now, start_on=today - timedelta(days=9), end_on=today + timedelta(days=days),
        arr=Decimal(1200), number=f"C-{name}",
    )  # fmt: skip
    record_signals(at=now)
    RenewalReview.objects.filter(account=account).update(signal=signal, reasons=["Logins fell."])
    return RenewalReview.objects.get(account=account)


def listed(api, query=""):
    answer = api.get(URL + query)
    assert answer.status_code == 200, answer.json()
    return [row["account_name"] for row in answer.json()["results"]]


def test_a_renewal_is_told_with_its_contract_and_without_the_signal(api, csm):
    review = renewing("Acme", 80, owner=csm)
    (row,) = api.get(URL).json()["results"]
    assert row == {
        "id": str(review.pk), "account": str(review.account_id), "account_name": "Acme", "owner": csm.email,
        "contract": str(review.contract_id), "contract_number": "C-Acme", "ends_on": review.ends_on.isoformat(),
        "days_before": 90, "arr": "1200.00", "currency": "USD", "signal": None, "reasons": None,
        "call_due_on": review.call_due_on.isoformat(), "call": None, "call_reason": "", "called_by": None,
        "called_at": None, "state": "no_call", "side": None, "side_reason": "", "decided_by": None, "decided_at": None,
        "recorded_at": row["recorded_at"],
    }  # fmt: skip
    assert api.get(f"{URL}{review.pk}/").json() == row
    RenewalReview.objects.update(call_due_on=timezone.localdate() - timedelta(days=1))
    assert api.get(f"{URL}{review.pk}/").json()["signal"] == "at_risk"


def test_the_list_is_narrowed_by_state_account_and_day(api, csm):
    near, far = renewing("Near", 20, owner=csm), renewing("Far", 170, owner=csm)
    RenewalReview.objects.filter(pk=far.pk).update(
        call="at_risk", call_reason="x", days_left=170, called_at=timezone.now()
    )
    assert listed(api) == ["Near", "Far"]
    assert listed(api, "?ordering=-ends_on") == ["Far", "Near"]
    assert listed(api, "?state=agreed") == ["Far"]
    assert listed(api, f"?account={near.account_id}") == ["Near"]
    assert listed(api, f"?ends_until={near.ends_on}") == ["Near"]
    assert listed(api, f"?ends_from={near.ends_on + timedelta(days=1)}") == ["Far"]
    assert api.get(URL + "?state=maybe").status_code == 400


def test_a_call_and_a_decision_are_made_as_on_the_page(api, csm_api, csm):
    review = renewing("Acme", 80, owner=csm)
    refused = csm_api.post(f"{URL}{review.pk}/call/", {"call": "monitor", "reason": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/call")
    assert csm_api.post(f"{URL}{review.pk}/call/", {"call": "will_renew"}).status_code == 422
    called = csm_api.post(f"{URL}{review.pk}/call/", {"call": "will_renew", "reason": "Signed"})
    assert (called.status_code, called.json()["state"], called.json()["reasons"]) == (
        200,
        "disagreed",
        ["Logins fell."],
    )
    assert csm_api.post(f"{URL}{review.pk}/decision/", {"side": "call", "reason": "x"}).status_code == 403
    decided = api.post(f"{URL}{review.pk}/decision/", {"side": "system", "reason": "No sponsor"})
    assert (decided.status_code, decided.json()["state"], decided.json()["side"]) == (200, "decided", "system")
    assert csm_api.post(f"{URL}{review.pk}/call/", {"call": "at_risk", "reason": "x"}).status_code == 422


def test_the_list_costs_the_same_with_one_row_and_with_three(api, csm):
    def cost():
        with CaptureQueriesContext(connection) as seen:
            listed(api)
        return sum("search_path" not in query["sql"] for query in seen)

    renewing("One", 20, owner=csm)
    listed(api)
    first = cost()
    renewing("Two", 20, owner=csm)
    renewing("Three", 20, owner=csm)
    assert cost() == first
