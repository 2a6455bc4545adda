"""Own fields of every kind, for the tests of where they are shown and edited."""

from __future__ import annotations

from accounts.actions import define_field
from accounts.own_values import FieldDefinition
from accounts.queries.own_fields import live_fields
from tests.factories import AT

FIELDS = {
    "region": ("Region", "choice", ["North", "South, far", "West"]),
    "seats": ("Seats", "number", []),
    "go_live": ("Go-live", "date", []),
    "pilot": ("Pilot", "yes_no", []),
    "note": ("Note", "text", []),
    "site": ("Site", "link", []),
}


def define_fields() -> dict[str, FieldDefinition]:
    for key, (label, kind, options) in FIELDS.items():
        define_field(label=label, kind=kind, key=key, options=options, actor=None, at=AT)
    return live_fields()


def htmx(path):
    return {"HX-Request": "true", "HX-Current-URL": f"http://acme.localhost{path}"}
