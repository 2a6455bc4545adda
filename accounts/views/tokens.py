"""API tokens of the workspace."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.actions.tokens import issue_token, revoke_token
from accounts.directory import tokens_for_page
from accounts.models import ApiToken
from accounts.people_forms import TokenForm
from accounts.policy import requires


@requires(GET="tokens.manage", POST="tokens.manage")
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The list, a form for a new one and, right after it was made, the token itself, this once."""
    form, made, raw = TokenForm(request.POST or None, actor=request.user), None, ""
    status = 200
    if request.method == "POST":
        status = 422
        issued: list[tuple[ApiToken, str]] = []
        at = timezone.now()
        if form.is_valid() and form.run(
            lambda: issued.append(issue_token(**form.cleaned_data, actor=request.user, at=at))
        ):
            (made, raw), status = issued[0], 201
            form = TokenForm(actor=request.user)
    context = {"form": form, "made": made, "raw": raw, "tokens": tokens_for_page(timezone.now())}
    return render(request, "people/tokens.html", context, status=status)


@requires(POST="tokens.manage")
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token."""
    token = revoke_token(get_object_or_404(ApiToken, pk=token_id), actor=request.user, at=timezone.now())
    messages.success(request, _("The token %(name)s no longer works.") % {"name": token.name})
    return redirect("people:token-list")
