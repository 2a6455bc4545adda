"""What a version would do to the accounts as a whole, for its preview and for the editor while it is written."""

from __future__ import annotations

from typing import Any

from health.choices import Rag
from health.queries.preview import Preview
from ui.charts import share_bar
from ui.tokens import tone_of


def what_if(preview: Preview) -> dict[str, Any]:
    """What the pages say of a preview as a whole: distribution before and after, and who crosses a band."""
    crossing = preview.crossing
    return {
        "scored": len(preview.changes),
        "unchanged": preview.unchanged,
        "influences": preview.influences,
        "bars": [("Now", _bar("Now", preview.before)), ("With this version", _bar("With it", preview.after))],
        "colours": _colours(preview),
        "worse": sum(1 for change in crossing if change.direction == "worse"),
        "better": sum(1 for change in crossing if change.direction == "better"),
        "crossing": len(crossing),
    }


def _colours(preview: Preview) -> list[tuple[str, str, int, int, int]]:
    """(name, tone, accounts before, after, difference) of each colour that occurs."""
    before, after = preview.before, preview.after
    return [
        (
            Rag(key).label,
            "nodata" if key == Rag.NONE else tone_of(key),
            before[key],
            after[key],
            after[key] - before[key],
        )
        for key in before
        if before[key] or after[key]
    ]


def _bar(title: str, counts: dict[str, int]) -> Any:
    parts = [
        ("nodata" if key == Rag.NONE else tone_of(key), Rag(key).label, float(count)) for key, count in counts.items()
    ]
    words = ", ".join(f"{label} {int(count)}" for _, label, count in parts if count)
    return share_bar(f"{title}: accounts by colour", words or "No accounts", parts)
