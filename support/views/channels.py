"""Ways to reach support: which there are, the workspace's own addresses for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.policy import may, requires
from support import actions
from support.forms.channels import ChannelForm
from support.queries import channels as queries


@requires(GET="tickets.view")
def channel_list(request: HttpRequest) -> HttpResponse:
    """Every channel with its hours, whom it is for, and where customers reach it."""
    allowed = may(request.user, "support.configure")
    context = {"channels": queries.channels_listed(), "guides": queries.guides(), "may_configure": allowed}
    return render(request, "support/channel_list.html", context)


@requires(GET="support.configure", POST="support.configure")
def channel_edit(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Set where customers reach a channel, and whether it is offered to them."""
    row = get_object_or_404(queries.channels_shown(), pk=channel_id)
    initial = {"own_address": row.own_address, "is_offered": row.is_offered}
    form = ChannelForm(request.POST or None, initial=initial)
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if form.is_bound and form.is_valid() and form.run(lambda: actions.set_channel(row, **form.cleaned_data, **given)):
        messages.success(request, f"{row.name} is saved.")
        return redirect("support:channel-list")
    context = {"form": form, "channel": row}
    return render(request, "support/channel_form.html", context, status=422 if form.is_bound else 200)
