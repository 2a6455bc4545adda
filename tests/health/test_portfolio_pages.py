"""The portfolio's pages: what they show, where their figures lead, what they give to keep, and to whom."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import verify_chain
from accounts.choices import Role
from accounts.models import Account, Activity, AuditEntry, Tier, Workspace
from documents.actions import write_document
from documents.models import Document
from documents.rendering import html_of, pdf_of
from health.actions import recompute
from health.actions.segments import create_segment
from health.receipts import check
from playbooks.actions import close_cta, open_cta
from tests.factories import AccountFactory, UserFactory
from tests.health import world
from tests.health.definitions import CARDS, best

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate()
CARD = CARDS["fleet-health"]


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria Hale")


@pytest.fixture
def client(client, vp):
    client.force_login(vp)
    return client


@pytest.fixture
def scored(vp):
    """Five accounts with two scores each: one falls, one rises."""
    world.card()
    tier = Tier.objects.create(key="gold", name="Gold", rank=1, capacity={"csm": {"max": 4}})
    csm = UserFactory(role=Role.CSM, name="Mara Lind")
    accounts = {
        name: AccountFactory(name=name, arr=arr, owner=owner, tier=tier, segment=segment, renewal_on=renewal)
        for name, arr, owner, segment, renewal in (
            ("Sinking Ltd", 100, csm, "SMB", TODAY + timedelta(days=20)),
            ("Rising Ltd", 50, csm, "Enterprise", None),
            ("Steady Ltd", 30, vp, "Enterprise", TODAY + timedelta(days=120)),
            ("Unowned Ltd", 7, None, "", None),
            ("Silent Ltd", 3, csm, "SMB", None),
        )
    }
    red = world.FLEET_RED
    for name, then, now in (
        ("Sinking Ltd", best(CARD), red),
        ("Rising Ltd", red, best(CARD)),
        ("Steady Ltd", best(CARD), best(CARD)),
    ):
        world.measure(accounts[name], then, at=NOW - timedelta(days=40), on=TODAY - timedelta(days=40))
        accounts[name].wanted = now
    recompute(at=NOW - timedelta(days=35))
    for account in accounts.values():
        if hasattr(account, "wanted"):
            world.measure(account, account.wanted, at=NOW - timedelta(minutes=1), on=TODAY, source="later")
    recompute(at=NOW)
    return accounts


def text(answer):
    return answer.content.decode()


def table(answer):
    return csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))


class TestPage:
    @pytest.mark.requirement("FLEET-7.19")
    def test_the_vp_page_has_its_four_views(self, client, scored):
        page = text(client.get("/portfolio/"))
        sections = {
            heading: page.split(f'id="{heading}"', 1)[1].split("</section>")[0]
            for heading in ("h-pie", "h-movers", "h-risk", "h-growth")
        }
        assert "Share of ARR by band" in sections["h-pie"]
        assert "Red" in sections["h-pie"]
        assert "Sinking Ltd" in sections["h-movers"]
        assert "Sinking Ltd" in sections["h-risk"]
        assert "Mara Lind" in sections["h-risk"]
        assert "Rising Ltd" not in sections["h-risk"]
        assert "Rising Ltd" in sections["h-growth"]
        assert "Sinking Ltd" not in sections["h-growth"]

    def test_every_figure_leads_to_rows_that_give_it(self, client, scored):
        page = text(client.get("/portfolio/"))
        links = set(re.findall(r'href="(/portfolio/figures/[^"]+)"', page))
        assert {link.split("/")[3] for link in links} >= {
            "nrr", "grr", "churn", "arr", "risk", "renewing", "accounts", "scored", "coverage", "fresh", "score",
            "band", "due",
        }  # fmt: skip
        for link in links:
            assert client.get(link.replace("&amp;", "&")).status_code == 200
        assert "$190" in text(client.get("/portfolio/figures/arr/"))

    def test_a_segment_by_rule_narrows_the_page_its_lists_its_comparison_and_its_pack(self, client, scored, vp):
        rule = {"join": "all", "groups": [{"join": "all", "conditions": [{"field": "arr", "op": ">=", "value": "50"}]}]}
        segment = create_segment(name="Fifty and more", rule=rule, actor=vp, at=NOW)
        page = text(client.get(f"/portfolio/?segment={segment.pk}&split=rule"))
        assert "Fifty and more" in page.split('id="h-split"', 1)[1]
        assert "$150" in page.split('id="h-split"', 1)[1]
        assert "Unowned Ltd" not in page
        assert "Sinking Ltd" in page
        listed = text(client.get(f"/portfolio/figures/arr/?segment={segment.pk}"))
        assert "Segment: <b>Fifty and more</b>" in listed
        assert "$150" in listed
        compared = text(client.get(f"/portfolio/compare/?segment={segment.pk}"))
        assert "Moved into this view" not in compared
        client.post(f"/portfolio/board-packs/?segment={segment.pk}&split=tier")
        pack = Document.objects.get()
        assert pack.data["filters"] == [["Segment", "Fifty and more"]]
        assert [(part["name"], part["arr"]) for part in pack.data["split"]["parts"]] == [("Gold", "$150")]

    @pytest.mark.parametrize(
        ("query", "inside", "outside"),
        [
            ("segment=SMB", ["Sinking Ltd"], ["Rising Ltd", "Steady Ltd"]),
            ("owner=none", ["1 account"], ["Sinking Ltd", "Rising Ltd"]),
            ("owner=me", ["Steady Ltd"], ["Sinking Ltd"]),
            ("segment=no-such", ["No account matches"], ["Sinking Ltd"]),
            ("card=no-such", ["No account matches"], ["Sinking Ltd"]),
        ],
    )
    def test_filters_reach_everything(self, client, scored, query, inside, outside):
        page = text(client.get(f"/portfolio/?{query}"))
        assert [name for name in inside if name not in page] == []
        assert [name for name in outside if name in page] == []

    def test_changes_are_those_of_the_period(self, client, scored):
        month = text(client.get("/portfolio/?period=365"))
        assert "Nothing was recorded on" in month
        page = text(client.get(f"/portfolio/?since={TODAY - timedelta(days=31)}"))
        assert "ARR at risk rose by $50" in page
        assert "Sinking Ltd</a> fell furthest" in page

    def test_a_past_day_shows_how_it_was(self, client, scored):
        day = (TODAY - timedelta(days=31)).isoformat()
        page = text(client.get(f"/portfolio/?on={day}"))
        risk = page.split('id="h-risk"', 1)[1].split("</section>")[0]
        assert ("Rising Ltd" in risk, "Sinking Ltd" in risk) == (True, False)

    def test_the_history_follows_the_segment(self, client, scored):
        chart = text(client.get("/portfolio/?segment=SMB")).split('id="h-bands"', 1)[1].split("</section>")[0]
        assert "$103" in chart
        assert "$190" not in chart

    def test_a_new_name_shows_at_once(self, client, scored, vp):
        assert "Mara Lind" in text(client.get("/portfolio/"))
        scored["Sinking Ltd"].owner.name = "Mara Berg"
        scored["Sinking Ltd"].owner.save()
        page = text(client.get("/portfolio/"))
        assert ("Mara Berg" in page, "Mara Lind" in page) == (True, False)
        Tier.objects.update(name="Platinum")
        assert "Platinum" in text(client.get("/portfolio/"))

    def test_load_is_measured_against_what_tiers_allow(self, client, scored):
        card = text(client.get("/portfolio/")).split('id="h-load"', 1)[1].split("</section>")[0]
        assert "75 % of capacity" in card
        Tier.objects.update(capacity={"csm": {"max": 2}})
        assert "150 % of capacity" in text(client.get("/portfolio/"))
        Tier.objects.update(capacity={})
        assert "of capacity" not in text(client.get("/portfolio/")).split('id="h-load"', 1)[1].split("</section>")[0]

    @pytest.mark.parametrize(
        "path",
        ["/portfolio/", "/portfolio/compare/", "/portfolio/team/", "/portfolio/figures/arr/", "/portfolio/figures/nrr/",
         "/portfolio/board-packs/"],
    )  # fmt: skip
    def test_at_most_twelve_queries_however_many_rows(self, client, scored, path):
        counts = []
        for keep in (5, 2):
            Account.objects.exclude(
                pk__in=list(Account.objects.order_by("pk").values_list("pk", flat=True)[:keep])
            ).update(archived_at=NOW)
            client.get("/accounts/")  # the shell's own counts are kept for some seconds
            Account.objects.update(updated_at=timezone.now())
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            # Finding the tenant is no page's own business, and kept for a busy host.
            own = [query for query in queries if not re.match(r"SET|SELECT \"tenants_", query["sql"])]
            counts.append(len(own))
        assert counts[0] == counts[1] <= 12, "\n".join(query["sql"][:150] for query in queries)


class TestFigure:
    def test_the_csv_holds_every_row(self, client, scored):
        rows = list(
            csv.DictReader(io.StringIO(client.get("/portfolio/figures/risk/export.csv").content.decode("utf-8-sig")))
        )
        assert [(row["name"], row["arr"]) for row in rows] == [("Sinking Ltd", "100.00")]

    def test_parts_that_mean_nothing_are_not_found(self, client, scored):
        for path in (
            "nope/", "band/", "band/?part=purple", "due/?part=2026-13", "due/?part=x", "arr/?part=red", "cohort/",
            "cohort/?part=2026-02-01.0", "cohort/?part=2026-01-01.99", "cohort/?part=2026-01-01.x", "arr/?page=0",
            "arr/?page=99", "arr/?page=x",
        ):  # fmt: skip
            assert client.get(f"/portfolio/figures/{path}").status_code == 404, path

    def test_pages_follow_each_other(self, client, scored, monkeypatch):
        monkeypatch.setattr("health.book.rows.PAGE_SIZE", 2)
        monkeypatch.setattr("health.pages.figures.PAGE_SIZE", 2)
        first = text(client.get("/portfolio/figures/arr/"))
        second = text(client.get("/portfolio/figures/arr/?page=2"))
        assert ("1–2 of 5" in first, "3–4 of 5" in second) == (True, True)
        assert ("Sinking Ltd" in first, "Sinking Ltd" in second) == (True, False)

    @pytest.mark.parametrize("path", ["arr/", "risk/?segment=SMB", "nrr/", "band/?part=green", "fresh/", "score/"])
    def test_its_receipt_holds_and_is_in_the_log(self, client, scored, path):
        answer = client.post(f"/portfolio/figures/{path}")
        assert "attachment" in answer["Content-Disposition"]
        entry = AuditEntry.objects.get(action="receipt.issued")
        assert check(answer.content, entry_hash=entry.hash).problems == ()
        assert verify_chain().intact

    def test_any_changed_byte_of_a_receipt_is_noticed(self, client, scored):
        whole = client.post("/portfolio/figures/risk/").content
        unnoticed = []
        for at in range(len(whole)):
            changed = whole[:at] + bytes([whole[at] ^ (1 << at % 7)]) + whole[at + 1 :]
            if check(changed).holds:
                unnoticed.append(at)
        assert unnoticed == []

    def test_a_receipt_of_other_rows_does_not_come_out(self, client, scored):
        import json

        from health.receipts import digest_of, text_of

        document = json.loads(client.post("/portfolio/figures/risk/").content)
        del document["seal"]
        for change in (
            {"rows": []},
            {"rows": document["rows"] * 2},
            {"rows": [{**document["rows"][0], "rag": "green"}]},
            {"result": {"value": "101", "rows": 1}},
            {"formula": "count"},
        ):
            forged = {**document, **change}
            forged["sha256"] = digest_of(forged)
            assert not check(text_of(forged).encode()).holds, change

    def test_a_csm_confined_to_their_book_reads_no_other_rows(self, client, scored):
        Workspace.objects.update(csm_reads_all_accounts=False)
        client.force_login(scored["Sinking Ltd"].owner)
        for path in ("/portfolio/", "/portfolio/figures/arr/", "/portfolio/compare/", "/portfolio/team/"):
            assert "Unowned Ltd" not in text(client.get(path))
        assert b"Unowned" not in client.post("/portfolio/figures/arr/").content
        assert client.get("/portfolio/board-packs/").status_code == 403


class TestCompare:
    def test_the_change_is_explained_by_accounts(self, client, scored):
        page = text(client.get(f"/portfolio/compare/?since={TODAY - timedelta(days=31)}"))
        risk = page.split('id="h-risk"', 1)[1]
        assert "Fell into risk" in risk
        assert "Recovered" in risk
        assert ("+$100" in risk, "−$50" in risk) == (True, True)
        export = client.get(f"/portfolio/compare/export.csv?since={TODAY - timedelta(days=31)}").content.decode()
        assert "Sinking Ltd" in export

    def test_a_day_before_any_record_is_said_to_be_unknown(self, client, scored):
        assert "Nothing was recorded on" in text(client.get("/portfolio/compare/?since=2020-01-01"))


class TestTeam:
    def test_response_is_from_the_opening_to_the_first_thing_a_person_did(self, client, scored, vp):
        csm = scored["Sinking Ltd"].owner
        opened = NOW - timedelta(days=2)
        values = {"reason": "", "kind": "risk", "priority": "high", "at": opened}
        answered = open_cta(scored["Sinking Ltd"], title="Call", **values)
        late = open_cta(scored["Rising Ltd"], title="Write", **values)
        open_cta(scored["Silent Ltd"], title="Wait", **values)
        close_cta(answered, outcome="resolved", note="", actor=csm, at=opened + timedelta(hours=3))
        close_cta(late, outcome="resolved", note="", actor=csm, at=opened + timedelta(hours=9))
        Activity.objects.create(account=scored["Sinking Ltd"], kind="call", title="Talked", at=NOW - timedelta(days=1))
        row = next(row for row in table(client.get("/portfolio/team/export.csv")) if row["owner"] == "Mara Lind")
        names = ("accounts", "arr", "ctas_open", "ctas_opened_90_days", "ctas_answered")
        assert [row[name] for name in names] == ["3", "153.00", "1", "3", "2"]
        assert (row["median_hours_to_first_action"], row["touches_30_days"]) == ("6.0", "1")
        page = text(client.get("/portfolio/team/"))
        assert "6.0 h" in page
        assert "1 account with $7" in page


class TestBoardPack:
    def test_is_made_in_the_background_and_says_what_it_froze(self, client, scored, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks() as callbacks:
            answer = client.post("/portfolio/board-packs/?segment=SMB")
        pack = Document.objects.get()
        assert (answer["Location"], len(callbacks)) == (f"/portfolio/board-packs/{pack.pk}/", 1)
        page = text(client.get(f"/portfolio/board-packs/{pack.pk}/"))
        assert ("0 % written" in page, "$103" in page) == (True, True)
        assert client.get(f"/portfolio/board-packs/{pack.pk}/file/").status_code == 404
        write_document(pack.pk)
        file = client.get(f"/portfolio/board-packs/{pack.pk}/file/")
        assert file.content.startswith(b"%PDF-")
        assert "every 2s" not in text(client.get(f"/portfolio/board-packs/{pack.pk}/progress/"))
        actions = list(AuditEntry.objects.filter(action__startswith="board_pack").values_list("action", flat=True))
        assert actions == ["board_pack.ordered", "board_pack.written"]

    def test_can_be_written_again_from_its_data_whatever_happened_since(self, client, scored):
        client.post("/portfolio/board-packs/")
        pack = Document.objects.get()
        write_document(pack.pk)
        Account.objects.update(name="Renamed", arr=1)
        pack.refresh_from_db()
        again = pdf_of(html_of(pack.template, pack.data))
        with pack.file.open("rb") as file:
            assert again == file.read()

    @pytest.mark.parametrize(("accent", "name"), [("", '<p class="org">'), ("#B4236A", 'style="color: #B')])
    def test_the_workspaces_name_has_its_accent_as_it_was_then(self, client, scored, accent, name):
        Workspace.objects.update(accent=accent)
        client.post("/portfolio/board-packs/")
        Workspace.objects.update(accent="#00FF00")
        pack = Document.objects.get()
        assert name in html_of(pack.template, pack.data)

    def test_it_is_set_in_the_products_own_letters_and_fetches_nothing_else(self, caplog):
        with caplog.at_level("WARNING", logger="weasyprint"):
            letters = pdf_of("<h1>Portfolio</h1>")
        assert caplog.messages == []
        with caplog.at_level("WARNING", logger="weasyprint"):
            other = pdf_of('<h1>Portfolio</h1><img src="file:///etc/hostname">')
        assert "documents read nothing from outside: file:///etc/hostname" in caplog.text
        assert (letters[:5], other[:5]) == (b"%PDF-", b"%PDF-")

    def test_what_a_name_says_is_only_text_and_reads_nothing(self, client, scored):
        Account.objects.filter(name="Sinking Ltd").update(name='<img src="file:///etc/passwd"><script>x</script>')
        client.post("/portfolio/board-packs/")
        pack = Document.objects.get()
        html = html_of(pack.template, pack.data)
        assert "<img" not in html
        assert "<script" not in html

    def test_an_error_is_told_and_can_be_tried_again(self, client, scored, monkeypatch):
        client.post("/portfolio/board-packs/")
        pack = Document.objects.get()
        with monkeypatch.context() as patch:
            patch.setattr("documents.actions.pdf_of", lambda html, told: 1 / 0)
            write_document(pack.pk)
        page = text(client.get(f"/portfolio/board-packs/{pack.pk}/"))
        assert "Our mistake" in page
        client.post(f"/portfolio/board-packs/{pack.pk}/retry/")
        write_document(pack.pk)
        pack.refresh_from_db()
        assert pack.state == "done"

    def test_a_worker_that_dies_each_time_is_not_sent_for_ever(self, client, scored):
        client.post("/portfolio/board-packs/")
        Document.objects.update(attempts=3, state="rendering")
        assert write_document(Document.objects.get().pk) is False
        assert Document.objects.get().state == "failed"

    def test_at_most_five_wait(self, client, scored):
        for _ in range(7):
            client.post("/portfolio/board-packs/")
        assert Document.objects.count() == 5

    def test_one_that_was_taken_away_is_gone_with_its_file(self, client, scored, django_capture_on_commit_callbacks):
        client.post("/portfolio/board-packs/")
        pack = Document.objects.get()
        write_document(pack.pk)
        pack.refresh_from_db()
        storage, name = pack.file.storage, pack.file.name
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"/portfolio/board-packs/{pack.pk}/remove/")
        assert (Document.objects.exists(), storage.exists(name)) == (False, False)
        assert AuditEntry.objects.get(action="board_pack.removed").before["file_sha256"] == pack.file_digest

    @pytest.mark.parametrize("role", [Role.CSM, Role.READ_ONLY, Role.RENEWALS])
    def test_is_for_leaders(self, client, scored, role):
        client.post("/portfolio/board-packs/")
        pack = Document.objects.get()
        client.force_login(UserFactory(role=role))
        for path in ("", f"{pack.pk}/", f"{pack.pk}/file/"):
            assert client.get(f"/portfolio/board-packs/{path}").status_code == 403
        assert client.post("/portfolio/board-packs/").status_code == 403
