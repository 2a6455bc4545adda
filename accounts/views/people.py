"""Users and roles: the list, one user, and what administrators do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import directory
from accounts.actions.people import change_role, deactivate_user, reactivate_user
from accounts.choices import Role
from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.models import Account, User
from accounts.people_forms import DeactivateForm, RoleForm
from accounts.policy import may_grant, requires
from accounts.queries.people import access_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PER_PAGE = 50
HEADINGS = ("name", "email", "title", "role", "state", "accounts_owned", "second_factor", "last_sign_in")


@requires(GET="users.view")
def users(request: HttpRequest) -> HttpResponse:
    """The list of users, narrowed by the query string, and the open invitations."""
    wanted = directory.Filter.read(request.GET)
    page = Paginator(directory.users_matching(wanted, request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "wanted": wanted,
        "page": page,
        "query": _query(request.GET),
        "roles": Role.choices,
        "states": directory.STATES,
        "invitations": directory.pending_invitations(),
        "now": timezone.now(),
    }
    return render(request, "people/users.html", context)


@requires(GET="users.manage")
def users_csv(request: HttpRequest) -> HttpResponse:
    """The same list, whole, as CSV."""
    rows = directory.users_matching(directory.Filter.read(request.GET), request.user)
    lines = (
        (
            user.name,
            user.email,
            user.title,
            user.get_role_display(),
            "active" if user.is_active else "deactivated",
            user.owned,
            "yes" if user.has_second_factor else "no",
            user.last_login.isoformat() if user.last_login else "",
        )
        for user in rows
    )
    return csv_response("users.csv", HEADINGS, lines)


@requires(GET="users.view")
def roles(request: HttpRequest) -> HttpResponse:
    """The policy table: who may what, and how many people have each role."""
    counts = directory.role_counts()
    roles = [(role.label, role.value, counts.get(role.value, 0)) for role in Role]
    return render(request, "people/roles.html", {"roles": roles, "rows": directory.policy_rows()})


@requires(GET="users.manage")
def user(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One user with what can be done to them."""
    return _show(request, get_object_or_404(User.objects.visible_to(request.user), pk=user_id))


@requires(POST="users.manage")
def role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Change a role."""
    target = get_object_or_404(User.objects.visible_to(request.user), pk=user_id)
    form = RoleForm(request.POST, user=target, actor=request.user)
    if form.is_valid() and form.run(
        lambda: change_role(target, form.cleaned_data["role"], actor=request.user, at=timezone.now())
    ):
        messages.success(request, _("The role was changed."))
        return redirect("people:user-detail", user_id=target.pk)
    return _show(request, target, status=422, role_form=form)


@requires(POST="users.manage")
def deactivate(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Shut a user out, handing their accounts over."""
    target = get_object_or_404(User.objects.visible_to(request.user), pk=user_id)
    form = DeactivateForm(request.POST, user=target)
    if form.is_valid() and form.run(
        lambda: deactivate_user(
            target, actor=request.user, at=timezone.now(), reassign_to=form.cleaned_data["reassign_to"]
        )
    ):
        messages.success(request, _("%(user)s can no longer sign in.") % {"user": target})
        return redirect("people:user-detail", user_id=target.pk)
    return _show(request, target, status=422, deactivate_form=form)


@requires(POST="users.manage")
def reactivate(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Let a user sign in again."""
    target = get_object_or_404(User.objects.visible_to(request.user), pk=user_id)
    try:
        reactivate_user(target, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, _("%(user)s can sign in again.") % {"user": target})
    return redirect("people:user-detail", user_id=target.pk)


def _show(request: HttpRequest, target: User, status: int = 200, **forms: object) -> HttpResponse:
    context = {
        "person": target,
        "access": access_of(User.objects.with_tries().get(pk=target.pk)),
        "role_form": RoleForm(user=target, actor=request.user),
        "deactivate_form": DeactivateForm(user=target),
        "owned": Account.objects.unarchived().filter(owner=target).count(),
        "tokens": target.api_tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).count(),
        "portal_accounts": target.portal_accounts.order_by("name") if target.is_portal else [],
        "manageable": may_grant(request.user, target.role),
        **forms,
    }
    return render(request, "people/user.html", context, status=status)


def _query(given: Mapping[str, str]) -> str:
    return urlencode({key: given[key] for key in ("q", "role", "state") if given.get(key)})
