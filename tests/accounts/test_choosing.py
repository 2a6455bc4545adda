"""Choosing an account in a form: from a list while there are few, else by name with suggestions."""

import pytest
from django import forms
from django.utils import timezone

from accounts.account_fields import AccountField, AccountsField
from accounts.choices import Role
from accounts.models import Account
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


class One(forms.Form):
    account = AccountField(empty_label="Choose")
    accounts = AccountsField(required=False, help_text="None: all.")

    def __init__(self, *args, offered, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["account"].offer(offered)
        self.fields["accounts"].offer(offered)


@pytest.fixture
def three(monkeypatch):
    """Three accounts where two are listed at most, and one that is not offered."""
    monkeypatch.setattr("accounts.account_fields.LISTED", 2)
    found = [AccountFactory(name=name) for name in ("Halden Freight", "Nordwind", "O'Neil & <Sons>")]
    AccountFactory(name="Secret", archived_at=timezone.now())
    return found


def offered():
    return Account.objects.filter(archived_at=None)


def chosen(account, accounts=""):
    form = One({"account": account, "accounts": accounts}, offered=offered())
    return form.cleaned_data if form.is_valid() else form.errors.as_data()


def test_few_are_listed(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("accounts.account_fields.LISTED", 2)
    first, second = AccountFactory(name="B"), AccountFactory(name="A")
    with django_assert_num_queries(2):  # one for each field
        form = One(offered=offered())
        assert [str(label) for _value, label in form.fields["account"].choices] == ["Choose", "A", "B"]
        text = str(form["account"]) + str(form["accounts"])
    assert text.count("<option") == 5
    assert One({"account": first.pk, "accounts": [second.pk]}, offered=offered()).is_valid()


def test_many_are_typed_and_none_of_them_is_sent(three):
    text = str(One(offered=offered())["account"])
    assert "<option" not in text
    assert 'hx-get="/accounts/names/?field=account"' in text
    assert 'list="id_account-names"' in text


@pytest.mark.parametrize("typed", ["Halden Freight", "  halden freight ", "HALDEN FREIGHT"])
def test_a_name_is_its_account_in_any_case(three, typed):
    assert chosen(typed)["account"] == three[0]


def test_a_key_is_its_account_and_is_shown_by_name(three):
    assert chosen(str(three[2].pk))["account"] == three[2]
    shown = str(One(initial={"account": three[2].pk}, offered=offered())["account"])
    assert 'value="O&#x27;Neil &amp; &lt;Sons&gt;"' in shown


@pytest.mark.parametrize("typed", ["Halden", "Secret", "\x00", "00000000-0000-0000-0000-000000000000"])
def test_what_is_not_offered_is_refused(three, typed):
    assert [error.code for error in chosen(typed)["account"]] == ["invalid_choice"]


def test_a_name_of_two_is_refused_and_each_is_suggested_by_its_key(three, client):
    AccountFactory(name="nordwind")
    assert [error.code for error in chosen("Nordwind")["account"]] == ["ambiguous"]
    client.force_login(UserFactory(role=Role.VP_CS))
    text = client.get("/accounts/names/?field=account&account=nord").content.decode()
    assert text.count("<option") == 2
    assert f'value="{three[1].pk}"' in text


def test_several_are_named_in_lines(three):
    found = chosen("Nordwind", "Halden Freight\n\n nordwind \n")
    assert {account.name for account in found["accounts"]} == {"Halden Freight", "Nordwind"}
    assert [error.code for error in chosen("Nordwind", "Halden Freight\nNobody")["accounts"]] == ["invalid_choice"]
    form = One(initial={"accounts": [three[0], three[1].pk]}, offered=offered())
    assert "Halden Freight\nNordwind" in str(form["accounts"])


def test_names_are_of_ones_own_accounts_and_twelve_at_most(client, django_assert_num_queries):
    csm = UserFactory(role=Role.CSM)
    for number in range(14):
        AccountFactory(name=f"Mine {number:02}", owner=csm)
    AccountFactory(name="Mine in another book")
    csm.workspace_settings.__class__.objects.update(csm_reads_all_accounts=False)
    client.force_login(csm)
    text = client.get("/accounts/names/?field=account&account=mine").content.decode()
    assert text.count("<option") == 12
    assert "another book" not in text
    assert "<option" not in client.get("/accounts/names/?field=account&account=").content.decode()


def test_names_to_change_leave_out_what_one_may_only_read(client):
    csm = UserFactory(role=Role.CSM)
    AccountFactory(name="Mine", owner=csm)
    AccountFactory(name="Mine to read")
    client.force_login(csm)
    read = client.get("/accounts/names/?field=account&account=mine").content.decode()
    change = client.get("/accounts/names/?may=edit&field=account&account=mine").content.decode()
    assert (read.count("<option"), change.count("<option")) == (2, 1)
