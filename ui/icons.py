"""The icon sprite: which icons we use, how the sprite is built, and where it is served."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.templatetags.static import static

NAMES = (
    "activity archive arrow-down arrow-left arrow-right arrow-up arrow-up-right award ban bell book-open bookmark "
    "briefcase building-2 calendar calendar-clock chart-column chart-line check chevron-down chevron-left "
    "chevron-right chevron-up chevrons-up-down circle-alert circle-check circle-question-mark clipboard-list clock "
    "code columns-3 copy database download ellipsis external-link eye eye-off file-text fingerprint-pattern flag "
    "git-branch globe grip-vertical heart-pulse history inbox info key-round keyboard layers layout-dashboard link "
    "list-checks list-filter log-in log-out mail mail-open menu message-square minus monitor moon network package "
    "paperclip pause pencil phone play plus power printer receipt refresh-cw rocket rotate-ccw route save scale "
    "search send server settings share-2 shield shield-check sliders-horizontal sparkles star sun table-2 target "
    "ticket timer trash-2 trending-down trending-up triangle-alert undo-2 upload user user-check user-minus "
    "user-plus users wallet webhook x zap"
).split()
# One shape a band, so that state never depends on colour alone.
SHAPES = {
    "best": (
        '<path d="M5 0a5 5 0 1 0 0 10A5 5 0 0 0 5 0zm0 2.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z" '
        'fill="currentColor" stroke="none"/>'
    ),
    "good": '<circle cx="5" cy="5" r="4.25" fill="currentColor" stroke="none"/>',
    "watch": '<path d="M5 .2 9.8 5 5 9.8.2 5z" fill="currentColor" stroke="none"/>',
    "risk": '<path d="M5 .6 9.9 9.4H.1z" fill="currentColor" stroke="none"/>',
    "warn": '<rect x="1" y="1" width="8" height="8" rx="1" fill="currentColor" stroke="none"/>',
    "neutral": '<rect x="0.5" y="3.5" width="9" height="3" rx="1.5" fill="currentColor" stroke="none"/>',
    "nodata": (
        '<circle cx="5" cy="5" r="3.75" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 1.4"/>'
    ),
}


def build_sprite() -> str:
    """The whole ``icons.svg``. Needs the ``lucide`` package (development only); LookupError for a missing icon."""
    spec = find_spec("lucide")
    if spec is None or spec.origin is None:
        message = "the lucide package is not installed: pip install -r requirements/dev.txt"
        raise LookupError(message)
    symbols = []
    with zipfile.ZipFile(Path(spec.origin).parent / "lucide.zip") as archive:
        for name in NAMES:
            try:
                source = archive.read(f"{name}.svg").decode()
            except KeyError:
                message = f"lucide has no icon called {name}"
                raise LookupError(message) from None
            match = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
            inner = " ".join(match.group(1).split()).replace(" />", "/>") if match else ""
            symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    symbols += [f'<symbol id="s-{name}" viewBox="0 0 10 10">{body}</symbol>' for name, body in SHAPES.items()]
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


@cache
def sprite_url() -> str:
    """The address of the sprite, hashed in production; looked up once a process."""
    return static("icons.svg")
