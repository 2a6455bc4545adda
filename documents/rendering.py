"""From frozen data to a PDF. WeasyPrint reads nothing but what it is given: no file, no network."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from PIL import ImageFile

STYLE = Path(__file__).with_name("print.css")
# Letters cut to what a document uses carry this moment, not now: the same HTML gives the same bytes.
os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
# It tells each table of each font it reads.
logging.getLogger("fontTools").setLevel(logging.WARNING)
FONT = Path(settings.BASE_DIR) / "static" / "inter.woff2"


class CannotRender(RuntimeError):
    """The machine lacks what PDFs need; the message says what to install."""


def digest_of(data: Mapping[str, Any]) -> str:
    """SHA-256 of data as canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def html_of(template: str, data: Mapping[str, Any]) -> str:
    """The document as HTML. It sees its data and nothing else: no request, no clock, no database."""
    return render_to_string(template, {"data": data, "digest": digest_of(data)})


def pdf_of(html: str, *, told: Callable[[int], None] = lambda percent: None) -> bytes:
    """The PDF of a document; the same HTML gives the same bytes. ``told`` hears how far it is, in per cent.

    Raises CannotRender where Pango is missing.
    """
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
    except OSError as error:
        raise CannotRender("This machine cannot write PDFs: install libpango-1.0-0 and libpangoft2-1.0-0.") from error
    # SECURITY: its import lets Pillow accept torn pictures in the whole process; an upload must stay refused.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    told(30)
    fonts, letters = FontConfiguration(), _letters_only()  # without a configuration a sheet's own font is left out
    sheet = CSS(string=STYLE.read_text(), url_fetcher=letters, font_config=fonts)
    document = HTML(string=html, url_fetcher=letters).render(stylesheets=[sheet], font_config=fonts)
    told(80)
    written = document.write_pdf(pdf_identifier=hashlib.sha256(html.encode()).hexdigest()[:32].encode())
    return bytes(written or b"")


def _letters_only() -> Any:
    """What fetches for a document: our letters and nothing else.

    SECURITY: a name in the data must not make the worker read a file or call a host.
    """
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Letters(URLFetcher):  # type: ignore[misc] - the library has no types
        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            if url != "tenure:inter.woff2":
                raise ValueError(f"documents read nothing from outside: {url[:80]}")
            return URLFetcherResponse(url, FONT.read_bytes(), {"Content-Type": "font/woff2"})

    return Letters()
