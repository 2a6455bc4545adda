"""Ways to reach support and issue guides: as packs bring them, with the workspace's own addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import StaleVersion
from accounts.models import Tier, WorkCalendar
from support.actions.log import one_line
from support.actions.policies import key_of
from support.models import IssueGuide, SupportChannel

if TYPE_CHECKING:
    from accounts.models import User

Definition = Mapping[str, Any]


@transaction.atomic
def install_channels(definitions: Sequence[Definition], *, pack: str, at: datetime) -> None:
    """Bring the pack's channels up to ``definitions``; addresses of the workspace's own stay."""
    for position, definition in enumerate(definitions):
        calendar = definition.get("calendar")
        hours = {key_of(Tier, tier, pack): key_of(WorkCalendar, key, pack)
                 for tier, key in definition.get("tier_calendar", {}).items()}  # fmt: skip
        fields = {
            "name": definition["name"],
            "use": (definition.get("use") or "")[:200],
            "address": definition.get("address") or "",
            "calendar": WorkCalendar.objects.filter(key=key_of(WorkCalendar, calendar, pack)).first()
            if calendar
            else None,
            "tier_calendars": hours,
            "tier_keys": [key_of(Tier, tier, pack) for tier in definition.get("tiers", ())],
            "position": position,
            "retired_at": None,
        }
        SupportChannel.objects.update_or_create(pack=pack, key=definition["key"], defaults=fields)
    kept = [definition["key"] for definition in definitions]
    SupportChannel.objects.filter(pack=pack, retired_at=None).exclude(key__in=kept).update(retired_at=at)


@transaction.atomic
def install_guides(definitions: Sequence[Definition], *, pack: str) -> None:
    """Bring the pack's issue guides up to ``definitions``."""
    for position, definition in enumerate(definitions):
        problem = definition.get("problem")
        fields = {
            "name": definition["issue"],
            "causes": list(definition.get("causes", [problem] if problem else [])),
            "fixes": list(definition.get("mitigation", ())),
            "prevention": definition.get("prevention") or "",
            "position": position,
        }
        IssueGuide.objects.update_or_create(pack=pack, key=definition["key"], defaults=fields)
    IssueGuide.objects.filter(pack=pack).exclude(key__in=[each["key"] for each in definitions]).delete()


@transaction.atomic
def set_channel(
    channel: SupportChannel, *, own_address: str, is_offered: bool, actor: User, at: datetime,
    expected_version: int | None = None,
) -> SupportChannel:  # fmt: skip
    """Where customers reach it, and whether it is offered to them. Raises RuleViolated, StaleVersion."""
    row = SupportChannel.objects.select_for_update(of=("self",)).get(pk=channel.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    address = one_line(own_address, "own_address", 200, required=False)
    after = {"own_address": address, "is_offered": is_offered}
    before = {name: getattr(row, name) for name in after}
    if before == after:
        return row
    row.own_address, row.is_offered, row.version = address, is_offered, row.version + 1
    row.save(update_fields=["own_address", "is_offered", "version"])
    record("support_channel.update", row, actor=actor, at=at, before=before, after=after)
    return row
