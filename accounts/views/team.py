"""Who of us works an account beside its owner: adding people to its team and taking them off."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions import add_team_member, remove_team_member
from accounts.errors import RuleViolated
from accounts.forms import TeamForm
from accounts.frame import editable_account_or_404, frame
from accounts.models import TeamMember
from accounts.policy import requires

TAB = "accounts:account-people"


@requires(GET="accounts.edit", POST="accounts.edit")
def join(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Put a colleague on the team. A capacity that is passed is said, and does not stop it (AMB-62)."""
    account = editable_account_or_404(request, account_id)
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user, role = form.cleaned_data["user"], form.cleaned_data["role"]
        try:
            _member, warning = add_team_member(account, user, role, actor=request.user, at=timezone.now())
        except RuleViolated as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem))
        else:
            messages.success(request, f"{user} is on the team as {role}.")
            if warning:
                messages.warning(request, warning)
            return redirect(TAB, account.pk)
    context = frame(request, account, TAB, form=form, heading="Add a colleague", submit="Add to the team")
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)


@requires(POST="accounts.edit")
def leave(request: HttpRequest, account_id: UUID, member_id: UUID) -> HttpResponse:
    """Take a colleague off the team. With it goes what they could see only as a member of it."""
    account = editable_account_or_404(request, account_id)
    member = get_object_or_404(TeamMember.objects.select_related("user", "role"), pk=member_id, account=account)
    remove_team_member(member, actor=request.user, at=timezone.now())
    messages.success(request, f"{member.user} is no longer on the team as {member.role}.")
    return redirect(TAB, account.pk)
