"""The workspace's settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actions.workspace import remove_logo, set_logo, update_workspace
from accounts.people_forms import RuleForm, zone_choices
from ui.forms import LongSelect


class WorkspaceForm(RuleForm):
    """Name, days, reading rights and look. The actions decide what is right."""

    name = forms.CharField(label=_("Name"), max_length=120)
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        widget=LongSelect,
        help_text=_("When a day begins: nightly scores, due days and daily figures. Days counted already stay."),
    )
    currency = forms.CharField(
        label=_("Currency"), max_length=3, help_text=_("Portfolio figures add up the accounts that pay in it.")
    )
    csm_reads_all_accounts = forms.BooleanField(
        label=_("CSMs may read accounts outside their own book"), required=False
    )
    accent = forms.CharField(
        label=_("Accent colour"),
        max_length=7,
        required=False,
        help_text=_("Such as #3350C4. Empty: the product's own. Shades that read well are made from it."),
    )
    logo = forms.FileField(label=_("Logo"), required=False, help_text=_("PNG, JPEG or WebP, square, 1 MB at most."))
    remove_logo = forms.BooleanField(label=_("Take the logo away"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"].choices = zone_choices()

    def save(self, **by: Any) -> bool:
        """Carry the changes out, as ``actor`` and ``at`` say; False with errors at their fields when refused."""
        cleaned = self.cleaned_data
        logo, gone = cleaned["logo"], cleaned["remove_logo"]
        fields = {name: value for name, value in cleaned.items() if name not in {"logo", "remove_logo"}}
        return self.run(lambda: self._save(fields, logo, gone=gone, **by))

    @transaction.atomic
    def _save(self, fields: dict[str, Any], logo: Any, *, gone: bool, **by: Any) -> None:
        update_workspace(**fields, **by)
        if logo:
            set_logo(logo.read(), **by)
        elif gone:
            remove_logo(**by)
