"""A view of the accounts list as an address: filters, sort and columns, in one canonical order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict

from accounts.own_values import PREFIX
from accounts.queries.own_fields import live_fields
from health.book.accounts.filters import ListFilters
from health.book.accounts.order import DEFAULT_SORT, SORTS
from health.book.accounts.parameters import join, split

# Columns by key in the order in which the chooser offers them; ``health.book.accounts.columns`` writes them. The own
# fields of the workspace come after them, as ``custom.region``.
COLUMNS = (
    "health",
    "trend",
    "band",
    "arr",
    "renewal",
    "owner",
    "seats",
    "touch",
    "why",
    "tier",
    "segment",
    "stage",
    "status",
    "industry",
    "country",
    "since",
    "coverage",
)
DEFAULT_COLUMNS = ("health", "trend", "arr", "renewal", "owner", "seats", "touch", "why")
_MOST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked the list for."""

    filters: ListFilters = field(default_factory=ListFilters)
    sort: str = DEFAULT_SORT
    columns: tuple[str, ...] = DEFAULT_COLUMNS

    @classmethod
    def read(cls, query: QueryDict) -> Asked:
        """What an address asks for; what means nothing is dropped."""
        sort = query.get("sort", "")
        named = [name for text in query.getlist("cols")[:_MOST] for name in split(text)]
        own = _own(name for name in (*named, sort.removeprefix("-")) if name.startswith(PREFIX))
        columns = tuple(dict.fromkeys(name for name in named if name in COLUMNS or name in own))
        if "cols" in query and "none" in named:
            columns = ()
        elif not columns:
            columns = DEFAULT_COLUMNS
        is_known = sort in SORTS or sort.removeprefix("-") in own
        return cls(ListFilters.read(query), sort if is_known else DEFAULT_SORT, columns)

    @classmethod
    def parse(cls, text: str) -> Asked:
        """What a kept query string asks for."""
        return cls.read(QueryDict(text))

    def parameters(self) -> dict[str, str]:
        """As it stands in an address; what goes without saying is left out."""
        found = self.filters.parameters()
        if self.sort != DEFAULT_SORT:
            found["sort"] = self.sort
        if self.columns != DEFAULT_COLUMNS:
            found["cols"] = join(self.columns) or "none"
        return found

    def canonical(self) -> str:
        """The query string; two views that show the same have the same one."""
        return urlencode(self.parameters())

    def url(self, path: str, more: Mapping[str, str] | None = None) -> str:
        """The address of this view, with ``more`` parameters in front."""
        text = urlencode({**(more or {}), **self.parameters()})
        return f"{path}?{text}" if text else path


def _own(names: Iterable[str]) -> set[str]:
    """Those of ``names`` that are fields which are not archived. One look-up, none for no names."""
    wanted = set(names)
    return {field.name for field in live_fields().values() if field.name in wanted} if wanted else set()
