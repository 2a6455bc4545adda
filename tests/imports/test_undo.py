"""The diff of a check, and the undo of an import: exactly what was before, or the reason why not."""

import csv
import io
import random
from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.actions import create_contact, update_account, update_contact
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, AuditEntry, Contact, ExternalId, Tier
from health.actions import open_ctas, record_event
from health.actions.recompute import recompute
from health.actions.renewal_sweep import record_signals
from health.actions.renewals import give_call
from health.models import RenewalReview, TriggerFiring
from imports.actions import start_undo
from imports.models import ImportJob
from imports.queries import diff_table, left_behind
from imports.running import work
from playbooks.actions import (
    add_task,
    close_cta,
    complete_task,
    create_cta,
    open_cta,
    reassign_cta,
    reopen_task,
    snooze_cta,
    update_cta,
    update_task,
)
from playbooks.models import Cta, Task
from tests.factories import UserFactory
from tests.health import world
from tests.tables import contents
from webhooks.actions import create_endpoint
from webhooks.collecting import collect
from webhooks.models import Event

pytestmark = pytest.mark.django_db
FILE = "external_id,name,industry,owner\n1,One,Food,vera@acme.example\n2,Two,Tools,\n"


def undo(job, leader):
    job = start_undo(job, actor=leader, at=timezone.now())
    assert work(job.pk)
    job.refresh_from_db()
    return job


# What an import and its undo leave behind: their own record, word of it, and the queue of the score.
RECORDS = (
    "accounts_auditentry", "accounts_changedaccount", "imports_importjob", "imports_importedrow", "imports_undostep",
    "imports_rejectedrow", "imports_savedmapping", "engagement_notification",
)  # fmt: skip
COUNTED = {
    **{f"accounts_{name}": ("version", "updated_at") for name in ("account", "contact", "contract")},
    # A contract's lines are written anew, whoever writes them.
    "accounts_contractline": ("id",),
}


def everything():
    return contents(without=RECORDS, moving=COUNTED)


def test_a_check_shows_each_field_old_and_new_in_words(bring_in, leader):
    bring_in(FILE, "accounts")
    again = FILE.replace("Food,vera@acme.example", "Tools,") + "3,Three,,vera@acme.example\n"
    job = bring_in(again, "accounts", check=True)
    headings, rows = diff_table(job)
    assert headings == ["line", "outcome", "record", "field", "old", "new"]
    assert sorted(rows) == [
        [2, "updated", "One", "industry", "Food", "Tools"],
        [2, "updated", "One", "owner", "Vera VP", None],
        [4, "created", "Three", "name", None, "Three"],
        [4, "created", "Three", "owner", None, "Vera VP"],
    ]
    assert not job.steps.exists()


