"""Whether somebody vouches for a sender: the verdict of our own relay, and of nobody else (RFC 8601). Pure.

Anybody can write ``Authentication-Results`` into a mail. Only the topmost counts, for a relay puts its own above
everything it received, and only if it bears the name of the relay we trust. No verdict is no: it fails closed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_PAIR = re.compile(r'([\w.-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)')
# A method's result says which domain it holds for, under these names.
_DOMAINS = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom", "smtp.helo"), "dmarc": ("header.from",)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ok``, or why not: a rule's name and a sentence for whoever sorts the mail."""

    ok: bool
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one method found, and the domain it found it for."""

    method: str
    outcome: str
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        for name in _DOMAINS.get(self.method, ()):
            if value := self.properties.get(name, ""):
                return value.rpartition("@")[2].lower().rstrip(".")
        return ""


def judge(headers: Sequence[str], *, relay: str, sender: str) -> Verdict:
    """Whether the relay named ``relay`` says that ``sender`` is who they claim. ``headers`` from the top down."""
    if not relay:
        return Verdict(False, "no_relay", "No trusted mail relay is set, so nobody vouches for the sender.")
    if not headers:
        return Verdict(False, "unverified", f"{relay} says nothing about the sender.")
    server, results = read(headers[0])
    if server != relay.lower():
        return Verdict(False, "other_relay", f"The sender's check is signed by {server[:80]!r} and not by {relay}.")
    domain = sender.rpartition("@")[2].lower()
    verdicts = {result.method: result.outcome for result in results if result.method == "dmarc"}
    if verdicts.get("dmarc", "pass") not in {"pass", "none", "bestguesspass"}:
        return Verdict(False, "forged", f"The sender is forged: DMARC of {domain} says {verdicts['dmarc']}.")
    if any(result.outcome == "pass" and _aligned(result.domain, domain) for result in results):
        return Verdict(True)
    return Verdict(False, "unverified", f"Neither DKIM, SPF nor DMARC vouches for {domain}.")


def read(header: str) -> tuple[str, list[Result]]:
    """(the relay's name in small letters, what each method found). Unreadable parts are left out."""
    first, *rest = _split(_without_comments(header))
    words = first.split()
    return (words[0].strip('"').lower() if words else ""), [result for part in rest if (result := _result(part))]


def _result(part: str) -> Result | None:
    pairs = [(name.lower(), value.strip('"')) for name, value in _PAIR.findall(part)]
    if not pairs or pairs[0][0] not in _DOMAINS:
        return None
    (method, outcome), *properties = pairs
    return Result(method, outcome.lower(), dict(properties))


def _aligned(domain: str, sender: str) -> bool:
    """The same domain, or one above it that is not a bare ending such as ``com``."""
    return bool(domain) and "." in domain and (sender == domain or sender.endswith("." + domain))


def _without_comments(text: str) -> str:
    kept, depth, quoted, skip = [], 0, False, False
    for sign in text:
        if skip:
            skip = False
        elif sign == "\\":
            skip = True
        elif sign == '"' and not depth:
            quoted = not quoted
        elif sign == "(" and not quoted:
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
            continue
        if not depth:
            kept.append(sign)
    return "".join(kept)


def _split(text: str) -> list[str]:
    parts, current, quoted = [], [], False
    for sign in text:
        quoted ^= sign == '"'
        if sign == ";" and not quoted:
            parts.append("".join(current))
            current = []
        else:
            current.append(sign)
    return [*parts, "".join(current)]
