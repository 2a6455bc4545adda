"""An entry of the timeline on its own: corrected with its history, deleted and brought back, pinned."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import (
    delete_entry,
    log_activity,
    log_touch,
    pin_entry,
    restore_entry,
    unpin_entry,
    update_entry,
)
from accounts.actions.entries import MOST_PINNED
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Activity, AuditEntry, ChangedAccount
from tests.factories import AccountFactory, UserFactory
from tests.tables import contents

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Vera Paulsen")


@pytest.fixture
def account(vp):
    return AccountFactory(owner=vp)


@pytest.fixture
def desk(client, vp):
    client.force_login(vp)
    return client


def logged(account, vp, **given):
    given = {"kind": "call", "title": "They want a depot", "body": "In Riga", "at": NOW, **given}
    return log_touch(account, actor=vp, **given)


class TestCorrecting:
    def test_the_words_change_and_the_log_keeps_those_before(self, account, vp):
        entry = logged(account, vp, attendees=["Ilse"])
        ChangedAccount.objects.all().delete()
        update_entry(entry, actor=vp, when=LATER, title="They want two", kind="note", attendees=["Ilse", "Jon"])
        entry.refresh_from_db()
        assert (entry.title, entry.kind, entry.attendees, entry.edited_at) == (
            "They want two", "note", ["Ilse", "Jon"], LATER,
        )  # fmt: skip
        kept = AuditEntry.objects.get(action="activity.edited")
        assert kept.before == {"title": "They want a depot", "kind": "call", "attendees": ["Ilse"]}
        assert ChangedAccount.objects.filter(account_id=account.pk).exists(), "a touch that is none any more counts"

    def test_the_same_words_again_change_nothing(self, account, vp):
        entry = logged(account, vp)
        update_entry(entry, actor=vp, when=LATER, title=entry.title, next_step="")
        entry.refresh_from_db()
        assert (entry.edited_at, AuditEntry.objects.filter(action="activity.edited").count()) == (None, 0)

    def test_whoever_was_slower_is_told(self, account, vp):
        entry = logged(account, vp)
        update_entry(entry, actor=vp, when=LATER, title="First", seen_at=None)
        with pytest.raises(RuleViolated, match="since"):
            update_entry(entry, actor=vp, when=LATER, title="Second", seen_at=None)
        update_entry(entry, actor=vp, when=LATER, title="Third", seen_at=LATER)

    def test_what_logging_refuses_is_refused(self, account, vp):
        entry = logged(account, vp)
        ahead = LATER + timedelta(days=1)
        for changes in ({"kind": "system"}, {"source": "crm"}, {"at": ahead}, {"next_step": "Call"}):
            with pytest.raises(RuleViolated):
                update_entry(entry, actor=vp, when=LATER, **changes)
        written = log_activity(account, kind="system", title="Made", actor=None, at=NOW)
        for act in (update_entry, delete_entry):
            with pytest.raises(RuleViolated, match="product wrote"):
                act(written, actor=vp, when=LATER)

    def test_a_next_step_comes_moves_and_goes_and_a_done_one_stays(self, account, vp):
        entry, day = logged(account, vp), NOW.date() + timedelta(days=4)
        entry = update_entry(entry, actor=vp, when=LATER, next_step="Send it", next_step_on=day)
        assert (entry.next_step, entry.next_step_on, entry.next_step_owner) == ("Send it", day, vp)
        entry = update_entry(entry, actor=vp, when=LATER, next_step="")
        assert (entry.next_step, entry.next_step_on, entry.next_step_owner) == ("", None, None)
        entry = update_entry(entry, actor=vp, when=LATER, next_step="Send it", next_step_on=day)
        entry.next_step_done_at = LATER
        entry.save()
        assert update_entry(entry, actor=vp, when=LATER, title="x", next_step="").next_step == "Send it"


class TestDeleting:
    @given(
        words=st.tuples(st.text("aé\n'\"%", max_size=20), st.lists(st.sampled_from(["Ilse", "Jon"]), max_size=3)),
        step=st.booleans(),
        pinned=st.booleans(),
        edited=st.booleans(),
    )
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test_bringing_it_back_restores_exactly_what_was_there(self, account, vp, words, step, pinned, edited):
        body, people = words
        agreed = {"next_step": "Send", "next_step_on": NOW.date() + timedelta(days=2)} if step else {}
        entry = logged(account, vp, body=body, attendees=people, data={"cta": "x", "n": [1, None]}, **agreed)
        entry = update_entry(entry, actor=vp, when=LATER, title="Other") if edited else entry
        entry = pin_entry(entry, actor=vp, when=LATER) if pinned else entry
        without = ("accounts_auditentry", "accounts_changedaccount")
        before, key = contents(without=without), entry.pk
        delete_entry(entry, actor=vp, when=LATER)
        assert not Activity.objects.filter(pk=key).exists()
        restore_entry(key, actor=vp, when=LATER)
        assert contents(without=without) == before
        Activity.objects.all().delete()

    def test_twice_does_nothing_and_what_never_was_is_refused(self, account, vp):
        entry = logged(account, vp)
        assert restore_entry(entry.pk, actor=vp, when=LATER) == entry
        with pytest.raises(RuleViolated, match="no such entry"):
            restore_entry(account.pk, actor=vp, when=LATER)

    def test_an_import_that_brought_it_again_is_not_doubled(self, account, vp):
        entry = logged(account, vp)
        Activity.objects.update(source="crm", external_id="7")
        key = entry.pk
        delete_entry(entry, actor=vp, when=LATER)
        log_activity(account, kind="call", title="x", actor=None, at=NOW, source="crm", external_id="7")
        with pytest.raises(RuleViolated, match="import"):
            restore_entry(key, actor=vp, when=LATER)


def test_at_most_five_are_pinned(account, vp):
    entries = [logged(account, vp) for _n in range(MOST_PINNED + 1)]
    for entry in entries[:-1]:
        pin_entry(entry, actor=vp, when=LATER)
    with pytest.raises(RuleViolated, match="At most 5"):
        pin_entry(entries[-1], actor=vp, when=LATER)
    unpin_entry(entries[0], actor=vp, when=LATER)
    assert pin_entry(entries[-1], actor=vp, when=LATER).pinned_at == LATER


def test_what_comes_back_is_pinned_only_where_there_is_room(account, vp):
    entries = [logged(account, vp) for _n in range(MOST_PINNED + 1)]
    for entry in entries[:-1]:
        pin_entry(entry, actor=vp, when=LATER)
    key = entries[0].pk
    delete_entry(entries[0], actor=vp, when=LATER)
    pin_entry(entries[-1], actor=vp, when=LATER)
    assert restore_entry(key, actor=vp, when=LATER).pinned_at is None
    assert Activity.objects.filter(account=account).pinned().count() == MOST_PINNED


class TestPages:
    def test_correct_shows_history_and_keeps_the_second(self, desk, account, vp):
        entry = logged(account, vp)
        page = desk.get(f"/accounts/timeline/{entry.pk}/edit/").content.decode()
        assert 'value="They want a depot"' in page
        told = {"kind": "call", "title": "They want <b>two</b>", "body": "In Riga", "seen_at": ""}
        told["at"] = timezone.localtime(entry.at).strftime("%Y-%m-%dT%H:%M")
        assert desk.post(f"/accounts/timeline/{entry.pk}/edit/", told)["Location"] == f"/accounts/timeline/{entry.pk}/"
        page = desk.get(f"/accounts/timeline/{entry.pk}/").content.decode()
        assert "<del>They want a depot</del> <ins>They want &lt;b&gt;two&lt;/b&gt;</ins>" in page
        assert "Vera Paulsen" in page
        entry.refresh_from_db()
        assert entry.at == NOW
        late = desk.post(f"/accounts/timeline/{entry.pk}/edit/", told)
        assert (late.status_code, "Somebody changed this entry since" in late.content.decode()) == (422, True)

    def test_delete_offers_the_way_back(self, desk, account, vp):
        entry = logged(account, vp)
        answer = desk.post(f"/accounts/timeline/{entry.pk}/delete/", follow=True).content.decode()
        assert f'action="/accounts/timeline/{entry.pk}/restore/"' in answer
        assert desk.get(f"/accounts/timeline/{entry.pk}/").status_code == 404
        desk.post(f"/accounts/timeline/{entry.pk}/restore/")
        assert desk.get(f"/accounts/timeline/{entry.pk}/").status_code == 200

    def test_a_pinned_entry_stands_above_the_others_on_both_pages(self, desk, account, vp):
        entry = logged(account, vp, title="Read me first", happened_at=NOW - timedelta(days=90))
        for _n in range(9):
            logged(account, vp, title="Chat")
        desk.post(f"/accounts/timeline/{entry.pk}/pin/")
        for path in ("", "timeline/"):
            page = desk.get(f"/accounts/{account.pk}/{path}").content.decode()
            assert page.index("Pinned</p>") < page.index("Read me first") < page.index("Chat")
        assert "Pinned</p>" not in desk.get(f"/accounts/{account.pk}/timeline/?kind=call").content.decode()
        desk.post(f"/accounts/timeline/{entry.pk}/pin/", {"down": "1"})
        assert "Read me first" not in desk.get(f"/accounts/{account.pk}/").content.decode()

    def test_what_the_product_wrote_offers_no_change(self, desk, account):
        entry = log_activity(account, kind="system", title="Made", actor=None, at=NOW)
        page = desk.get(f"/accounts/timeline/{entry.pk}/").content.decode()
        assert ("Correct" in page, "Pin" in page) == (False, True)
        assert desk.get(f"/accounts/timeline/{entry.pk}/edit/").status_code == 404

    def test_a_past_day_shows_the_words_of_then_and_counts_what_is_gone(self, desk, account, vp):
        then = NOW - timedelta(days=10)
        entry = logged(account, vp, title="Old words", at=then)
        gone = logged(account, vp, title="Gone", at=then)
        update_entry(entry, actor=vp, when=NOW, title="New words")
        delete_entry(gone, actor=vp, when=NOW)
        day = (timezone.localdate() - timedelta(days=5)).isoformat()
        page = desk.get(f"/accounts/{account.pk}/timeline/?as_of={day}").content.decode()
        assert ("Old words" in page, "New words" in page) == (True, False)
        assert "1 entry deleted since" in page
        restore_entry(gone.pk or AuditEntry.objects.get(action="activity.deleted").object_id, actor=vp, when=NOW)
        assert "deleted since" not in desk.get(f"/accounts/{account.pk}/timeline/?as_of={day}").content.decode()

    def test_what_was_deleted_before_a_past_day_and_came_back_after_it_is_not_counted(self, desk, account, vp):
        entry = logged(account, vp, at=NOW - timedelta(days=10))
        key = entry.pk
        delete_entry(entry, actor=vp, when=NOW - timedelta(days=8))
        restore_entry(key, actor=vp, when=NOW)
        day = (timezone.localdate() - timedelta(days=5)).isoformat()
        assert "deleted since" not in desk.get(f"/accounts/{account.pk}/timeline/?as_of={day}").content.decode()
