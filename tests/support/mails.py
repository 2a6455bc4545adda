"""Mail as bytes, and a desk that trusts one relay."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from accounts.models import Contact
from support import actions
from support.models import IncomingMail, SupportSettings
from tests.factories import AT, AccountFactory

RELAY = "mx.acme.example"
CUSTOMER = "dana@dovetail.example"
PASSED = f"{RELAY}; dmarc=pass (p=reject) header.from=dovetail.example"


def trusting(**fields: Any) -> SupportSettings:
    """The workspace's settings with a trusted relay."""
    actions.settings_row()
    SupportSettings.objects.update(**{"trusted_relay": RELAY, "acknowledge_mail": False} | fields)
    return SupportSettings.objects.get()


def known(address: str = CUSTOMER, name: str = "Dana", account: Any = None) -> Contact:
    """A contact of an account."""
    return Contact.objects.create(account=account or AccountFactory(), name=name, email=address)


def written(
    body: str = "The map does not load.",
    *,
    subject: str = "Map broken",
    sender: str = f"Dana <{CUSTOMER}>",
    to: str = "support@acme.localhost",
    html: str = "",
    passed: str | None = PASSED,
    headers: dict[str, str] | None = None,
    files: list[tuple[str, str, bytes]] | None = None,
    number: int = 1,
) -> bytes:
    """A customer's mail as the relay hands it over."""
    mail = EmailMessage()
    if passed is not None:
        mail["Authentication-Results"] = passed
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<mail-{number}@dovetail.example>"
    for name, value in (headers or {}).items():
        del mail[name]
        mail[name] = value
    if body:
        mail.set_content(body)
    if html:
        (mail.add_alternative if body else mail.set_content)(html, subtype="html")
    for name, kind, content in files or []:
        main, sub = kind.split("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def arrive(raw: bytes, *, recipient: str = "support@acme.localhost", at: Any = AT) -> IncomingMail:
    """Store and work a mail."""
    row = actions.receive(raw, source="file", recipient=recipient, at=at)
    actions.work_mail(row.pk, at=at)
    row.refresh_from_db()
    return row
