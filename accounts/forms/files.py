"""Uploading a file to an account, and what is said about it."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import Visibility
from accounts.people_forms import RuleForm
from accounts.uploads import ACCEPT, KINDS, Checked, check

HINT = f"Up to 10 MB: {', '.join(KINDS)}."


class ContentForm(RuleForm):
    """One file; what is in it is checked by ``accounts.uploads``."""

    files = forms.FileField(label="File", help_text=HINT, widget=forms.FileInput(attrs={"accept": ACCEPT}))

    def content(self) -> Checked:
        """The file as it may be kept. Raises RuleViolated."""
        return check([self.cleaned_data["files"]])[0]


class SaidForm(RuleForm):
    """What is said about a file, and who sees it."""

    title = forms.CharField(max_length=200, label="Title")
    description = forms.CharField(max_length=500, required=False, label="Description")
    tags = forms.CharField(max_length=450, required=False, label="Tags", help_text="Separated by commas")
    shared = forms.BooleanField(required=False, label="Share with the customer in the portal")
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        data = self.cleaned_data
        return {
            "title": data["title"],
            "description": data["description"],
            "tags": data["tags"],
            "visibility": Visibility.SHARED if data["shared"] else Visibility.INTERNAL,
        }


class UploadForm(SaidForm, ContentForm):
    """A new file. Without a title it is called as the file is."""

    title = forms.CharField(max_length=200, required=False, label="Title", help_text="Empty: the file's own name")
    field_order = ("files", "title", "description", "tags", "shared")
