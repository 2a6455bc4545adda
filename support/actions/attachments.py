"""Files that go with a message."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.core.files.base import ContentFile

from accounts.uploads import Checked
from support.actions.letters import add_files
from support.models import Attachment, Message


def attach(message: Message, files: Sequence[Checked], *, at: datetime) -> list[Attachment]:
    """Keep ``files``, which were checked, with ``message``. Returns the rows. One query each.

    They leave with the answer where it goes by mail.
    """
    kept = []
    for file in files:
        row = Attachment(
            message=message, name=file.name, content_type=file.content_type, size=len(file.content),
            sha256=hashlib.sha256(file.content).hexdigest(), created_at=at,
        )  # fmt: skip
        row.file.save(f"{row.pk}.bin", ContentFile(file.content), save=False)
        row.save(force_insert=True)
        kept.append(row)
    add_files(message, kept)
    return kept
