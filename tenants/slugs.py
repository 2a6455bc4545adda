"""Which sub-domains a workspace may have."""

from __future__ import annotations

import re

RESERVED = frozenset(
    """
    public platform www api app admin mail smtp imap ftp static assets cdn media status docs help support login
    signup sign-up auth sso portal console root ns1 ns2 blog dev test staging demo internal localhost
    """.split()
)
SHAPE = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")


def problem_with(slug: str) -> str:
    """Why ``slug`` cannot be a workspace's sub-domain; empty when it can."""
    if not 3 <= len(slug) <= 40:
        return "Use 3 to 40 characters."
    if not SHAPE.match(slug):
        return "Use small letters, digits and single hyphens, beginning with a letter."
    if slug in RESERVED:
        return "This name is reserved."
    return ""
