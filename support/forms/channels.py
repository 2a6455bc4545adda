"""The form of a channel."""

from __future__ import annotations

from django import forms

from accounts.people_forms import RuleForm


class ChannelForm(RuleForm):
    """Where customers reach it, and whether it is offered to them."""

    own_address = forms.CharField(
        label="Number, address or name", required=False, max_length=200,
        help_text="What customers see. The methodology's own is an example and shown to nobody outside.",
    )  # fmt: skip
    is_offered = forms.BooleanField(label="Offered to customers", required=False)
