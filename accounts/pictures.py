"""Pictures as somebody uploads them: read, checked and drawn anew, so that only pixels are kept."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from accounts.fields import Unreadable

FORMATS = ("PNG", "JPEG", "WEBP")
MIN_SIDE, MAX_SIDE = 32, 4000


def redraw(raw: bytes, *, most_bytes: int, largest: int) -> bytes:
    """``raw`` as a PNG of at most ``largest`` pixels a side, without anything but its picture.

    Raises Unreadable (rule and sentence) for what has more than ``most_bytes`` or sides of less than 32 or more than
    4000 pixels, for no such picture, and for a torn one. The size is read from the header before a pixel is decoded.
    """
    if len(raw) > most_bytes:
        raise Unreadable("too_large", f"A picture may have {most_bytes // 1024**2} MB at most.")
    try:
        with Image.open(BytesIO(raw), formats=FORMATS) as picture:
            if not MIN_SIDE <= min(picture.size) <= max(picture.size) <= MAX_SIDE:
                raise Unreadable("size", f"Each side must have {MIN_SIDE} to {MAX_SIDE} pixels.")
            kept = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as broken:
        if isinstance(broken, Unreadable):
            raise
        raise Unreadable("format", "This is not a PNG, JPEG or WebP picture.") from broken
    kept.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    out = BytesIO()
    kept.save(out, "PNG", optimize=True)
    return out.getvalue()
