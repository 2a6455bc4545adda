"""Playbooks from packs, and which triggers start them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from playbooks.choices import DayUnit
from playbooks.models import Playbook, PlaybookTask

if TYPE_CHECKING:
    from accounts.models import User

# Packs give steps in order but no days: the first step is due in two business days, each later one a week on.
FIRST_STEP_DAYS = 2
STEP_DAYS = 5


def install_playbook(definition: dict[str, Any], *, pack: str, version: str, at: datetime) -> Playbook:
    """Bring one playbook of ``pack`` to ``version``; open CTAs keep the tasks they have."""
    return install_playbooks([definition], pack=pack, version=version, at=at, complete=False)[definition["key"]]


@transaction.atomic
def install_playbooks(
    definitions: Sequence[dict[str, Any]], *, pack: str, version: str, at: datetime, complete: bool = True
) -> dict[str, Playbook]:
    """Bring a pack's playbooks to ``version``, by their key in the pack. Five statements for any number.

    A key another pack already uses becomes ``<pack>-<key>``. The same definition again changes nothing. When
    ``complete``, a playbook that left the pack is retired at ``at``, not deleted.
    """
    present = {playbook.pack_key: playbook for playbook in Playbook.objects.filter(pack=pack)}
    taken = set(Playbook.objects.exclude(pack=pack).values_list("key", flat=True))
    wanted = {definition["key"]: definition for definition in definitions}
    changed = []
    for key, definition in wanted.items():
        playbook = present.get(key)
        if playbook is None:
            playbook = Playbook(key=f"{pack}-{key}" if key in taken else key, pack=pack, pack_key=key)
        elif playbook.data == definition and playbook.retired_at is None:
            continue
        playbook.name = definition["name"]
        playbook.objective = (definition.get("objective") or "")[:300]
        playbook.entry = (definition.get("entry") or "")[:200]
        playbook.version, playbook.data, playbook.retired_at = version, definition, None
        present[key] = playbook
        changed.append(playbook)
    _write(changed)
    gone = [playbook.pk for key, playbook in present.items() if complete and key not in wanted]
    if gone:
        Playbook.objects.filter(pk__in=gone, retired_at=None).update(retired_at=at)
    return {key: present[key] for key in wanted}


def _write(playbooks: list[Playbook]) -> None:
    if not playbooks:
        return
    Playbook.objects.bulk_create(
        playbooks,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name", "objective", "entry", "version", "data", "retired_at"],
    )
    PlaybookTask.objects.filter(playbook__in=playbooks).delete()
    PlaybookTask.objects.bulk_create([task for playbook in playbooks for task in _steps(playbook)])


def _steps(playbook: Playbook) -> list[PlaybookTask]:
    """The pack's steps as tasks in one row of positions."""
    listed = [
        (number, step["name"], title) for number, step in enumerate(playbook.data["steps"]) for title in step["tasks"]
    ]
    return [
        PlaybookTask(
            playbook=playbook,
            position=position,
            step=name[:120],
            title=(title[:1].upper() + title[1:])[:200],
            offset_days=FIRST_STEP_DAYS + number * STEP_DAYS,
            unit=DayUnit.BUSINESS,
        )
        for position, (number, name, title) in enumerate(listed)
    ]


@transaction.atomic
def set_trigger_keys(playbook: Playbook, trigger_keys: Sequence[str], *, actor: User, at: datetime) -> Playbook:
    """Have ``playbook`` start whenever one of these triggers opens a CTA. It as it is then."""
    playbook = Playbook.objects.select_for_update().get(pk=playbook.pk)
    wanted = sorted(dict.fromkeys(key.strip() for key in trigger_keys if key.strip()))
    if wanted == playbook.trigger_keys:
        return playbook
    before, playbook.trigger_keys = playbook.trigger_keys, wanted
    playbook.save(update_fields=["trigger_keys"])
    record("playbook.triggers", playbook, actor=actor, at=at, before={"triggers": before}, after={"triggers": wanted})
    return playbook
