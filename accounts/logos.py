"""A company's logo as somebody uploads it: read, checked and drawn anew, so that only pixels are kept."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from accounts.fields import Unreadable

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 1024 * 1024
MIN_SIDE, MAX_SIDE, KEPT_SIDE = 32, 4000, 256


def redraw(raw: bytes) -> bytes:
    """``raw`` as a PNG of at most 256 × 256 pixels, without anything but its picture.

    Raises Unreadable (rule and sentence) for what is too large, no such picture, or torn. The size is read from the
    header before a pixel is decoded.
    """
    if len(raw) > MAX_BYTES:
        raise Unreadable("too_large", "A logo may have 1 MB at most.")
    try:
        with Image.open(BytesIO(raw), formats=FORMATS) as picture:
            if not MIN_SIDE <= min(picture.size) <= max(picture.size) <= MAX_SIDE:
                raise Unreadable("size", f"Each side must have {MIN_SIDE} to {MAX_SIDE} pixels.")
            kept = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as broken:
        if isinstance(broken, Unreadable):
            raise
        raise Unreadable("format", "This is not a PNG, JPEG or WebP picture.") from broken
    kept.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    out = BytesIO()
    kept.save(out, "PNG", optimize=True)
    return out.getvalue()
