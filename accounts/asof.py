"""The time machine: which past day a page of an account is asked for, and how much of it was known then.

``?as_of=2026-06-30`` is the end of that day in the reader's zone, seen with all we know by now; ``&known=then`` leaves
out what arrived later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from accounts.forms.base import DateInput
from accounts.history import THEN, AsOf

KNOWN = (("now", "With what is known today"), (THEN, "As it was known then"))
# Nobody kept a record of customers in this shape before; earlier days are typing errors.
FIRST = date(1990, 1, 1)


class PastForm(forms.Form):
    """A past day and what counts as known; a day that is not past or cannot be read is told at its field."""

    as_of = forms.DateField(required=False, widget=DateInput, label="Day")
    known = forms.ChoiceField(choices=KNOWN, required=False, label="Seen")

    def clean_as_of(self) -> date | None:
        """The day; None for today, which needs no time machine."""
        day: date | None = self.cleaned_data["as_of"]
        if day is None:
            return None
        if day > timezone.localdate():
            raise forms.ValidationError("This lies ahead: choose a day that is over.")
        if day < FIRST:
            raise forms.ValidationError(f"Choose a day from {FIRST.year} on.")
        return day if day < timezone.localdate() else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: ``past`` is None for today's page, also where the day cannot be read."""

    past: AsOf | None
    form: PastForm

    @property
    def today(self) -> date:
        """The day that the page calls today."""
        return self.past.day if self.past else timezone.localdate()

    @property
    def status(self) -> int:
        """422 where the address names a day there is no page of."""
        return 422 if self.form.errors else 200

    @property
    def context(self) -> dict[str, Any]:
        """What the templates of a past page need."""
        return {"past": self.past, "past_form": self.form}


def asked_day(request: HttpRequest) -> Asked:
    """The past day that the address names, if any."""
    return read_day(request.GET)


def read_day(given: Any) -> Asked:
    """The past day among parameters. Both must be right for either to count."""
    form = PastForm({name: given.get(name, "") for name in ("as_of", "known")})
    day = form.cleaned_data["as_of"] if form.is_valid() else None
    return Asked(AsOf(day, form.cleaned_data["known"] == THEN) if day else None, form)
