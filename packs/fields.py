"""Which values of a pack a tenant may set itself, and what each may be. No Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One editable value of a section's items: where it stands, its label, and ``number`` or ``text``."""

    path: str
    label: str
    kind: str = "number"
    required: bool = False


EDITABLE: dict[str, tuple[Field, ...]] = {
    "tiers": (
        Field("name", "Name", "text", required=True),
        Field("success_model", "Success model", "text"),
        Field("accounts_per_csm.min", "Accounts per CSM, at least"),
        Field("accounts_per_csm.max", "Accounts per CSM, at most"),
        Field("accounts_per_tam.min", "Accounts per TAM, at least"),
        Field("accounts_per_tam.max", "Accounts per TAM, at most"),
    ),
    "kpis": (
        Field("name", "Name", "text", required=True),
        Field("target", "Target"),
        Field("stretch", "Stretch target"),
        Field("owner_role", "Owner", "text"),
    ),
    "roles": (Field("name", "Name", "text", required=True),),
    "lifecycle_stages": (Field("name", "Name", "text", required=True),),
    "severities": (
        Field("name", "Name", "text", required=True),
        Field("definition", "Definition", "text"),
    ),
    "calendars": (
        Field("name", "Name", "text", required=True),
        Field("start", "Opens", "text", required=True),
        Field("end", "Closes", "text", required=True),
        Field("timezone", "Time zone (tenant: the workspace's)", "text", required=True),
    ),
    "triggers": (Field("name", "Name", "text", required=True),),
    "playbooks": (
        Field("name", "Name", "text", required=True),
        Field("objective", "Objective", "text"),
    ),
}


def field_of(section: str, path: str) -> Field | None:
    """The editable field of ``section`` at ``path``, or None: the pack's value stands."""
    return next((field for field in EDITABLE.get(section, ()) if field.path == path), None)


def value_at(data: Any, path: str) -> Any:
    """The value at a dotted path of an object; None where any step is missing."""
    for name in path.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def with_edits(data: Any, edits: dict[str, Any]) -> Any:
    """``data`` with the tenant's values put in; ``data`` itself is not changed."""
    for path, value in edits.items():
        data = _with(data, path.split("."), value)
    return data


def _with(data: Any, names: list[str], value: Any) -> Any:
    head, rest = names[0], names[1:]
    base = dict(data) if isinstance(data, dict) else {}
    base[head] = _with(base.get(head), rest, value) if rest else value
    return base