def test_the_diff_is_a_page_and_a_file(bring_in, leader, client):
    job = bring_in(FILE, "accounts", check=True)
    client.force_login(leader)
    page = client.get(f"/imports/{job.pk}/").content.decode()
    assert ("What would change" in page, "<ins>Food</ins>" in page, "Undo this import" in page) == (True, True, False)
    text = client.get(f"/imports/{job.pk}/changes.csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1][:3] == ["2", "created", "One"]


@pytest.mark.parametrize("seed", range(6))
def test_undo_restores_exactly_the_state_before(bring_in, leader, seed):
    """Random files over random records, one of each kind, undone newest first: each time what was before.

    CTAs that rules open on new accounts meanwhile go with them.
    """
    draw = random.Random(seed)
    Tier.objects.get_or_create(key="gold", defaults={"name": "Gold", "rank": 9})
    bring_in(accounts_file(draw, range(6)), "accounts")
    bring_in(contacts_file(draw, range(4)), "contacts")
    bring_in(contracts_file(draw, range(4)), "contracts")
    seen, jobs = [], []
    for target, make in (("accounts", accounts_file), ("contacts", contacts_file), ("contracts", contracts_file)):
        seen.append(everything())
        jobs.append(bring_in(make(draw, range(2, 9)), target))
        assert jobs[-1].created
        if target == "accounts":
            new = Account.objects.filter(external_ids__external_id__in=["6", "7", "8"])
            for account in new.order_by("name")[: draw.randrange(4)]:
                a_rules_cta(account)
    for before, job in zip(reversed(seen), reversed(jobs), strict=True):
        job = undo(job, leader)
        assert (str(job.state), left_behind(job)) == ("undone", [])
        assert everything() == before


def accounts_file(draw, numbers):
    lines = ["external_id,name,industry,tier,parent,segment,arr,renewal_on"]
    for n in numbers:
        parent = draw.choice(["", *(str(other) for other in numbers if other < n)])
        cells = [n, f"Account {n}{draw.choice('abc')}", draw.choice(["Food", ""]), draw.choice(["gold", ""]), parent]
        lines.append(",".join(map(str, [*cells, draw.choice(["smb", ""]), draw.choice([10, 20.5]), "2027-05-01"])))
    return "\n".join(lines) + "\n"


def contacts_file(draw, numbers):
    lines = ["external_id,account,name,email,stakeholder_role"]
    for n in numbers:
        role = draw.choice(["champion", "other"])
        lines.append(f"c{n},{draw.randrange(2, 6)},Person {n}{draw.choice('ab')},p{n}@x.example,{role}")
    return "\n".join(lines) + "\n"


def contracts_file(draw, numbers):
    lines = ["external_id,account,start_on,end_on,product,seats,arr"]
    for n in numbers:
        end = draw.choice(["", "2030-01-01", "2026-02-01"])
        product, arr = draw.choice(["Core", "Plus"]), draw.choice([100, 250.5])
        lines.append(f"k{n},{n % 6},2026-01-01,{end},{product},{draw.randrange(9)},{arr}")
    return "\n".join(lines) + "\n"


def test_a_record_somebody_changed_since_stays_and_is_named(bring_in, leader):
    bring_in(FILE, "accounts")
    job = bring_in(FILE.replace("Food", "Mining").replace("Tools", "Mining"), "accounts")
    update_account(Account.objects.get(name="One"), actor=leader, at=timezone.now(), industry="Glass")
    job = undo(job, leader)
    assert dict(Account.objects.values_list("name", "industry")) == {"One": "Glass", "Two": "Tools"}
    assert [(step.name, step.refused) for step in left_behind(job)] == [("One", "Somebody changed it since: industry.")]
    assert AuditEntry.objects.filter(action="import.undone").get().after == {"restored": 1, "refused": 1}


def test_what_webhooks_tell_of_a_new_account_does_not_keep_it(bring_in, leader):
    create_endpoint(url="https://hooks.example/", event_types=["account.created"], actor=leader, at=timezone.now())
    job = bring_in(FILE, "accounts")
    collect(at=timezone.now() + timedelta(minutes=1))
    assert Event.objects.filter(account_id__in=Account.objects.values("pk")).count() == 2

    undo(job, leader)

    assert (left_behind(job), Account.objects.count()) == ([], 0)


def test_what_hangs_on_a_new_account_keeps_it_until_it_is_gone(bring_in, leader):
    job = bring_in(FILE, "accounts")
    contact = create_contact(Account.objects.get(name="Two"), actor=leader, at=timezone.now(), name="Ann")
    job = undo(job, leader)
    assert [(step.name, step.refused) for step in left_behind(job)] == [("Two", "Something hangs on it: contacts.")]
    assert list(Account.objects.values_list("name", flat=True)) == ["Two"]
    contact.delete()
    job = undo(job, leader)
    assert (Account.objects.count(), ExternalId.objects.count(), left_behind(job)) == (0, 0, [])
    with pytest.raises(RuleViolated, match="left nothing"):
        undo(job, leader)


def a_rules_cta(account):
    return open_cta(
        account, title="Usage decline", reason="It fell.", kind="risk", priority="high", trigger_key="usage-decline",
        duplicate_key="usage-decline", actions=["Call", "Write"], at=timezone.now(),
    )  # fmt: skip


def test_what_a_trigger_did_with_a_new_account_goes_with_it(bring_in, leader):
    world.trigger("mna:competitive-activity")
    job = bring_in(FILE, "accounts")
    now = timezone.now()
    for account in Account.objects.all():
        record_event(account, "competitor_evaluated", now)
    recompute(at=now)
    open_ctas(at=now)
    assert (Cta.objects.count(), TriggerFiring.objects.count()) == (2, 2)

    undo(job, leader)

    left = [model.objects.count() for model in (Account, Cta, Task, TriggerFiring)]
    assert (left, left_behind(job)) == ([0, 0, 0, 0], [])


TOUCHES = {
    "edit": lambda cta, **by: update_cta(cta, priority="low", **by),
    "hand over": lambda cta, **by: reassign_cta(cta, UserFactory(role=Role.ADMIN), **by),
    "snooze": lambda cta, **by: snooze_cta(cta, until_on=date(2999, 1, 1), reason="Later", **by),
    "close": lambda cta, **by: close_cta(cta, outcome="resolved", **by),
    "do a task": lambda cta, **by: complete_task(cta.tasks.first(), **by),
    "take a task back": lambda cta, **by: reopen_task(complete_task(cta.tasks.first(), **by), **by),
    "edit a task": lambda cta, **by: update_task(cta.tasks.first(), title="Visit", **by),
    "add a task": lambda cta, **by: add_task(cta, title="Visit", **by),
    "open another": lambda cta, **by: create_cta(cta.account, title="By hand", **by),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_what_a_person_did_with_a_cta_of_a_rule_keeps_the_account(bring_in, leader, touch):
    job = bring_in(FILE, "accounts")
    ctas = {cta.account.name: cta for cta in map(a_rules_cta, Account.objects.all())}
    TOUCHES[touch](ctas["Two"], actor=leader, at=timezone.now())
    job = undo(job, leader)
    assert [(step.name, step.refused) for step in left_behind(job)] == [("Two", "Something hangs on it: CTAs.")]
    assert set(Cta.objects.values_list("account__name", flat=True)) == {"Two"}


def test_a_renewal_keeps_a_new_contract_once_somebody_gave_a_call(bring_in, leader):
    bring_in(FILE, "accounts")
    ends = timezone.localdate() + timedelta(days=85)
    rows = "".join(f"k{n},{n},2026-01-01,{ends},{n}\n" for n in (1, 2))
    job = bring_in("external_id,account,start_on,end_on,arr\n" + rows, "contracts")
    now = timezone.now()
    record_signals(at=now)
    called = RenewalReview.objects.get(account__name="Two")
    give_call(called, call="will_renew", reason="They said so.", actor=leader, at=now)

    job = undo(job, leader)

    assert [(step.name, step.refused) for step in left_behind(job)] == [
        ("k2", "Something hangs on it: renewal reviews.")
    ]
    assert list(RenewalReview.objects.values_list("account__name", flat=True)) == ["Two"]


def test_a_new_record_that_was_edited_stays(bring_in, leader):
    bring_in(FILE, "accounts")
    job = bring_in("external_id,account,name\nc1,1,Ann\nc2,1,Bob\n", "contacts")
    update_contact(Contact.objects.get(name="Ann"), actor=leader, at=timezone.now(), title="CFO")
    job = undo(job, leader)
    assert [contact.name for contact in Contact.objects.all()] == ["Ann"]
    assert left_behind(job)[0].refused == "Somebody changed it since: title."


def test_scores_made_of_a_new_account_do_not_keep_it(bring_in, leader):
    job = bring_in(FILE, "accounts")
    recompute(at=timezone.now())
    undo(job, leader)
    assert not Account.objects.exists()


def test_an_accounts_figures_that_were_entered_come_back_when_its_first_contract_goes(bring_in, leader):
    bring_in("external_id,name,arr,renewal_on\n1,One,500,2027-01-01\n", "accounts")
    job = bring_in("external_id,account,start_on,arr\nk1,1,2026-01-01,90\n", "contracts")
    assert Account.objects.get().arr == 90
    undo(job, leader)
    account = Account.objects.get()
    assert (account.arr, account.renewal_on) == (500, date(2027, 1, 1))


@pytest.mark.parametrize("target", ["metrics", "events"])
def test_what_cannot_be_undone_says_why(bring_in, leader, client, target):
    bring_in(FILE, "accounts")
    text = {
        "metrics": "account,metric,date,value\n1,tickets_opened,2026-11-01,4\n",
        "events": "id,account,event,at\na,1,login,2026-11-01T09:00:00Z\n",
    }[target]
    job = bring_in(text, target)
    assert job.created == 1
    client.force_login(leader)
    page = client.get(f"/imports/{job.pk}/").content.decode()
    assert ("This cannot be undone" in page, "Undo this import" in page) == (True, False)
    with pytest.raises(RuleViolated):
        undo(job, leader)


def test_the_same_file_again_can_be_undone_to_the_very_beginning(bring_in, leader):
    job = bring_in(FILE + FILE.splitlines()[1].replace("Food", "Coal") + "\n", "accounts")
    assert Account.objects.get(name="One").industry == "Coal"
    undo(job, leader)
    assert not Account.objects.exists()


def test_undo_from_the_page_by_whoever_may_import(bring_in, leader, client):
    job = bring_in(FILE, "accounts")
    client.force_login(leader)
    client.post(f"/imports/{job.pk}/undo/")
    assert ImportJob.objects.get().state == "undoing"
    assert "get back what they had before" in client.get(f"/imports/{job.pk}/").content.decode()
    client.force_login(UserFactory(role=Role.READ_ONLY))
    assert client.post(f"/imports/{job.pk}/undo/").status_code == 403
