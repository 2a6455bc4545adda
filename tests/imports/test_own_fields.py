"""Own fields of accounts as targets of columns: guessed, read by kind, kept where a file says nothing, and undone."""

from __future__ import annotations

import random

import pytest
from django.utils import timezone

from accounts.actions import archive_field, define_field
from accounts.models import Account, OwnField
from imports.actions import start_undo
from imports.forms import ColumnsForm
from imports.running import work
from tests.factories import AT, AccountFactory
from tests.imports.conftest import counts
from tests.tables import contents

pytestmark = pytest.mark.django_db
RECORDS = (
    "accounts_auditentry", "accounts_changedaccount", "imports_importjob", "imports_importedrow", "imports_undostep",
    "imports_rejectedrow", "imports_savedmapping", "engagement_notification", "engagement_outboxmessage",
)  # fmt: skip
COUNTED = {"accounts_account": ("version", "updated_at")}


@pytest.fixture
def own():
    define_field(label="Sales region", kind="choice", key="region", options=["North", "South"], actor=None, at=AT)
    define_field(label="Docks", kind="number", key="docks", actor=None, at=AT)
    define_field(label="Go-live", kind="date", key="go_live", actor=None, at=AT)


def errors(job):
    return [[(error["field"], error["message"]) for error in row.errors] for row in job.rejections.order_by("line")]


def test_columns_are_guessed_by_label_and_key_and_values_read_by_kind(bring_in, own):
    job = bring_in("id,name,Sales Region,docks,GO-LIVE\n1,One,north,12,31.12.2026\n", "accounts", order="dmy")
    names = {name: rule["column"] for name, rule in job.mapping.items() if name.startswith("custom.")}
    assert names == {"custom.region": "Sales Region", "custom.docks": "docks", "custom.go_live": "GO-LIVE"}
    assert Account.objects.get().custom == {"region": "North", "docks": 12, "go_live": "2026-12-31"}
    assert ["custom.docks", None, 12] in job.diffs.get().changes


def test_a_row_that_does_not_fit_is_rejected_by_field_and_rule(bring_in, own):
    file = "id,name,region,docks\n1,One,East,1\n2,Two,South,many\n3,Three,South,3\n"
    for check in (True, False):
        job = bring_in(file, "accounts", check=check)
        assert errors(job) == [
            [("custom.region", "Sales region: One of North, South.")],
            [("custom.docks", "Docks: This must be a number with a point for decimals.")],
        ]
    assert counts(job) == ("done", 3, 1, 0, 0, 2)
    assert Account.objects.get().custom == {"region": "South", "docks": 3}


def test_what_a_file_does_not_name_or_leaves_blank_stays(bring_in, own):
    bring_in("id,name,region,docks,loose\n1,One,North,5,x\n", "accounts", rules={
        "external_id": {"column": "id"}, "name": {"column": "name"}, "custom.region": {"column": "region"},
        "custom.docks": {"column": "docks"}, "custom.loose": {"column": "loose"},
    })  # fmt: skip
    assert Account.objects.get().custom == {"region": "North", "docks": 5, "loose": "x"}
    job = bring_in("id,name,region,docks\n1,One,,6\n", "accounts")
    assert Account.objects.get().custom == {"region": "North", "docks": 6, "loose": "x"}
    assert job.diffs.get().changes == [["custom.docks", 5, 6]]
    again = bring_in("id,name,region,docks\n1,One,,6\n", "accounts")
    assert counts(again) == ("done", 1, 0, 0, 1, 0)


def test_the_form_offers_a_column_for_each_field_and_the_others_besides(bring_in, own):
    job = bring_in("id,name,docks,hobby\n1,One,5,chess\n", "accounts", check=True)
    archive_field(OwnField.objects.get(key="go_live"), actor=None, at=AT)
    form = ColumnsForm(job=job)
    assert [name for name in form.fields if "custom." in name] == ["field-custom.region", "field-custom.docks"]
    assert form.fields["field-custom.docks"].initial == "docks"
    sent = {
        "field-external_id": "id", "field-name": "name", "field-custom.docks": "docks", "others": ["hobby"],
        "date_order": "iso",
    }  # fmt: skip
    form = ColumnsForm(sent, job=job)
    assert form.is_valid(), form.errors
    rules = form.rules()
    assert {name: rules[name] for name in rules if "." in name} == {
        "custom.docks": {"column": "docks"}, "custom.hobby": {"column": "hobby"},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_undo_restores_exactly_the_state_before(bring_in, leader, own, seed):
    """Random files over random values, undone newest first: each time what was before."""
    draw = random.Random(seed)
    AccountFactory(custom={"docks": "many", "loose": [None, True, 1.5]})
    seen, jobs = [], []
    for _time in range(3):
        seen.append(contents(without=RECORDS, moving=COUNTED))
        rows = [
            f"{n},Account {n},{draw.choice(['North', 'South', '', 'East'])},{draw.choice([1, 2.5, '', 'x'])}"
            for n in range(draw.randrange(2, 6))
        ]
        jobs.append(bring_in("id,name,region,docks\n" + "\n".join(rows) + "\n", "accounts"))
    for before, job in zip(reversed(seen), reversed(jobs), strict=True):
        if job.steps.exists():
            start_undo(job, actor=leader, at=timezone.now())
            while not work(job.pk):
                pass
        assert contents(without=RECORDS, moving=COUNTED) == before
