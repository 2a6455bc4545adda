"""The scorecard editor: the whole definition as one form that works without JavaScript.

A row is added, removed, moved or given another kind by a submit button: the form comes back with it, and with
everything that was typed. Nothing is kept before "Keep as a draft".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from health.choices import RISK, Rag
from health.editing import REST, SCORING
from health.pages.editor_controls import carried, control, wrong
from health.pages.refusals import in_form_words
from health.scoring import DEFAULT_MAX_AGE_DAYS, POINTS_SUM
from health.validation import COMBINES, Problem

KINDS = {
    "levels": "Levels, each with its tests",
    "choice": "Points by option",
    "linear": "Share of a full figure",
    "affine": "Moved and stretched scale",
    "direct": "The figure itself, 0 to 100",
    "penalty": "Points off above a free amount",
}
COMBINE = {
    "sum_points": "Sum of points",
    "weighted_mean": "Mean by weight",
    "mean": "Plain mean",
    "direct": "The measure itself",
    "start_minus_penalties": "Start figure minus penalties",
}
LABELS = {
    "name": "Name",
    "min_coverage_pct": "Score from % measured",
    "stale_policy": "Stale figures",
    "max_age_days": "Stale after days",
    "weight": "Weight",
    "combine": "Measures are combined as",
    "cap": "At most",
    "start": "Start figure",
    "floor": "At least",
    "unit": "Unit",
    "points": "Points",
    "kind": "Scored by",
    "input": "Reads the figure",
    "full_at": "Full at",
    "offset": "Add",
    "factor": "Then times",
    "free": "Free up to",
    "per_unit": "Off for each unit",
    "unit_size": "Size of a unit",
    "max": "At most",
    "level": "Level",
    "metric": "Figure",
    "op": "Is",
    "value": "Limit",
    "rag": "Colour",
    "min": "From score",
    "label": "Label",
    "key": "Option",
}
HINTS = {
    "min_coverage_pct": "Below it there is no score but “insufficient data”. Empty: 50.",
    "max_age_days": f"Empty: {DEFAULT_MAX_AGE_DAYS}.",
    "stale_policy": "Missing ones always leave the mean; they are never taken as zero.",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One control. ``name`` is the pointer; ``choices`` makes it a select; ``many`` asks for a list of metrics."""

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    hint: str = ""
    suggests: bool = False
    focused: bool = False

    @property
    def id(self) -> str:
        return "f" + self.name.replace("/", "-")


@dataclass(slots=True)
class Node:
    """A row of the editor: its fields, what travels along unseen, problems of the row as a whole, rows inside."""

    pointer: str
    fields: list[Input]
    hidden: list[tuple[str, str]]
    title: str = ""
    errors: list[str] = field(default_factory=list)
    rows: list[Node] = field(default_factory=list)
    options: list[Node] = field(default_factory=list)
    kind: str = ""
    note: str = ""

    @property
    def id(self) -> str:
        return "f" + self.pointer.replace("/", "-")

    @property
    def controls(self) -> SafeString:
        """Its fields and what travels along, as they are written."""
        written = [*map(control, self.fields), *(carried(name, value) for name, value in self.hidden)]
        return SafeString("".join(written))

    @property
    def wrong(self) -> SafeString:
        """What is wrong with the row as a whole, as it is written."""
        return SafeString(wrong("p", self.id, self.errors))

    @property
    def has_errors(self) -> bool:
        inside = any(node.has_errors for node in (*self.rows, *self.options))
        return bool(self.errors) or inside or any(item.errors or item.focused for item in self.fields)


@dataclass(frozen=True, slots=True)
class Summary:
    """One problem for the list on top: the id to go to, where it is in words, and what is wrong."""

    target: str
    place: str
    detail: str


