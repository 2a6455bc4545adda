"""Mail that a machine wrote: it opens no ticket and gets no answer, or two machines talk for ever. Pure."""

from __future__ import annotations

from support.mail.parse import Mail

BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
# Each of these headers alone says that nobody sat there and wrote.
MARKS = {
    "list-id": "A mailing list sent it (List-Id).",
    "list-unsubscribe": "A mailing sent it (List-Unsubscribe).",
    "x-auto-response-suppress": "It asks for no automatic answer (X-Auto-Response-Suppress).",
    "x-autoreply": "It is an automatic answer (X-Autoreply).",
    "x-autorespond": "It is an automatic answer (X-Autorespond).",
    "x-loop": "It says that it went round already (X-Loop).",
}
DAEMONS = ("mailer-daemon@", "postmaster@", "no-reply@", "noreply@")


def automatic(mail: Mail) -> str:
    """Why ``mail`` was written by a machine; empty where nothing says so."""
    submitted = mail.header("auto-submitted").split(";")[0].strip().lower()
    if submitted not in {"", "no"}:
        return f"It is automatic (Auto-Submitted: {submitted[:40]})."
    precedence = mail.header("precedence").strip().lower()
    if precedence in BULK:
        return f"It is automatic (Precedence: {precedence})."
    if mail.header("return-path").strip() == "<>":
        return "It has no sender to answer (an empty Return-Path)."
    if mail.sender.startswith(DAEMONS):
        return f"{mail.sender} is a machine."
    return next((reason for name, reason in MARKS.items() if name in mail.headers), "")
