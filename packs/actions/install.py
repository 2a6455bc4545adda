"""The installer: validate, store every item, bring the live sections up to them. Idempotent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from packs import files, live
from packs.models import PackInstall, PackItem
from packs.sections import SECTIONS, Item, items_of

if TYPE_CHECKING:
    from accounts.models import User
    from tenants.models import Tenant


@dataclass(slots=True)
class SectionReport:
    """Item keys of one section, by what the installation does to them."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    unchanged: int = 0


@dataclass(slots=True)
class InstallReport:
    """What an installation did, or would do (``dry_run``), by section in the order of import."""

    pack: str
    version: str
    from_version: str = ""
    sections: dict[str, SectionReport] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How many items were created, updated or retired."""
        return sum(len(s.created) + len(s.updated) + len(s.retired) for s in self.sections.values())


def install_for_tenant(tenant: Tenant, *, at: datetime, **_owner: Any) -> None:
    """Install the tenant's chosen pack; a step of TENANT_SETUP, run inside the new schema."""
    if tenant.pack:
        install_pack(tenant.pack, actor=None, at=at)


def install_pack(key: str, *, actor: User | None, at: datetime, dry_run: bool = False) -> InstallReport:
    """Install or upgrade a pack that comes with the product. Raises UnknownPack, InvalidPack."""
    digest = files.check_shipped(key)
    return _install(files.load(key), digest, actor=actor, at=at, dry_run=dry_run)


def install_definition(
    definition: dict[str, Any], *, actor: User | None, at: datetime, dry_run: bool = False
) -> InstallReport:
    """Install or upgrade any definition that fits the schema. Raises InvalidPack naming every mistake."""
    files.check(definition)
    return _install(definition, files.digest(definition), actor=actor, at=at, dry_run=dry_run)


@transaction.atomic
def _install(
    definition: dict[str, Any], digest: str, *, actor: User | None, at: datetime, dry_run: bool
) -> InstallReport:
    """Store and apply. The same content again changes nothing; a tenant's edits outlive an upgrade."""
    identity = definition["pack"]
    install = PackInstall.objects.select_for_update().filter(key=identity["key"]).first()
    report = InstallReport(identity["key"], identity["version"], install.version if install else "")
    items = list(items_of(definition))
    present = {(item.section, item.key): item for item in install.items.all()} if install else {}
    _compare(items, present, report)
    if dry_run or (install and install.digest == digest and not report.changes):
        return report
    install = _store_install(install, definition, digest, at)
    _store_items(install, items, present, at)
    live.apply(install, [section.key for section in SECTIONS], actor=actor, at=at)
    summary = {"version": install.version, "changes": report.changes}
    record("pack.install", install, actor=actor, at=at, before={"version": report.from_version}, after=summary)
    return report


def _compare(items: list[Item], present: dict[tuple[str, str], PackItem], report: InstallReport) -> None:
    for section in SECTIONS:
        report.sections[section.key] = SectionReport()
    for item in items:
        known, changes = present.get((item.section, item.key)), report.sections[item.section]
        if known is None:
            changes.created.append(item.key)
        elif _differs(known, item):
            changes.updated.append(item.key)
        else:
            changes.unchanged += 1
    wanted = {(item.section, item.key) for item in items}
    for (section_key, key), known in present.items():
        if (section_key, key) not in wanted and known.retired_at is None:
            report.sections.setdefault(section_key, SectionReport()).retired.append(key)


def _differs(known: PackItem, item: Item) -> bool:
    stored = (known.data, known.position, known.origin, known.retired_at)
    return stored != (item.data, item.position, item.origin, None)


def _store_install(install: PackInstall | None, definition: dict[str, Any], digest: str, at: datetime) -> PackInstall:
    identity = definition["pack"]
    install = install or PackInstall(key=identity["key"], installed_at=at)
    install.name, install.version, install.digest = identity["name"], identity["version"], digest
    install.silent_on, install.identity, install.updated_at = definition["silent_on"], identity, at
    install.save()
    return install


def _store_items(
    install: PackInstall, items: list[Item], present: dict[tuple[str, str], PackItem], at: datetime
) -> None:
    """Write what is new or different, in one statement, and retire what is gone in another."""
    changed = []
    for item in items:
        row = present.get((item.section, item.key))
        if row is not None and not _differs(row, item):
            continue
        row = row or PackItem(install=install, section=item.section, key=item.key)
        row.position, row.data, row.origin = item.position, item.data, item.origin
        row.version, row.retired_at = install.version, None
        changed.append(row)
    PackItem.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["position", "data", "origin", "version", "retired_at"],
    )
    wanted = {(item.section, item.key) for item in items}
    gone = [row.pk for key, row in present.items() if key not in wanted]
    if gone:
        PackItem.objects.filter(pk__in=gone, retired_at=None).update(retired_at=at)
