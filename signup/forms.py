"""What a company tells us to get a workspace."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from signup.methods import CHOICES
from tenants.actions import problem_with_new


def zones() -> list[tuple[str, str]]:
    """Time zones by region, UTC first."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class SignUpForm(forms.Form):
    """Company, sub-domain, time zone, methodology and the person who will own the workspace."""

    company = forms.CharField(
        max_length=120, widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True})
    )
    slug = forms.CharField(
        label="Sub-domain",
        max_length=40,
        help_text="3 to 40 small letters, digits and hyphens.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=zones,
        initial="UTC",
        help_text="Days, weeks and business hours are counted in it. Each person may choose another for themselves.",
        # The script puts the browser's own zone here; without it the visitor chooses.
        widget=forms.Select(attrs={"data-own-zone": ""}),
    )
    pack = forms.ChoiceField(label="Methodology", choices=CHOICES, widget=forms.RadioSelect)
    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Your e-mail address",
        help_text="You sign in with it. We send it a code the first time.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        strip=False,
        max_length=128,
        help_text="At least 10 characters; not your name, your address or a common password.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            # The zone was chosen; the script leaves it alone.
            del self.fields["timezone"].widget.attrs["data-own-zone"]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]).strip().lower()
        if problem := problem_with_new(slug, at=timezone.now()):
            raise ValidationError(problem)
        return slug

    def clean_company(self) -> str:
        return _one_line(self.cleaned_data["company"])

    def clean_name(self) -> str:
        return _one_line(self.cleaned_data["name"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password" in data:
            person = User(email=data.get("email", ""), name=data.get("name", ""))
            try:
                validate_password(data["password"], person)
            except ValidationError as error:
                self.add_error("password", error)
        return data


def _one_line(text: str) -> str:
    """``text`` without line breaks and control characters: it will stand in the headers of mail."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not line:
        raise ValidationError("This needs a name.")
    return line
