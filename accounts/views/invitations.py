"""Inviting people, and being invited."""

from __future__ import annotations

from uuid import UUID

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.actions.invitations import accept_invitation, invite_user, resend_invitation, revoke_invitation
from accounts.errors import RuleViolated
from accounts.invitations import invitation_of, state_of
from accounts.limits import ENTRANCE, INVITATIONS, limited
from accounts.models import Invitation
from accounts.people_forms import AcceptForm, InviteForm
from accounts.policy import ANONYMOUS, requires

GONE = 410


@requires(GET="users.manage", POST="users.manage")
def invite(request: HttpRequest) -> HttpResponse:
    """Invite a colleague or a customer."""
    form = InviteForm(request.POST or None, actor=request.user)
    if request.method == "POST" and form.is_valid():
        if not INVITATIONS.allows(str(request.user.pk)):
            form.add_error(None, _("You have sent very many invitations. Go on in an hour."))
        elif form.run(lambda: invite_user(**form.cleaned_data, actor=request.user, at=timezone.now())):
            messages.success(request, _("The invitation is on its way to %(email)s.") % form.cleaned_data)
            return redirect("people:user-list")
    return render(request, "people/invite.html", {"form": form}, status=422 if form.is_bound else 200)


@requires(POST="users.manage")
def resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Mail a fresh link."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        resend_invitation(invitation, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, _("A new link is on its way to %(email)s.") % {"email": invitation.email})
    return redirect("people:user-list")


@requires(POST="users.manage")
def revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Withdraw an invitation."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        revoke_invitation(invitation, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, _("The invitation of %(email)s no longer works.") % {"email": invitation.email})
    return redirect("people:user-list")


@requires(GET=ANONYMOUS, POST=ANONYMOUS)
@limited(ENTRANCE)
@never_cache
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """The page an invitation's link opens: 404 for a made-up or foreign link, 410 for one used up."""
    invitation = invitation_of(secret)
    if invitation is None:
        raise Http404
    at = timezone.now()
    if state_of(invitation, at) != "open":
        context = {"state": state_of(invitation, at), "invitation": invitation}
        return render(request, "people/invitation_gone.html", context, status=GONE)
    form = AcceptForm(request.POST or None, email=invitation.email, initial={"name": invitation.name})
    if request.method == "POST" and form.is_valid() and form.run(lambda: _accept(form, invitation, at)):
        return perform_login(request, form.user, email_verification="none")
    context = {"form": form, "invitation": invitation}
    response = render(request, "people/invitation.html", context, status=422 if form.is_bound else 200)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _accept(form: AcceptForm, invitation: Invitation, at: timezone.datetime) -> None:
    form.user = accept_invitation(invitation, at=at, **form.cleaned_data)
