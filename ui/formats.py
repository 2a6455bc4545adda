"""How numbers, money and times are written. Pure, so that tables format their rows in Python (performance §4)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "CHF": "CHF ",
    "BRL": "R$",
    "AUD": "A$",
    "CAD": "C$",
}
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DAY_SECONDS = 86_400
_NEAR_DAYS = 60
# From which size on which unit is written: 999,950 reads as 1M, not as 1000k.
_LARGE = [
    (limit * Decimal("0.9995"), limit, suffix)
    for limit, suffix in ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
]

Number = int | float | Decimal


def money(amount: Number | None, currency: str = "USD", *, compact: bool = False) -> str:
    """``$412,000``; compact ``$412k`` or ``$18.4M``. A dash for None. Cents only where there are some."""
    if amount is None:
        return DASH
    sign = MINUS if amount < 0 else ""
    symbol = SYMBOLS.get(currency) or f"{currency} "
    whole = int(amount)
    if not compact and whole == amount:
        return f"{sign}{symbol}{abs(whole):,}"
    size = abs(Decimal(amount))
    return f"{sign}{symbol}{_short(size) if compact else _plain(size)}"


def _plain(size: Decimal) -> str:
    return f"{size:,.0f}" if size == size.to_integral_value() else f"{size:,.2f}"


def _short(size: Decimal) -> str:
    for least, limit, suffix in _LARGE:
        if size >= least:
            scaled = size / limit
            places = 2 if suffix != "k" and scaled < 100 else 0
            text = f"{scaled:,.{places}f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) + suffix
    return f"{size:,.0f}"


def number(value: Number | None, places: int | None = None) -> str:
    """``1,412`` or ``68.5``: as many decimals as asked for, else none for whole numbers and one for others."""
    if value is None:
        return DASH
    if places is None:
        places = 0 if value == int(value) else 1
    size = abs(value)
    if isinstance(size, Decimal):
        size = size.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{size:,.{places}f}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text


def signed(value: Number, places: int | None = None) -> str:
    """``+3`` or ``−1.5`` with a real minus sign; ``0`` for zero."""
    text = number(value, places)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def percent(value: Number | None, places: int | None = 0) -> str:
    """``92 %``, ``103.0 %`` with one place: how pages, PDFs and mails write per cent; a dash for None.

    ``places`` as ``number`` has them.
    """
    return DASH if value is None else f"{number(value, places)} %"


@lru_cache(maxsize=4096)
def share(value: float | None) -> str:
    """``12 %`` for 0.12, ``1.2 %`` for 0.012: one decimal under ten, a dash for None."""
    if value is None:
        return DASH
    in_hundred = value * 100
    return percent(in_hundred, 0 if in_hundred >= 10 or not in_hundred else 1)


def day(value: date | None, *, today: date | None = None) -> str:
    """``31 Jan 2027``; the year is left out when it is that of ``today``."""
    if value is None:
        return DASH
    short = f"{value.day} {_MONTHS[value.month - 1]}"
    return short if today is not None and value.year == today.year else f"{short} {value.year}"


def moment(value: datetime | None) -> str:
    """``31 Jan 2027, 14:05`` of an aware moment already in the reader's zone."""
    return DASH if value is None else f"{day(value.date())}, {value:%H:%M}"


def days_until(value: date | None, today: date) -> str:
    """``today``, ``in 74 days``, ``3 days ago``; empty for None."""
    if value is None:
        return ""
    days = (value - today).days
    if days == 0:
        return "today"
    unit = "day" if abs(days) == 1 else "days"
    return f"in {days} {unit}" if days > 0 else f"{-days} {unit} ago"


def ago(value: datetime, now: datetime) -> str:
    """``just now``, ``4 min ago``, ``3 h ago``, ``9 days ago``, then the day; ``in …`` for what is to come."""
    seconds = (now - value).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "just now"
    if size < 3_600:
        text = f"{max(1, round(size / 60))} min"
    elif size < _DAY_SECONDS:
        text = f"{round(size / 3_600)} h"
    elif size < _NEAR_DAYS * _DAY_SECONDS:
        count = round(size / _DAY_SECONDS)
        text = f"{count} day{'s' if count != 1 else ''}"
    else:
        return day(value.date())
    return f"in {text}" if seconds < 0 else f"{text} ago"


def initials(name: str) -> str:
    """Up to two letters for an avatar: ``Mara Lind`` → ``ML``; ``?`` for nothing."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hue(name: str) -> int:
    """A stable number 0–5 for a name, to tell avatars apart."""
    return sum(map(ord, name)) % 6


def reading(value: object) -> str:
    """A measured figure as a sentence says it: one decimal, two below ten; a choice as it is."""
    try:
        size = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    # From 10²⁷ on a decimal has no place left to round to.
    if not size.is_finite() or size.adjusted() >= 27:
        return str(value)
    rounded = round(size, 2 if abs(size) < 10 else 1)
    return f"{rounded.normalize():f}" if rounded else "0"


_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)  # fmt: skip


def browser(agent: str) -> str:
    """What a browser says of itself in words: ``Chrome on Linux``. The first 40 characters of what is not known."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if name and system:
        return f"{name} on {system}"
    return name or system or agent[:40] or "Unknown browser"
