"""Reads of the methodology pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from accounts.choices import AccountStatus
from accounts.models import Account
from packs import files
from packs.fields import EDITABLE, Field, value_at, with_edits
from packs.live import edits_of
from packs.models import PackInstall, PackItem
from packs.origins import is_ours
from packs.returns import Case, case_of
from packs.scaling import phase_of
from packs.sections import BY_KEY, GROUPS, SECTIONS, Section
from packs.service_models import Model, compared


@dataclass(frozen=True, slots=True)
class SectionCount:
    """A section with how many items it holds; ``silent`` when the methodology says nothing about it."""

    section: Section
    items: int
    silent: bool


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item with the tenant's values in it. ``edited`` are the labels of fields the tenant set."""

    item: PackItem
    data: Any
    edited: list[str]
    ours: bool
    editable: bool


@dataclass(frozen=True, slots=True)
class EditableField:
    """One field of an item for its form: value now, the pack's own, and whether the tenant set it."""

    field: Field
    value: Any
    pack_value: Any
    edited: bool


def installed() -> list[PackInstall]:
    """Installed packs, first installed first, with ``item_count`` and ``edit_count``. One query."""
    live = Count("items", filter=Q(items__retired_at=None), distinct=True)
    return list(PackInstall.objects.annotate(item_count=live, edit_count=Count("items__edits", distinct=True)))


def channel_guides() -> list[dict[str, Any]]:
    """Support channels as the installed packs describe them, the tenant's values in them. Two queries."""
    items = list(
        PackItem.objects.filter(section="channels", retired_at=None).order_by("install__installed_at", "position")
    )
    edits = edits_of(items)
    return [with_edits(item.data, edits[item.pk]) for item in items]


def available(packs: list[PackInstall]) -> list[dict[str, Any]]:
    """Packs that come with the product, each with the installed version if there is one. No query."""
    versions = {pack.key: pack.version for pack in packs}
    return [{**files.load(key)["pack"], "installed": versions.get(key, "")} for key in files.PACK_KEYS]


def sections_of(install: PackInstall) -> list[tuple[str, list[SectionCount]]]:
    """Every section by group, silent ones included. One query."""
    rows = install.items.filter(retired_at=None).order_by().values_list("section").annotate(Count("pk"))
    counts = dict(rows)
    silent = set(install.silent_on)
    return [
        (
            group,
            [
                SectionCount(section, counts.get(section.key, 0), section.key in silent)
                for section in sorted(SECTIONS, key=lambda section: section.name)
                if section.group == group
            ],
        )
        for group in GROUPS
    ]


def items_shown(install: PackInstall, section: str, search: str = "") -> list[ShownItem]:
    """The items of a section in their order, the tenant's values in them. Two queries.

    ``search`` keeps those that say it anywhere, upper and lower case alike.
    """
    items = list(install.items.filter(section=section, retired_at=None).order_by("position"))
    edits = edits_of(items)
    labels = {field.path: field.label for field in EDITABLE.get(section, ())}
    shown = [
        ShownItem(
            item,
            with_edits(item.data, edits[item.pk]),
            [labels.get(path, path) for path in edits[item.pk]],
            is_ours(item.origin),
            bool(labels) and isinstance(item.data, dict),
        )
        for item in items
    ]
    return [each for each in shown if search.casefold() in _text(each.data).casefold()] if search else shown


def service_models(install: PackInstall) -> list[Model]:
    """The ways this methodology serves its tiers, side by side, the tenant's values in them. Four queries."""
    tiers, policies = (items_shown(install, section) for section in ("tiers", "sla_policies"))
    return compared([each.data for each in tiers], [each.data for each in policies])


def growth_phase(install: PackInstall) -> tuple[int, Any] | None:
    """(live customers, the phase of growth they stand for), where the methodology knows phases. Two queries."""
    item = install.items.filter(section="organisation", key="scaling_phases", retired_at=None).first()
    if item is None:
        return None
    customers = Account.objects.live().filter(status=AccountStatus.ACTIVE).count()
    return customers, phase_of(item.data, customers)


def investment_case(install: PackInstall, left_out: str = "") -> Case | None:
    """What the methodology costs and returns by its own figures and the tenant's; None where it has none. Two queries.

    ``left_out`` names a group of returns not to count.
    """
    items = list(install.items.filter(section="roi", retired_at=None))
    edits = edits_of(items)
    return case_of({item.key: with_edits(item.data, edits[item.pk]) for item in items}, left_out=left_out)


def _text(data: Any) -> str:
    """Every word of an item, names of its fields left out."""
    if isinstance(data, dict):
        return " ".join(_text(value) for value in data.values())
    return " ".join(map(_text, data)) if isinstance(data, list) else str(data)


def fields_of(item: PackItem) -> list[EditableField]:
    """The fields of ``item`` that a tenant may set. One query."""
    edits = edits_of([item])[item.pk]
    data = with_edits(item.data, edits)
    return [
        EditableField(field, value_at(data, field.path), value_at(item.data, field.path), field.path in edits)
        for field in EDITABLE.get(item.section, ())
    ]


def section_or_none(key: str) -> Section | None:
    """The section of that key."""
    return BY_KEY.get(key)
