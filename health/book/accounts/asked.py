"""A view of the accounts list as an address: filters, sort and columns, in one canonical order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict

from health.book.accounts.filters import ListFilters, join, split
from health.book.accounts.order import DEFAULT_SORT, SORTS

# Columns by key in the order in which the chooser offers them; ``health.book.accounts.columns`` writes them.
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
        named = [name for text in query.getlist("cols")[: len(COLUMNS)] for name in split(text)]
        columns = tuple(dict.fromkeys(name for name in named if name in COLUMNS))
        if "cols" in query and "none" in named:
            columns = ()
        elif not columns:
            columns = DEFAULT_COLUMNS
        return cls(ListFilters.read(query), sort if sort in SORTS else DEFAULT_SORT, columns)

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
