"""Installing the five methodologies: everything stored, nothing twice, edits kept apart."""

from __future__ import annotations

import copy
import statistics
import time
from datetime import timedelta

import pytest

from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import AuditEntry, LifecycleStage, Severity, TeamRole, Tier, WorkCalendar
from health.models import Kpi, Scorecard, Trigger
from packs import files
from packs.actions import edit_value, edit_values, install_definition, install_for_tenant, install_pack, reset_value
from packs.metrics import input_metrics
from packs.models import PackInstall, PackItem, TenantEdit
from packs.sections import SECTIONS, items_of
from playbooks.actions import open_cta
from playbooks.models import Playbook, PlaybookTask
from tests.factories import AT, AccountFactory, UserFactory
from usage.models import MetricDefinition

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(days=30)


def fmea(version="1.0"):
    """A copy of a pack that a test may change."""
    definition = copy.deepcopy(files.load("fmea"))
    definition["pack"]["version"] = version
    return definition


def everything():
    """Every row that packs write, without moments and keys of rows."""
    models = (PackInstall, PackItem, Tier, LifecycleStage, TeamRole, WorkCalendar, Severity, Playbook, PlaybookTask,
              Scorecard, Trigger, Kpi, MetricDefinition)  # fmt: skip
    return {model.__name__: sorted(map(repr, model.objects.values_list())) for model in models}


@pytest.mark.parametrize("key", files.PACK_KEYS)
def test_every_part_of_a_pack_is_stored_once(key):
    report = install_pack(key, actor=None, at=AT)
    items = list(items_of(files.load(key)))
    stored = PackItem.objects.filter(install__key=key)
    assert {(row.section, row.key): row.data for row in stored} == {
        (item.section, item.key): item.data for item in items
    }
    assert report.changes == len(items)
    assert list(report.sections) == [section.key for section in SECTIONS]


@pytest.mark.parametrize("key", files.PACK_KEYS)
def test_a_second_installation_changes_nothing(key):
    install_pack(key, actor=None, at=AT)
    before, entries = everything(), AuditEntry.objects.count()
    report = install_pack(key, actor=None, at=LATER)
    assert (report.changes, report.from_version) == (0, files.load(key)["pack"]["version"])
    assert everything() == before
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("order", [files.PACK_KEYS, files.PACK_KEYS[::-1]])
def test_all_five_stand_beside_each_other(order):
    for key in order:
        install_pack(key, actor=None, at=AT)
    before = everything()
    for key in order:
        assert install_pack(key, actor=None, at=LATER).changes == 0
    assert everything() == before
    assert Tier.objects.count() == 3 + 1 + 2 + 4 + 3  # BIS's AI-assisted is an overlay, not a tier of its own
    assert LifecycleStage.objects.count() == 2 + 3 + 3 + 6 + 5
    assert Playbook.objects.count() == 2 + 3 + 0 + 3 + 5
    assert Kpi.objects.count() == 28 + 26 + 22 + 34 + 11
    assert TeamRole.objects.filter(key="csm").count() == 1


def test_a_key_two_packs_use_gets_the_second_ones_name_in_front():
    install_pack("fmea", actor=None, at=AT)
    install_pack("fleet", actor=None, at=AT)
    assert set(Tier.objects.values_list("key", "pack", "name")) == {
        ("basic", "fmea", "Basic"), ("professional", "fmea", "Professional"), ("enterprise", "fmea", "Enterprise"),
        ("standard", "fleet", "Standard"), ("fleet-enterprise", "fleet", "Enterprise"),
    }  # fmt: skip


def test_the_live_rows_say_what_the_pack_says():
    install_pack("mna", actor=None, at=AT)
    tier = Tier.objects.get()
    assert (tier.key, tier.rank, tier.pack, tier.capacity) == (
        "fortune-500", 1, "mna", {"csm": {"min": 0, "max": 3}, "tam": {"min": 5, "max": 7}},
    )  # fmt: skip
    assert list(LifecycleStage.objects.values_list("key", "position")) == [
        ("onboarding", 1), ("expansion", 2), ("optimization", 3),
    ]  # fmt: skip
    assert list(Severity.objects.values_list("key", "rank")) == [
        ("critical", 1),
        ("high", 2),
        ("medium", 3),
        ("low", 4),
    ]
    calendars = {row.key: (row.timezone, row.definition, row.minutes_per_day) for row in WorkCalendar.objects.all()}
    assert calendars == {
        "24x7": ("UTC", {"always_open": True, "timezone": "UTC"}, 1440),
        "business-hours": (
            "",
            {
                "always_open": False,
                "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
            },
            480,
        ),
    }
    playbook = Playbook.objects.get(key="renewal-success")
    assert playbook.tasks.count() == 12
    assert list(playbook.tasks.values_list("step", "title", "offset_days")[:1]) == [
        ("Early preparation (180 days)", "Success review", 2)
    ]


