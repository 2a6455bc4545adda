"""The sections of a pack: their order of import, their headings, and how a file becomes items. No Django."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

IDENTITY = frozenset({"schema_version", "pack", "silent_on"})


@dataclass(frozen=True, slots=True)
class Section:
    """One top-level key of a pack: its heading, what it holds, and the group it is read under."""

    key: str
    name: str
    about: str
    group: str


# In the order of import (packs README): what others point to comes first.
SECTIONS = (
    Section("calendars", "Calendars", "Working time that promises are counted in", "Service"),
    Section("severities", "Severities", "How bad a ticket is", "Service"),
    Section("tiers", "Tiers", "What accounts are sold and how they are served", "Foundations"),
    Section("roles", "Roles", "People on both sides and their work", "Foundations"),
    Section("documents", "Documents", "Deliverables and templates", "Journey"),
    Section("training", "Training", "Courses, certifications and how they are taught", "Journey"),
    Section("meetings", "Meetings", "Kickoff, reviews and their agendas", "Journey"),
    Section("checklists", "Checklists", "Lists to tick at fixed points of the journey", "Journey"),
    Section("onboarding_templates", "Onboarding", "Phases, tasks and exit criteria", "Journey"),
    Section("scorecards", "Scorecards", "How health is scored", "Health"),
    Section("sla_policies", "Service levels", "Response and resolution times promised", "Service"),
    Section("triggers", "Triggers", "Conditions that open a CTA", "Health"),
    Section("principles", "Principles", "What the methodology stands on", "Foundations"),
    Section("support_levels", "Support levels", "Who handles what, and who is next", "Service"),
    Section("organisation", "Organisation", "Phases of growth and staffing", "Foundations"),
    Section("lifecycle_stages", "Lifecycle stages", "The stages of an account", "Foundations"),
    Section("success_plan", "Success plan", "The form of a success plan and its milestones", "Journey"),
    Section("health_review", "Health review", "How often health is reviewed, and how", "Health"),
    Section("channels", "Support channels", "Ways to reach support", "Service"),
    Section("incident_lifecycle", "Incident lifecycle", "Steps from report to review", "Service"),
    Section("escalation", "Escalation", "Levels, paths and decisions", "Service"),
    Section("renewal", "Renewal", "The renewal timeline and its roles", "Growth"),
    Section("expansion", "Expansion", "Signals and kinds of growth", "Growth"),
    Section("cadences", "Cadences", "Touchpoints that come round", "Engagement"),
    Section("kpis", "KPIs", "Figures tracked, with their targets", "Health"),
    Section("surveys", "Surveys", "What customers are asked, and when", "Engagement"),
    Section("feedback", "Feedback", "Where feedback comes from and what becomes of it", "Engagement"),
    Section("communications", "Communications", "Message templates", "Engagement"),
    Section("playbooks", "Playbooks", "Recipes for what needs attention", "Health"),
    Section("objections", "Objections", "What customers say, and answers", "Growth"),
    Section("objection_framework", "Objection framework", "How objections are met", "Growth"),
    Section("advocacy", "Advocacy", "References, champions and their rewards", "Growth"),
    Section("roi", "Return on investment", "How value is counted", "Growth"),
    Section("partners", "Partners", "Implementation and technology partners", "Foundations"),
    Section("knowledge", "Knowledge", "What is written down, and for whom", "Service"),
    Section("dashboards", "Dashboards", "Views for each audience", "Health"),
    Section("integrations", "Integrations", "Systems the product connects to", "Foundations"),
    Section("issue_guides", "Issue guides", "Common problems and their prevention", "Service"),
    Section("personalisation", "Personalisation", "Segments and rules", "Engagement"),
    Section("improvement_cycles", "Improvement cycles", "How the work itself gets better", "Engagement"),
    Section("special_scenarios", "Special scenarios", "What changes for unusual customers", "Journey"),
)
BY_KEY = {section.key: section for section in SECTIONS}
GROUPS = ("Foundations", "Journey", "Health", "Service", "Engagement", "Growth")


@dataclass(frozen=True, slots=True)
class Item:
    """One stored part of a pack. ``data`` is an object of a list section, or one value of an object section."""

    section: str
    key: str
    position: int
    data: Any
    origin: str


def items_of(definition: dict[str, Any]) -> Iterator[Item]:
    """Every part of a pack, in the order of import. A value of null says nothing and is no part."""
    for section in SECTIONS:
        content = definition[section.key]
        if isinstance(content, dict):
            for position, (name, value) in enumerate(content.items()):
                if value is not None and not name.endswith("_origin"):
                    yield Item(section.key, name, position, value, str(content.get(f"{name}_origin") or ""))
        else:
            for position, entry in enumerate(content):
                yield Item(section.key, entry["key"], position, entry, str(entry.get("origin") or ""))
