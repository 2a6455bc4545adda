"""Which sub-domains a workspace may have."""

from __future__ import annotations

import re

# The operators' own workspace.
PLATFORM = "platform"
RESERVED = frozenset(
    """
    public platform www api app admin mail smtp imap pop ftp static assets cdn media files status docs help support
    login signup sign-up signin auth sso portal console root webmail mx ns1 ns2 dns blog news dev test staging
    sandbox internal localhost local billing payments account accounts security abuse postmaster hostmaster
    webmaster noreply no-reply healthz readyz autoconfig autodiscover wpad isatap
    """.split()
)
SHAPE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def problem_with(slug: str) -> str:
    """Why ``slug`` cannot be a workspace's sub-domain; empty when its shape is right and it is not reserved."""
    if not 3 <= len(slug) <= 40:
        return "Use 3 to 40 characters."
    if not SHAPE.fullmatch(slug):
        return "Use small letters, digits and single hyphens, beginning with a letter."
    if slug in RESERVED:
        return "This name is reserved."
    return ""


def slug_from(name: str) -> str:
    """A proposal made from a company's name: ``Acme GmbH & Co`` becomes ``acme-gmbh-co``; may be empty."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:40].strip("-").lstrip("0123456789-")