def test_metrics_that_scorecards_ask_for_are_defined_with_their_bounds():
    install_pack("fleet", actor=None, at=AT)
    choice = MetricDefinition.objects.get(key="objectives")
    assert (choice.kind, choice.option_keys(), choice.pack) == ("choice", ["on_track", "partial", "off_track"], "fleet")
    accuracy = MetricDefinition.objects.get(key="data_accuracy_pct")
    assert (accuracy.kind, accuracy.lowest, accuracy.highest) == ("number", 0, 100)
    assert not MetricDefinition.objects.filter(key__in=["health_band", "health_score", "days_to_renewal"]).exists()


@pytest.mark.parametrize(
    ("pack", "key", "lowest", "highest"),
    [
        ("bis", "nps", -100, 100),
        ("bis", "advocacy_score", 0, 100),
        ("bis", "roi_realization_percentage", 0, None),  # the code caps it, so over 100 is allowed (AMB-123)
        ("bis", "escalation_rate_percentage", 0, 100),
        ("bis", "avg_resolution_hours", 0, None),
        ("fmea", "usage_change_pct", None, None),
        ("mna", "nps", None, None),
    ],
)
def test_bounds_follow_the_formula(pack, key, lowest, highest):
    metric = {metric.key: metric for metric in input_metrics(files.load(pack))}[key]
    assert (metric.lowest, metric.highest) == (lowest, highest)


def test_a_dry_run_tells_and_changes_nothing():
    report = install_pack("fleet", actor=None, at=AT, dry_run=True)
    assert report.sections["tiers"].created == ["standard", "enterprise"]
    assert PackItem.objects.count() == PackInstall.objects.count() == Tier.objects.count() == 0


def test_an_upgrade_tells_its_difference_and_keeps_what_runs_and_the_tenants_values():
    admin = UserFactory(role=Role.ADMIN)
    install_definition(fmea(), actor=None, at=AT)
    edit_value(PackItem.objects.get(section="tiers", key="enterprise"), "accounts_per_csm.max", 2, actor=admin, at=AT)
    cta = open_cta(
        AccountFactory(),
        title="Act",
        reason="",
        kind="risk",
        priority="low",
        playbook_key="retention-intervention",
        at=AT,
    )
    newer = fmea("2.0")
    newer["tiers"][2]["name"] = "Enterprise Plus"
    newer["tiers"][2]["accounts_per_csm"]["max"] = 9
    newer["playbooks"][0]["steps"][0]["tasks"] = ["One thing"]
    del newer["playbooks"][1], newer["kpis"][0]
    newer["principles"].append({"key": "new", "title": "New"})
    report = install_definition(newer, actor=admin, at=LATER)
    assert (report.from_version, report.version) == ("1.0", "2.0")
    changes = {
        key: (section.created, section.updated, section.retired)
        for key, section in report.sections.items()
        if section.created or section.retired
    }
    first_kpi = files.load("fmea")["kpis"][0]["key"]
    assert changes["principles"] == (["new"], [], [])
    assert changes["playbooks"] == ([], ["retention-intervention"], ["value-reinforcement"])
    assert changes["kpis"][2] == [first_kpi]
    tier = Tier.objects.get(key="enterprise")
    assert (tier.name, tier.capacity) == ("Enterprise Plus", {"csm": {"min": 1, "max": 2}})
    assert cta.tasks.count() == 5
    assert Playbook.objects.get(key="retention-intervention").tasks.count() == 1
    assert Playbook.objects.get(key="value-reinforcement").retired_at == LATER
    assert PackItem.objects.get(section="kpis", key=first_kpi).retired_at == LATER
    back = install_definition(fmea("2.1"), actor=admin, at=LATER)
    assert back.sections["kpis"].updated.count(first_kpi) == 1
    assert Playbook.objects.get(key="value-reinforcement").retired_at is None


