"""Rows of the requirements that the methodology pages show, read as a person would."""

from __future__ import annotations

import re
from html import unescape

import pytest

from accounts.choices import Role
from accounts.models import Account, TeamRole
from packs.actions import install_pack
from packs.scaling import phase_of
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    client.force_login(UserFactory(role=Role.READ_ONLY))
    return client


def page(desk, path):
    response = desk.get(f"/methodology/{path}")
    assert response.status_code == 200
    return response.content.decode()


def words(html):
    """What the page says, one space between words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def card(html, heading):
    """The card under a heading."""
    for part in html.split('<section class="card')[1:]:
        found = re.search(r"<h2[^>]*>(.*?)</h2>", part)
        if found and unescape(found.group(1)) == heading:
            return part.split("</section>")[0]
    raise AssertionError(f"no card {heading!r}")


def entry(html, name):
    """The entry of a list under its bold name."""
    begin = html.index(f"<b>{name}</b>")
    end = html.find("<li><b>", begin)
    return html[begin : end if end >= 0 else len(html)]


def cells(html):
    """The rows of the first table as lists of texts, the head first."""
    table = html[html.index("<table") : html.index("</table>")]
    return [[words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in table.split("<tr>")[1:]]


def column(rows, name):
    at = rows[0].index(name)
    return [row[at] for row in rows[1:]]


@pytest.mark.requirement("FMEA-1.1")
def test_the_five_principles_are_listed(desk):
    install_pack("fmea", actor=None, at=AT)
    html = page(desk, "fmea/principles/")
    titles = [unescape(title) for title in re.findall(r'<h2 id="i-\d+">(.*?)</h2>', html)]
    assert titles == ["Customer-centric", "Value-driven", "Methodical", "Educational", "Relationship-building"]


@pytest.mark.requirement("FMEA-4.1")
def test_the_catalogue_shows_five_method_notes_and_each_courses_audience(desk):
    install_pack("fmea", actor=None, at=AT)
    html = page(desk, "fmea/training/")
    assert re.findall(r"<li>([A-Z][a-z-]+) <span", card(html, "Methodology")) == [
        "Blended", "Role-based", "Hands-on", "Progressive", "Reinforcement",
    ]  # fmt: skip
    audiences = column(cells(card(html, "Courses")), "Audience")
    assert audiences == ["Client admin", "Client user", "Client user", "Client user", "Client executive"]


@pytest.mark.parametrize(
    ("name", "minutes", "topics"),
    [
        pytest.param("End-User Basic", 120, 6, marks=pytest.mark.requirement("FMEA-4.3")),
        pytest.param("End-User Advanced", 120, 6, marks=pytest.mark.requirement("FMEA-4.4")),
        pytest.param("FMEA Methodology", 240, 6, marks=pytest.mark.requirement("FMEA-4.5")),
        pytest.param("Executive", 60, 5, marks=pytest.mark.requirement("FMEA-4.6")),
    ],
)
def test_a_course_has_its_length_and_topics(desk, name, minutes, topics):
    install_pack("fmea", actor=None, at=AT)
    courses = card(page(desk, "fmea/training/"), "Courses")
    rows = cells(courses)
    (at,) = [at for at, full_name in enumerate(column(rows, "Name")) if full_name.startswith(name)]
    assert column(rows, "Minutes")[at] == str(minutes)
    row = courses[: courses.index("</table>")].split("<tr>")[at + 2]
    assert (row.count("<li>") or len(column(rows, "Topics")[at].split(", "))) == topics


@pytest.mark.requirement("FMEA-12.1")
def test_four_certifications_three_of_them_in_order(desk):
    install_pack("fmea", actor=None, at=AT)
    rows = cells(card(page(desk, "fmea/training/"), "Certifications"))
    assert list(zip(column(rows, "Name"), column(rows, "Rank"), strict=True)) == [
        ("FMEA Associate", "1"), ("FMEA Professional", "2"), ("FMEA Master", "3"), ("FMEA Administrator", "–"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("customers", "phase", "trait"),
    [
        pytest.param(49, "Startup", "small versatile team", marks=pytest.mark.requirement("FMEA-14.1")),
        pytest.param(50, "Growth", "specialised roles", marks=pytest.mark.requirement("FMEA-14.1")),
        pytest.param(50, "Growth", "tiered support", marks=pytest.mark.requirement("FMEA-14.2")),
        pytest.param(199, "Growth", "knowledge base development", marks=pytest.mark.requirement("FMEA-14.2")),
        pytest.param(200, "Scale", "regional support", marks=pytest.mark.requirement("FMEA-14.3")),
        pytest.param(499, "Scale", "specialist teams", marks=pytest.mark.requirement("FMEA-14.3")),
        pytest.param(500, "Enterprise", "global support presence", marks=pytest.mark.requirement("FMEA-14.4")),
    ],
)
def test_the_phase_of_growth_follows_the_number_of_active_customers(desk, customers, phase, trait):
    install_pack("fmea", actor=None, at=AT)
    Account.objects.bulk_create(Account(name=f"A{number}") for number in range(customers))
    AccountFactory(status="prospect")
    AccountFactory(status="churned")
    AccountFactory(archived_at=AT)
    said = words(page(desk, "fmea/organisation/"))
    assert f"With {customers} active customers this workspace is in the phase {phase}." in said
    assert trait in said.split(f"in the phase {phase}.")[1][:200]


def test_no_customers_are_a_start_and_a_gap_is_no_phase():
    phases = [{"key": "a", "customers": {"min": 0, "max": 5}}, {"key": "b", "customers": {"min": 10, "max": None}}]
    assert [phase_of(phases, count) for count in (0, 4, 5, 10)] == [phases[0], phases[0], None, phases[1]]


@pytest.mark.requirement("FLEET-2.4")
def test_the_kickoff_agenda_fills_120_minutes_without_a_gap(desk):
    install_pack("fleet", actor=None, at=AT)
    html = page(desk, "fleet/meetings/")
    rows = cells(next(part for part in html.split('<section class="card') if 'id="kickoff"' in part))
    minutes = [int(text) for text in column(rows, "Minutes")]
    assert (minutes, sum(minutes)) == ([15, 20, 15, 10, 10, 20, 15, 10, 5], 120)
    starts, ends = column(rows, "Start"), column(rows, "End")
    assert starts == ["0:00", *ends[:-1]]
    assert ends == ["0:15", "0:35", "0:50", "1:00", "1:10", "1:30", "1:45", "1:55", "2:00"]


@pytest.mark.requirement("FLEET-8.3")
@pytest.mark.requirement("FLEET-8.4")
def test_the_renewal_review_takes_90_minutes_in_four_parts(desk):
    install_pack("fleet", actor=None, at=AT)
    html = page(desk, "fleet/meetings/")
    rows = cells(next(part for part in html.split('<section class="card') if 'id="renewal-qbr"' in part))
    minutes = [int(text) for text in column(rows, "Minutes")]
    assert (minutes, sum(minutes)) == ([30, 20, 10, 30], 90)
    table = html[html.index('id="renewal-qbr"') :].split("</table>")[0]
    first = table.split("<tr>")[2]
    prompts = first.count("<li>") or len(words(first.split("<td>")[-1]).split(", "))
    assert prompts == 4


@pytest.mark.requirement("CS-8.1")
def test_the_generic_review_takes_60_minutes_on_six_topics(desk):
    install_pack("generic", actor=None, at=AT)
    rows = cells(page(desk, "generic/meetings/"))
    minutes = [int(text) for text in column(rows, "Minutes")]
    assert (minutes, sum(minutes)) == ([5, 10, 15, 10, 10, 10], 60)
    assert len(set(column(rows, "Topic"))) == 6


@pytest.mark.parametrize(
    ("name", "minutes", "modules"),
    [
        pytest.param("admin", 240, [30, 30, 45, 45, 45, 45], marks=pytest.mark.requirement("FLEET-4.2")),
        pytest.param("admin", 240, [30, 30, 45, 45, 45, 45], marks=pytest.mark.requirement("FLEET-4.3")),
        pytest.param("manager", 120, [30, 30, 30, 30], marks=pytest.mark.requirement("FLEET-4.4")),
        pytest.param("driver", 60, [15, 15, 15, 15], marks=pytest.mark.requirement("FLEET-4.5")),
        pytest.param("technician", 120, [45, 30, 30, 15], marks=pytest.mark.requirement("FLEET-4.6")),
    ],
)
def test_a_course_is_the_sum_of_its_modules(desk, name, minutes, modules):
    install_pack("fleet", actor=None, at=AT)
    courses = card(page(desk, "fleet/training/"), "Courses")
    (full_name,) = [each for each in re.findall(r"<li><b>(.*?)</b>", courses) if each.lower().startswith(name)]
    course = entry(courses, full_name)
    assert f"Minutes {minutes} " in words(course)
    rows = cells(course)
    assert [int(text) for text in column(rows, "Minutes")] == modules
    assert sum(modules) == minutes
    assert all(column(rows, "Topics"))


@pytest.mark.requirement("FLEET-3.10")
@pytest.mark.parametrize(
    ("word", "found"), [("format", "Inconsistent data formats"), ("missing", "Missing required fields")]
)
def test_issue_guides_are_found_by_their_words(desk, word, found):
    install_pack("fleet", actor=None, at=AT)
    html = page(desk, f"fleet/issue_guides/?q={word}")
    assert next(unescape(each) for each in re.findall(r'<h2 id="i-\d+">(.*?)</h2>', html)) == found
    for part in ("Problem", "Mitigation", "Prevention"):
        assert f"<dt>{part}</dt>" in card(html, found)
    assert "Nothing says that" in page(desk, "fleet/issue_guides/?q=zzz")


@pytest.mark.requirement("FLEET-8.17")
def test_each_concern_lists_its_responses(desk):
    install_pack("fleet", actor=None, at=AT)
    rows = cells(card(page(desk, "fleet/renewal/"), "Negotiation"))
    assert column(rows, "Concern") == ["price", "terms", "value"]
    text = card(page(desk, "fleet/renewal/"), "Negotiation")
    for row, count in zip(text.split("<tr>")[2:], (5, 4, 4), strict=True):
        responses = row.split("<td>")[-1]
        assert (responses.count("<li>") or len(words(responses).split(", "))) == count


@pytest.mark.requirement("FLEET-11.2")
def test_the_document_behind_the_methodology_is_named(desk):
    install_pack("fleet", actor=None, at=AT)
    said = words(card(page(desk, "fleet/"), "The document behind it"))
    assert "Version 1.0 Date 2025-11 Owner Customer Success Team Reviewed quarterly" in said


@pytest.mark.requirement("MNA-1.1")
def test_five_functions_exist_and_the_vp_sees_the_whole_portfolio(client):
    install_pack("mna", actor=None, at=AT)
    functions = {"vp_cs", "csm", "tam", "training_specialist", "support_engineer"}
    assert set(TeamRole.objects.filter(side="vendor", key__in=functions).values_list("key", flat=True)) == functions
    for number in range(3):
        AccountFactory(name=f"Owned by another {number}", owner=UserFactory())
    client.force_login(UserFactory(role=Role.VP_CS))
    body = client.get("/accounts/").content.decode()
    assert all(f"Owned by another {number}" in body for number in range(3))
    assert client.get("/portfolio/").status_code == 200


@pytest.mark.requirement("BIS-1.1")
def test_the_handbooks_card_shows_its_version_purpose_and_date(desk):
    install_pack("bis", actor=None, at=AT)
    said = words(page(desk, "bis/"))
    assert "BIS customer experience handbook Business intelligence reporting service · version 2.0" in said
    assert "Date 2025-09-13" in words(card(page(desk, "bis/"), "The document behind it"))


@pytest.mark.requirement("MNA-7.1")
def test_the_catalogue_of_integrations_names_the_crm_and_health_and_engagement_are_here(desk):
    install_pack("mna", actor=None, at=AT)
    said = words(page(desk, "mna/integrations/"))
    assert "Salesforce" in said
    assert "CRM with custom M&A objects and workflows" in said
    for path in ("/health/scorecards/", "/notifications/", "/ctas/"):
        assert desk.get(path).status_code == 200


@pytest.mark.requirement("CS-10.7")
def test_five_playbooks_can_be_started_and_say_when(client):
    install_pack("generic", actor=None, at=AT)
    client.force_login(UserFactory(role=Role.CSM))
    said = words(client.get("/playbooks/").content.decode())
    form = words(client.get("/ctas/new/").content.decode())
    names = {
        "New customer onboarding": "new customer",
        "Low engagement recovery": "yellow or red",
        "Expansion opportunity": "green and growth",
        "Renewal preparation": "90 days",
        "Churn prevention": "at risk",
    }
    assert all(name in said and entry in said for name, entry in names.items())
    assert all(f"{name} (start when: {entry})" in form for name, entry in names.items())


def figure(html, name):
    """The figure under an id."""
    return words(html[html.index(f'id="{name}"') :].split(">", 1)[1].split("</")[0])


@pytest.mark.requirement("MNA-8.1")
@pytest.mark.requirement("MNA-8.2")
@pytest.mark.requirement("MNA-8.3")
def test_team_and_technology_cost_2_590_000_for_19_people(desk):
    install_pack("mna", actor=None, at=AT)
    html = page(desk, "mna/roi/")
    assert (figure(html, "total-team"), figure(html, "people-team")) == ("$2,140,000", "19")
    assert figure(html, "total-technology") == "$450,000"
    assert figure(html, "case-cost") == "$2,590,000"


@pytest.mark.requirement("MNA-8.4")
@pytest.mark.requirement("MNA-8.5")
def test_returns_add_up_with_and_without_the_churn_that_is_avoided(desk):
    install_pack("mna", actor=None, at=AT)
    everything, without = page(desk, "mna/roi/"), page(desk, "mna/roi/?without=cost+avoidance")
    assert (figure(everything, "case-return"), figure(without, "case-return")) == ("$11,000,000", "$6,000,000")
    assert figure(without, "case-ratio")[:7] == "231.7 %"
    rows = {row[0]: row[2] for row in cells(card(everything, "What it costs and brings")) if len(row) == 3}
    assert rows["Reduced churn cost avoidance"] == "$5,000,000"
    assert rows["40% fewer escalations without money"] == rows["50% faster deal cycles without money"] == "–"


@pytest.mark.requirement("MNA-8.6")
def test_return_over_cost_and_net_roi_stand_beside_each_other(desk):
    install_pack("mna", actor=None, at=AT)
    html = page(desk, "mna/roi/")
    assert (figure(html, "case-ratio")[:7], figure(html, "case-net")) == ("424.7 %", "324.7 %")
    said = words(html)
    assert "Stated ROI met stated: 400 % or more" in said
    assert "Stated ROI missed" in words(page(desk, "mna/roi/?without=cost+avoidance"))


def test_a_methodology_without_figures_has_no_case(desk):
    install_pack("fleet", actor=None, at=AT)
    assert "What it costs and brings" not in page(desk, "fleet/roi/")


@pytest.mark.requirement("CS-2.2")
def test_the_generic_onboarding_has_six_phases(desk):
    install_pack("generic", actor=None, at=AT)
    said = words(page(desk, "generic/onboarding_templates/"))
    phases = [
        "System setup and configuration",
        "Team training",
        "Advanced training and workflows",
        "Go-live",
        "Optimization and check-ins",
        "First value realization milestone",
    ]
    places = [said.index(phase) for phase in phases]
    assert places == sorted(places)


@pytest.mark.requirement("MNA-2.5")
def test_two_courses_of_which_the_administrators_leads_to_a_certificate(desk):
    install_pack("mna", actor=None, at=AT)
    rows = cells(card(page(desk, "mna/training/"), "Courses"))
    assert list(zip(column(rows, "Name"), column(rows, "Certification"), strict=True)) == [
        ("Administrator Training", "administrator"),
        ("End-User Training", "–"),
    ]
    assert "Administrator certification" in words(page(desk, "mna/training/"))