class Editor:
    """The form of one definition, with problems at their places."""

    def __init__(self, fields: Mapping[str, str], problems: list[Problem], *, method: str, focus: str = "") -> None:
        self.values, self.method, self.focus = fields, method, focus
        self.by_place: dict[str, list[str]] = {}
        self.problems: list[tuple[str, str]] = []
        for problem in problems:
            place = self._home(problem.pointer)
            detail = in_form_words(problem, COMBINE | LABELS)
            self.by_place.setdefault(place, []).append(detail)
            self.problems.append((place, detail))
        self.card = self._node(
            "", ("name", "min_coverage_pct", "stale_policy", "max_age_days"), hidden=("key", "method")
        )
        self.dimensions = [self._dimension(at) for at in self._rows("/dimensions")]
        self.bands = [self._band(at) for at in self._rows("/bands")]
        self.dimension_errors = self.by_place.get("/dimensions", [])
        self.band_errors = self.by_place.get("/bands", [])

    @property
    def summary(self) -> list[Summary]:
        return [
            Summary("f" + place.replace("/", "-") if place else "editor", self._words(place), detail)
            for place, detail in self.problems
        ]

    @property
    def total(self) -> str:
        """The sum of the dimensions' weights as typed, in per cent; empty where one is no number."""
        try:
            total = sum(float(self.values.get(f"{node.pointer}/weight", "") or 0) for node in self.dimensions)
        except ValueError:
            return ""
        return f"{total:g}"

    def _home(self, pointer: str) -> str:
        """The field or row at which a problem is shown: itself, its points, or the nearest thing around it."""
        found = self._options_place(pointer)
        for candidate in (found, f"{found}/points", f"{found}/value"):
            if candidate in self.values:
                return candidate
        while found:
            if any(name.startswith(found + "/") for name in self.values) or found in {"/dimensions", "/bands"}:
                return found
            found = found.rpartition("/")[0]
        return ""

    def _options_place(self, pointer: str) -> str:
        """The validation names an option by its key; the form by its place."""
        at, _, key = pointer.rpartition("/options/")
        if not at:
            return pointer
        spots = [name for name in self.values if name.startswith(f"{at}/options/") and name.endswith("/key")]
        return next((name.removesuffix("/key") for name in spots if self.values[name] == key), pointer)

    def _words(self, place: str) -> str:
        words, parts = [], place.split("/")[1:]
        for end in range(1, len(parts) + 1):
            at, last = "/" + "/".join(parts[:end]), parts[end - 1]
            if last.isdigit():
                shown = self.values.get(f"{at}/name") or self.values.get(f"{at}/level") or self.values.get(f"{at}/key")
                words.append(shown or f"{parts[end - 2].rstrip('s')} {int(last) + 1}")
            elif end == len(parts):
                words.append(LABELS.get(last, last.replace("_", " ")))
        return ", ".join(words) or "The scorecard"

    def _rows(self, at: str) -> list[str]:
        """The pointers of the rows below ``at``, in their order."""
        depth = at.count("/") + 1
        found = {name.split("/")[depth] for name in self.values if name.startswith(at + "/")}
        return [f"{at}/{place}" for place in sorted((one for one in found if one.isdigit()), key=int)]

    def _node(self, at: str, names: tuple[str, ...], *, hidden: tuple[str, ...] = ()) -> Node:
        kept = [(f"{at}/{name}", self.values.get(f"{at}/{name}", "")) for name in (*hidden, REST)]
        node = Node(at, [self._input(at, name) for name in names], [pair for pair in kept if pair[1]])
        node.errors = list(self.by_place.get(at, ())) if at else []
        for name in hidden:
            node.errors += self.by_place.get(f"{at}/{name}", ())
        node.title = self.values.get(f"{at}/name", "")
        return node

    def _input(self, at: str, name: str, **more: Any) -> Input:
        pointer = f"{at}/{name}"
        label = LABELS.get(name, name)
        if name == "weight" and at.count("/") == 2:
            label = "Weight, %" if self.method != POINTS_SUM else "Points of 100"
        return Input(
            pointer,
            label,
            self.values.get(pointer, ""),
            choices=_CHOICES.get(name, ()) if name != "key" else (),
            errors=tuple(self.by_place.get(pointer, ())),
            hint=HINTS.get(name, "") if at == "" else "",
            suggests=name in {"metric", "input"},
            focused=pointer == self.focus,
        )

    def _dimension(self, at: str) -> Node:
        extra = {"weighted_mean": ("cap",), "mean": ("cap",), "start_minus_penalties": ("start", "floor")}
        combine = self.values.get(f"{at}/combine", "")
        names = ("name", "weight", "combine", *extra.get(combine, ()))
        node = self._node(at, names, hidden=("key",))
        node.rows = [self._measure(spot, combine) for spot in self._rows(f"{at}/measures")]
        node.errors += self.by_place.get(f"{at}/measures", ())
        node.note = self.values.get(f"{at}/weight", "")
        return node

    def _measure(self, at: str, combine: str) -> Node:
        worth = {"sum_points": ("points",), "weighted_mean": ("weight",), "direct": ("weight",)}.get(combine, ())
        node = self._node(at, ("name", *worth, "unit", "max_age_days"), hidden=("key",))
        scoring = f"{at}/scoring"
        node.kind = self.values.get(f"{scoring}/kind", "linear")
        node.fields.append(self._input(scoring, "kind"))
        node.fields += [self._input(scoring, name) for name in SCORING.get(node.kind, ())]
        rest = self.values.get(f"{scoring}/{REST}", "")
        node.hidden += [(f"{scoring}/{REST}", rest)] if rest else []
        node.errors += [*self.by_place.get(scoring, ()), *self.by_place.get(f"{scoring}/levels", ())]
        node.errors += self.by_place.get(f"{scoring}/options", ())
        if node.kind == "levels":
            node.rows = [self._level(spot) for spot in self._rows(f"{scoring}/levels")]
        if node.kind == "choice":
            node.options = [self._node(spot, ("key", "points")) for spot in self._rows(f"{scoring}/options")]
        return node

    def _level(self, at: str) -> Node:
        node = self._node(at, ("level", "points"))
        node.title = self.values.get(f"{at}/level", "")
        node.rows = [self._node(spot, ("metric", "op", "value")) for spot in self._rows(f"{at}/when")]
        node.errors += self.by_place.get(f"{at}/when", ())
        return node

    def _band(self, at: str) -> Node:
        return self._node(at, ("name", "rag", "min", "label"), hidden=("key",))


_CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "stale_policy": (("", "Count, and are marked"), ("missing", "Are left out like missing ones")),
    "combine": tuple((key, COMBINE.get(key, key)) for key in sorted(COMBINES)),
    "kind": tuple(KINDS.items()),
    "op": (
        ("<", "under"),
        ("<=", "at most"),
        (">", "over"),
        (">=", "at least"),
        ("==", "exactly"),
        ("between", "from … to"),
    ),
    "rag": tuple((rag.value, f"{rag.label}: {RISK[rag].lower()} risk") for rag in RISK if rag != Rag.NONE),
}
