"""The words of documents."""

from django.db.models import TextChoices


class DocumentKind(TextChoices):
    """What a document is. Who may read a kind is decided by the pages that offer it."""

    BOARD_PACK = "board_pack", "Board pack"


class DocumentState(TextChoices):
    """Where a document is on its way to a file."""

    WAITING = "waiting", "Waiting"
    RENDERING = "rendering", "Being written"
    DONE = "done", "Ready"
    FAILED = "failed", "Stopped by an error"


UNFINISHED = frozenset({DocumentState.WAITING, DocumentState.RENDERING})
