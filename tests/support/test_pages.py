"""The pages of the desk: the queue, a ticket, opening one, through the door."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contact
from accounts.models import Severity
from support import actions
from support.models import Attachment, Macro, Ticket
from support.queries.listing import waiting_tickets
from tests.factories import AccountFactory, UserFactory
from tests.support.world import agent, customer, install, ticket

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def me():
    return agent()


@pytest.fixture
def desk(client, me):
    client.force_login(me)
    return client


def text(response) -> str:
    return response.content.decode()


def subjects(response) -> list[str]:
    return re.findall(r'href="/tickets/[0-9a-f-]{36}/[^"]*">([^<]+)</a><span', text(response))


def opened(account, subject: str, hours: float = 1, **fields) -> Ticket:
    began = timezone.now() - timedelta(hours=hours)
    return actions.open_ticket(
        account, subject=subject, body="Please help.", channel=fields.pop("channel", "email"), actor=None, at=began,
        **fields,
    )  # fmt: skip


def page(of: Ticket, rest: str = "") -> str:
    return f"/tickets/{of.pk}/{rest}"


class TestQueue:
    def test_the_most_urgent_stands_first_and_a_missed_promise_is_told(self, desk):
        install("fmea")
        account = customer("enterprise", pack="fmea")
        opened(account, "Later", 1, severity=_severity("S4"))
        opened(account, "Missed", 30, severity=_severity("S1"))
        opened(account, "Soon", 0.1, severity=_severity("S1"))
        shown = desk.get("/tickets/")
        assert subjects(shown) == ["Missed", "Soon", "Later"]
        assert re.search(r'class="late nowrap">(28|29) h late<', text(shown))
        assert "First response" in text(shown)

    def test_tabs_and_filters_narrow_it(self, desk, me):
        account = AccountFactory(name="Halden")
        mine = opened(account, "Mine", tags=["import"], component="map")
        actions.assign(mine, me, actor=me, at=timezone.now())
        waiting = opened(account, "Waiting", channel="phone")
        actions.change_status(waiting, "waiting_customer", actor=me, at=timezone.now())
        done = opened(account, "Done", type="bug")
        actions.resolve(done, actor=me, at=timezone.now())
        other = opened(AccountFactory(), "Elsewhere")
        expected = {
            "view=mine": {"Mine"},
            "view=unassigned": {"Waiting", "Elsewhere"},
            "view=waiting": {"Waiting"},
            "view=resolved": {"Done"},
            "view=all&type=bug": {"Done"},
            "tag=import": {"Mine"},
            "channel=phone": {"Waiting"},
            f"account={account.pk}": {"Mine", "Waiting"},
            f"q=%23{other.number}": {"Elsewhere"},
            "q=hald&view=all": {"Mine", "Waiting", "Done"},
            "assignee=me": {"Mine"},
            "status=resolved": {"Done"},
            "severity=nonsense": set(),
        }
        for query, found in expected.items():
            assert set(subjects(desk.get(f"/tickets/?{query}"))) == found, query
        assert waiting_tickets(me).count() == 1

    def test_one_ticket_and_three_take_the_same_number_of_queries(self, desk):
        install("fmea")
        account = customer("basic", pack="fmea")
        opened(account, "One", severity=_severity("S2"))
        desk.get("/tickets/")
        cache.clear()
        with CaptureQueriesContext(connection) as one:
            desk.get("/tickets/")
        for number in range(2):
            opened(AccountFactory(), f"More {number}", severity=_severity("S1"), tags=["a"])
        cache.clear()
        with CaptureQueriesContext(connection) as three:
            assert len(subjects(desk.get("/tickets/"))) == 3
        assert len(three) <= len(one)

    def test_pages_of_it_follow_each_other_without_gap(self, desk, monkeypatch):
        monkeypatch.setattr("support.queries.listing.PAGE_SIZE", 2)
        account = AccountFactory()
        for number in range(3):
            opened(account, f"No {number}", 3 - number)
        first = desk.get("/tickets/")
        following = re.search(r'rel="next" href="([^"]+)"', text(first))[1]
        assert subjects(first) + subjects(desk.get("/tickets/" + following)) == ["No 0", "No 1", "No 2"]

    def test_a_list_of_several_pages_says_how_many_match(self, desk, me, monkeypatch):
        monkeypatch.setattr("support.queries.listing.PAGE_SIZE", 2)
        account = AccountFactory()
        some = [opened(account, f"No {number}") for number in range(4)]
        for each in some[:3]:
            actions.assign(each, me, actor=me, at=timezone.now())
        actions.resolve(opened(account, "Done"), actor=me, at=timezone.now())
        for query, total in (("view=active", 4), ("view=mine", 3), ("view=all", 5), ("view=all&status=new", 4)):
            assert f"{total} tickets" in text(desk.get(f"/tickets/?{query}")), query

    def test_the_csv_holds_what_the_list_shows(self, desk):
        opened(AccountFactory(name="Halden"), "=cmd()", tags=["import"])
        opened(AccountFactory(), "Other")
        rows = list(csv.DictReader(io.StringIO(desk.get("/tickets/export.csv?tag=import").content.decode("utf-8-sig"))))
        assert [(row["subject"], row["account"], row["impact"]) for row in rows] == [("'=cmd()", "Halden", "One user")]

    def test_many_are_assigned_moved_and_tagged_at_once(self, desk, me):
        account = AccountFactory()
        some = [opened(account, f"No {number}") for number in range(2)]
        ids = [str(each.pk) for each in some]
        desk.post("/tickets/bulk/", {"verb": "assign", "to": "me", "id": ids})
        desk.post("/tickets/bulk/", {"verb": "tag", "add_tags": "Login, import", "id": ids})
        answer = desk.post("/tickets/bulk/", {"verb": "status", "new_status": "waiting_vendor", "id": ids}, follow=True)
        assert "2 tickets set to waiting on third party" in text(answer)
        for each in Ticket.objects.all():
            assert (each.assignee, each.tags, each.status) == (me, ["login", "import"], "waiting_vendor")
        refused = desk.post("/tickets/bulk/", {"verb": "status", "new_status": "closed", "id": ids}, follow=True)
        assert "2 left as they were" in text(refused)

    def test_an_empty_desk_says_so(self, desk):
        assert "Nobody waits" in text(desk.get("/tickets/"))
        assert "No ticket here" in text(desk.get("/tickets/?q=nothing"))


class TestTicketPage:
    def test_it_tells_notes_from_answers_and_what_is_owed(self, desk, me):
        install("fmea")
        found = opened(customer("enterprise", pack="fmea"), "Down", severity=_severity("S2"))
        assert re.search(r"<b>First response</b>.*?(1 h|59 min) left", text(desk.get(page(found))), re.S)
        actions.note(found, "Like last month", actor=me, at=timezone.now())
        actions.reply(found, "We look into it", actor=me, at=timezone.now())
        shown = text(desk.get(page(found)))
        kinds = re.findall(r'data-from="(\w+)"', shown)
        assert kinds == ["customer", "note", "agent"]
        assert "Internal note" in shown
        assert re.search(r"<b>First response</b>.*?Met", shown, re.S)

    def test_a_deadline_is_explained_stretch_by_stretch(self, desk):
        install("fmea")
        began = timezone.now() - timedelta(days=9)
        found = ticket(customer("basic", pack="fmea"), began, severity="S4")
        shown = text(desk.get(page(found, "explain/")))
        assert "Outside business hours" in shown
        assert "48 h" in shown

    def test_an_answer_a_status_and_a_macro_go_in_one_press(self, desk, me):
        found = opened(AccountFactory(), "Down")
        macro = actions.save_macro(
            None, name="Ask for logs", body="Dear {customer}, ticket {ticket.number}", status="waiting_customer",
            tags="logs", assign_to_me=True, actor=me, at=timezone.now(),
        )  # fmt: skip
        shown = text(desk.get(page(found, f"?macro={macro.pk}")))
        assert f"Dear {found.account.name}, ticket {found.number}" in shown
        assert re.search(r'<option value="waiting_customer" selected>', shown)
        sent = {"body": "Please send logs", "status": "waiting_customer", "macro": str(macro.pk), "seen": "1"}
        assert desk.post(page(found, "reply/"), sent).status_code == 302
        found.refresh_from_db()
        assert (found.status, found.tags, found.assignee) == ("waiting_customer", ["logs"], me)
        assert found.messages.last().body == "Please send logs"
        macro.refresh_from_db()
        assert macro.used_count == 1

    def test_answers_kept_ready_are_written_changed_and_taken_away(self, desk):
        form = {"name": "Thanks", "body": "Dear {first_name}", "status": "resolved", "tags": "Done"}
        assert desk.post("/tickets/answers/new/", {"name": "Empty"}).status_code == 422
        desk.post("/tickets/answers/new/", form)
        assert "There is one of this name" in text(desk.post("/tickets/answers/new/", form))
        macro = Macro.objects.get()
        assert macro.actions == {"status": "resolved", "tags": ["done"]}
        address = f"/tickets/answers/{macro.pk}/"
        assert "Dear {first_name}" in text(desk.get(address))
        desk.post(address, form | {"name": "Many thanks"})
        assert "Many thanks" in text(desk.get("/tickets/answers/"))
        desk.post(address + "retire/")
        assert "Many thanks</a>" not in text(desk.get("/tickets/answers/"))

    def test_nothing_is_sent_over_a_message_that_was_not_read(self, desk):
        found = opened(AccountFactory(), "Down")
        actions.customer_reply(found, "Solved meanwhile", contact=None, at=timezone.now())
        answer = desk.post(page(found, "reply/"), {"body": "My long text", "seen": "1"})
        assert answer.status_code == 409
        assert "Somebody wrote while you did" in text(answer)
        assert "My long text" in text(answer)
        assert "Solved meanwhile" in text(answer)
        assert found.messages.count() == 2

    def test_who_sends_may_go_on_to_the_one_that_was_next(self, desk):
        account = AccountFactory()
        first, second = opened(account, "First", 9), opened(account, "Second", 8)
        shown = text(desk.get(page(first, "?view=unassigned")))
        place = re.search(r'action="(/tickets/[^"]+/reply/\?[^"]*)"', shown)[1].replace("&amp;", "&")
        answer = desk.post(place, {"body": "Done", "then": "next", "status": "resolved"})
        assert answer["Location"] == page(second, "?view=unassigned")
        stayed = desk.post(place, {"body": "More"})
        assert f"next={second.pk}" in stayed["Location"]

    def test_an_empty_answer_is_refused_and_nothing_is_lost(self, desk):
        found = opened(AccountFactory(), "Down")
        answer = desk.post(page(found, "reply/"), {"body": " ", "kind": "note"})
        assert answer.status_code == 422
        assert re.search(r'value="note" checked', text(answer))

    def test_closing_asks_whether_the_customer_agreed(self, desk, me):
        found = opened(AccountFactory(), "Down")
        actions.resolve(found, actor=me, at=timezone.now())
        assert "The customer agreed to close it" in text(desk.get(page(found)))
        refused = desk.post(page(found, "status/"), {"status": "closed"}, follow=True)
        assert "say that the customer agreed" in text(refused)
        desk.post(page(found, "status/"), {"status": "closed", "confirmed": "on"})
        found.refresh_from_db()
        assert (found.status, found.confirmed_by_customer) == ("closed", True)

    def test_a_status_that_does_not_lead_there_is_refused_in_words(self, desk):
        found = opened(AccountFactory(), "Down")
        answer = desk.post(page(found, "status/"), {"status": "closed", "reason": "x"}, follow=True)
        assert "A ticket that is new cannot become closed." in text(answer)

    @pytest.mark.requirement("FMEA-5.10")
    def test_it_is_passed_to_the_next_level_with_a_reason(self, desk):
        found = opened(AccountFactory(), "Down")
        assert "Down" in subjects(desk.get("/tickets/?level=1"))
        refused = desk.post(page(found, "level/"), {"level": "2", "reason": ""}, follow=True)
        assert "Give a reason" in text(refused)
        desk.post(page(found, "level/"), {"level": "2", "reason": "Needs the logs"})
        assert "Down" in subjects(desk.get("/tickets/?level=2"))
        assert "Level 1 → Level 2: Needs the logs" in text(desk.get(page(found)))

    @pytest.mark.requirement("FMEA-5.12")
    def test_level_three_records_the_cause_and_where_engineering_has_it(self, desk):
        install("fmea")
        found = opened(customer(), "Down", severity=_severity("S2"))
        changed = {
            "subject": "Down", "severity": "S2", "impact": "1", "type": "bug", "root_cause": "A full disk",
            "engineering_reference": "ENG-7",
        }  # fmt: skip
        desk.post(page(found, "edit/"), changed)
        shown = text(desk.get(page(found)))
        assert "A full disk" in shown
        assert "ENG-7" in shown

    def test_two_are_merged_linked_and_split(self, desk):
        account = AccountFactory()
        one, two, three = (opened(account, name) for name in ("One", "Two", "Three"))
        desk.post(page(one, "relate/"), {"relate-number": two.number, "relate-how": "blocks"})
        desk.post(page(three, "relate/"), {"relate-number": one.number, "relate-how": "merge"})
        shown = text(desk.get(page(one)))
        assert "Blocks" in shown
        assert "Merged into this" in shown
        assert "where the conversation goes on" in text(desk.get(page(three)))
        last = one.messages.order_by("created_at", "pk").last()
        desk.post(page(one, "split/"), {"message": str(last.pk), "subject": "Apart"})
        assert Ticket.objects.get(subject="Apart").messages.get() == last

    def test_time_tags_and_assignee_are_kept(self, desk, me):
        found = opened(AccountFactory(), "Down")
        desk.post(page(found, "time/"), {"time-minutes": "25", "time-note": "Read logs"})
        desk.post(page(found, "tags/"), {"tags": "Login, Import"})
        desk.post(page(found, "assign/"), {"assignee": "me"})
        shown = text(desk.get(page(found)))
        assert "25 min" in shown
        found.refresh_from_db()
        assert (found.tags, found.assignee) == (["login", "import"], me)
        assert "no such colleague" in text(desk.post(page(found, "assign/"), {"assignee": "x"}, follow=True))

    def test_the_page_takes_as_many_queries_for_three_messages_as_for_one(self, desk, me):
        found = opened(AccountFactory(), "Down")
        actions.note(found, "One", actor=me, at=timezone.now())
        desk.get(page(found))
        cache.clear()
        with CaptureQueriesContext(connection) as few:
            desk.get(page(found))
        for other in (UserFactory(role="csm"), agent()):
            actions.note(found, "More", actor=other, at=timezone.now())
            actions.log_time(found, 5, actor=other, at=timezone.now())
        cache.clear()
        with CaptureQueriesContext(connection) as many:
            assert text(desk.get(page(found))).count("data-from=") == 4
        assert len(many) <= len(few)

    def test_others_are_told_who_has_it_open_and_who_writes(self, desk, client, me):
        found = opened(AccountFactory(), "Down")
        assert "has this ticket open" not in text(desk.post(page(found, "here/")))
        other = agent()
        client.force_login(other)
        assert f"<b>{me}</b> has this ticket open" in text(client.post(page(found, "here/"), {"typing": "1"}))
        client.force_login(me)
        assert f"<b>{other}</b> is writing an answer" in text(client.post(page(found, "here/")))

    def test_who_may_only_read_gets_no_verbs(self, client):
        found = opened(AccountFactory(), "Down")
        client.force_login(UserFactory(role="read_only"))
        shown = text(client.get(page(found)))
        assert "Please help." in shown
        assert "/reply/" not in shown
        assert client.post(page(found, "reply/"), {"body": "x"}).status_code == 403


class TestFiles:
    def send(self, desk, found, *files):
        return desk.post(page(found, "reply/"), {"body": "See there", "files": list(files)})

    def test_a_file_is_kept_and_given_to_those_who_see_the_ticket(self, desk, client):
        found = opened(AccountFactory(), "Down")
        assert self.send(desk, found, SimpleUploadedFile("../a shot.png", PNG)).status_code == 302
        kept = Attachment.objects.get()
        assert (kept.name, kept.content_type, kept.size) == ("a shot.png", "image/png", len(PNG))
        answer = desk.get(f"/tickets/files/{kept.pk}/")
        assert answer.content == PNG
        assert answer["Content-Disposition"] == 'attachment; filename="a shot.png"'
        client.force_login(UserFactory(role="portal_user"))
        assert client.get(f"/tickets/files/{kept.pk}/").status_code == 403

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("run.exe", b"MZ", "attach one of"),
            ("page.html", b"<script>", "attach one of"),
            ("photo.png", b"<svg onload=x>", "is not what its name says"),
            ("log.txt", b"\x00\x01", "is not what its name says"),
            ("big.txt", b"a" * (10 * 1024 * 1024 + 1), "is larger than 10 MB"),
        ],
    )
    def test_what_is_not_allowed_is_refused_and_the_text_is_kept(self, desk, name, content, why):
        found = opened(AccountFactory(), "Down")
        answer = self.send(desk, found, SimpleUploadedFile(name, content))
        assert answer.status_code == 422
        assert why in text(answer)
        assert "See there" in text(answer)
        assert found.messages.count() == 1


class TestNew:
    @pytest.mark.requirement("FMEA-6.2", "FMEA-6.6")
    def test_severity_and_impact_are_asked_for_and_explained(self, desk):
        install("fmea")
        account = customer()
        contact = create_contact(account, name="Ana", email="ana@halden.test", actor=None, at=timezone.now())
        shown = text(desk.get(f"/tickets/new/?account={account.pk}"))
        assert "system unavailable or major functionality broken" in shown
        form = {"account": account.pk, "subject": "Down", "body": "All", "type": "problem", "channel": "phone"}
        refused = desk.post("/tickets/new/", form)
        assert refused.status_code == 422
        assert text(refused).count('class="err"') == 2
        assert not Ticket.objects.exists()
        form |= {"severity": "S1", "impact": "1", "requester": "ANA@halden.test", "tags": "a,b"}
        assert "has no contact" in text(desk.post("/tickets/new/", form | {"requester": "x@y.zz"}))
        assert desk.post("/tickets/new/", form).status_code == 302
        found = Ticket.objects.get()
        assert (found.requester, found.priority, found.tags) == (contact, 2, ["a", "b"])

    def test_an_account_shows_its_tickets(self, desk):
        account = AccountFactory()
        opened(account, "Down")
        opened(AccountFactory(), "Elsewhere")
        shown = text(desk.get(f"/accounts/{account.pk}/tickets/"))
        assert "Down" in shown
        assert "Elsewhere" not in shown
        assert "<html" not in text(desk.get(f"/accounts/{account.pk}/tickets/", headers={"HX-Request": "true"}))


def _severity(key: str):
    return Severity.objects.get(key=key)


def test_tickets_stand_first_for_those_who_answer_them(desk):
    shown = text(desk.get("/tickets/"))
    assert re.search(r'class="nav"[^>]*>.*?<a[^>]*href="([^"]*)"', shown, re.S)[1] == "/tickets/"
