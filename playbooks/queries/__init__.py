"""Reads of CTAs, tasks and playbooks; each says how many queries it takes."""

from playbooks.queries.day import day_ctas, day_tasks
from playbooks.queries.listing import (
    DEFAULT_SORT,
    DUES,
    EXPORT_LIMIT,
    PAGE_SIZE,
    SORTS,
    STATUSES,
    CtaFilters,
    Listing,
    all_rows,
    assignees,
    cta_list,
    cta_record,
    ctas_of_account,
    open_count,
    playbook_list,
    status_counts,
)

__all__ = [
    "DEFAULT_SORT",
    "DUES",
    "EXPORT_LIMIT",
    "PAGE_SIZE",
    "SORTS",
    "STATUSES",
    "CtaFilters",
    "Listing",
    "all_rows",
    "assignees",
    "cta_list",
    "cta_record",
    "ctas_of_account",
    "day_ctas",
    "day_tasks",
    "open_count",
    "playbook_list",
    "status_counts",
]