def test_the_tenants_value_stands_beside_the_packs():
    admin = UserFactory(role=Role.ADMIN)
    install_pack("mna", actor=None, at=AT)
    kpi = PackItem.objects.get(section="kpis", key="platform-uptime")
    theirs = kpi.data["target"]
    edit_value(kpi, "target", "12.5", actor=admin, at=AT)
    kpi.refresh_from_db()
    assert kpi.data["target"] == theirs
    assert float(Kpi.objects.get(key=kpi.key).target) == 12.5
    assert AuditEntry.objects.filter(action="pack.edit").latest("id").after == {"target": "12.5"}
    reset_value(kpi, "target", actor=admin, at=AT)
    assert float(Kpi.objects.get(key=kpi.key).target) == theirs
    assert not TenantEdit.objects.exists()


def test_setting_the_packs_own_value_takes_the_edit_back():
    admin = UserFactory(role=Role.ADMIN)
    install_pack("mna", actor=None, at=AT)
    tier = PackItem.objects.get(section="tiers")
    edit_value(tier, "accounts_per_csm.max", 5, actor=admin, at=AT)
    edit_value(tier, "accounts_per_csm.max", 3, actor=admin, at=AT)
    assert not TenantEdit.objects.exists()
    edit_values(tier, {"accounts_per_csm.min": 8, "accounts_per_csm.max": 9}, actor=admin, at=AT)
    assert Tier.objects.get().capacity["csm"] == {"min": 8, "max": 9}


@pytest.mark.parametrize(
    ("section", "path", "value", "rule"),
    [
        ("tiers", "rank", 5, "not_editable"),
        ("tiers", "name", "", "required"),
        ("tiers", "name", "x" * 201, "text"),
        ("tiers", "accounts_per_csm.max", -1, "number"),
        ("tiers", "accounts_per_csm.max", "many", "number"),
        ("tiers", "accounts_per_csm.max", True, "number"),
        ("tiers", "accounts_per_csm.max", float("nan"), "number"),
        ("tiers", "accounts_per_tam.max", 4, "range"),
        ("calendars", "start", "25:00", "calendar"),
        ("calendars", "timezone", "Mars", "calendar"),
        ("principles", "title", "x", "not_editable"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(section, path, value, rule):
    admin = UserFactory(role=Role.ADMIN)
    install_pack("fmea" if section == "principles" else "mna", actor=None, at=AT)
    item = PackItem.objects.filter(section=section).order_by("-position").first()
    with pytest.raises(RuleViolated) as refused:
        edit_value(item, path, value, actor=admin, at=AT)
    assert refused.value.rule == rule
    assert not TenantEdit.objects.exists()


def broken(change):
    definition = fmea()
    change(definition)
    with pytest.raises(files.InvalidPack) as refused:
        install_definition(definition, actor=None, at=AT)
    assert PackItem.objects.count() == 0
    return [problem.pointer for problem in refused.value.problems]


def test_a_pack_that_breaks_the_schema_or_points_nowhere_is_refused_by_place():
    assert broken(lambda pack: pack.pop("tiers")) == ["/"]
    assert broken(lambda pack: pack["tiers"][0].update(rank="high")) == ["/tiers/0/rank"]
    assert broken(lambda pack: pack["tiers"].append(pack["tiers"][0])) == ["/tiers/3/key"]
    assert broken(lambda pack: pack["sla_policies"][1].update(calendar="nowhere")) == ["/sla_policies/1/calendar"]
    assert broken(lambda pack: pack["sla_policies"][1].update(tier="gold")) == ["/sla_policies/1/tier"]

    def dangling(pack):
        task = pack["onboarding_templates"][0]["phases"][0]["tasks"][0]
        task["course"] = "nowhere"

    assert broken(dangling) == ["/onboarding_templates/0/phases/0/tasks/0/course"]


def test_an_unknown_pack_is_said_to_be_unknown():
    with pytest.raises(files.UnknownPack):
        install_pack("../settings", actor=None, at=AT)


def _cpu_seconds(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def test_the_tenants_chosen_pack_is_installed_at_its_creation_quickly(tenants):
    owner = {"owner_email": "o@acme.example", "owner_password": "x", "owner_name": ""}
    files.check_shipped("fleet")
    # Measured in checks of the pack, which cost more on a slow machine too: 15 of them here, about half a second.
    check = statistics.median(_cpu_seconds(lambda: files.check(files.load("fleet"))) for _ in range(5))
    assert _cpu_seconds(lambda: install_for_tenant(tenants["acme"], **owner, at=AT)) < 25 * check
    assert list(PackInstall.objects.values_list("key", "version", "installed_at")) == [("fleet", "1.0", AT)]
