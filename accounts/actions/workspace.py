"""Verbs on the workspace's own settings and look."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import available_timezones

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.errors import RuleViolated
from accounts.fields import Unreadable
from accounts.models import User, Workspace
from accounts.pictures import redraw
from ui.brand import HEX

LOGO_BYTES = 1024 * 1024
LOGO_SIDE = 256


@transaction.atomic
def update_workspace(
    *, actor: User, at: datetime, name: str, timezone: str, currency: str, csm_reads_all_accounts: bool, accent: str
) -> Workspace:
    """Change how the workspace is called, when its days begin and how it looks. Returns it.

    ``timezone`` is an IANA name, ``currency`` an ISO code, ``accent`` ``#RRGGBB`` or empty. Raises RuleViolated
    naming the field. Writers wait for each other; nothing is written, nor audited, where nothing changes.
    """
    _check(name, timezone, currency, accent)
    workspace = Workspace.objects.select_for_update().get()
    fields = {
        "name": name.strip(),
        "timezone": timezone,
        "currency": currency,
        "csm_reads_all_accounts": csm_reads_all_accounts,
        "accent": accent.upper(),
    }
    before = {field: getattr(workspace, field) for field in fields if getattr(workspace, field) != fields[field]}
    if before:
        _write(workspace, {field: fields[field] for field in before}, before, actor=actor, at=at)
    return workspace


@transaction.atomic
def set_logo(raw: bytes, *, actor: User, at: datetime) -> Workspace:
    """Show ``raw``, a PNG, JPEG or WebP, as the company's mark. Returns the workspace.

    The picture is drawn anew (``accounts.pictures``); the one before is deleted once this is committed. Raises
    RuleViolated for what is no such picture.
    """
    try:
        picture = redraw(raw, most_bytes=LOGO_BYTES, largest=LOGO_SIDE)
    except Unreadable as wrong:
        raise RuleViolated(f"workspace.logo_{wrong.rule}", wrong.message, "logo") from wrong
    workspace = Workspace.objects.select_for_update().get()
    old = workspace.logo.name or ""
    workspace.logo.save("logo.png", ContentFile(picture), save=False)
    _write(workspace, {"logo": workspace.logo.name}, {"logo": old}, actor=actor, at=at)
    _forget(workspace, old)
    return workspace


@transaction.atomic
def remove_logo(*, actor: User, at: datetime) -> Workspace:
    """Show the name's first letter again. Returns the workspace."""
    workspace = Workspace.objects.select_for_update().get()
    old = workspace.logo.name or ""
    if old:
        _write(workspace, {"logo": ""}, {"logo": old}, actor=actor, at=at)
        _forget(workspace, old)
    return workspace


def _check(name: str, timezone: str, currency: str, accent: str) -> None:
    if not name.strip():
        raise RuleViolated("workspace.name_empty", _("A workspace needs a name."), "name")
    if timezone not in available_timezones():
        raise RuleViolated("workspace.timezone_unknown", _("Choose a time zone of the list."), "timezone")
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise RuleViolated("workspace.currency_unknown", _("Three letters of ISO 4217, such as EUR."), "currency")
    if accent and not HEX.fullmatch(accent):
        raise RuleViolated("workspace.accent_no_colour", _("A colour is # and six digits, such as #3350C4."), "accent")


def _write(workspace: Workspace, after: dict[str, Any], before: dict[str, Any], *, actor: User, at: datetime) -> None:
    for field, value in after.items():
        setattr(workspace, field, value)
    if after.keys() & {"accent", "logo"}:
        workspace.look += 1
    workspace.save(update_fields=[*after, "look"])
    audit.record("workspace.changed", workspace, actor=actor, at=at, before=before, after=after)


def _forget(workspace: Workspace, name: str) -> None:
    if name:
        transaction.on_commit(partial(workspace.logo.storage.delete, name))
