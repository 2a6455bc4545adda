"""Keeping, changing and sharing views of lists, and choosing the one a list opens with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.actions.locking import differences, locked
from accounts.audit import record
from accounts.choices import LEADER_ROLES
from accounts.errors import RuleViolated
from accounts.models import DefaultView, SavedView, User
from accounts.policy import may

MOST_VIEWS = 50
LONGEST_QUERY = 2000


@transaction.atomic
def save_view(*, page: str, name: str, query: str, actor: User, at: datetime, is_shared: bool = False) -> SavedView:
    """Keep ``query`` as a view of ``page`` that belongs to ``actor``. Returns it.

    Raises RuleViolated naming the field: no name, a name the actor already uses, sharing without the right,
    more than 50 views.
    """
    _check(name, query)
    _check_share(is_shared, actor)
    if SavedView.objects.filter(page=page, owner=actor).count() >= MOST_VIEWS:
        raise RuleViolated("view.too_many", f"At most {MOST_VIEWS} views each. Delete one first.", "name")
    view = SavedView(
        page=page, name=name.strip(), query=query, owner=actor, is_shared=is_shared, created_at=at, updated_at=at
    )
    _save(view, new=True)
    record("view.created", view, actor=actor, at=at, after={"name": view.name, "query": query, "shared": is_shared})
    return view


@transaction.atomic
def change_view(
    view: SavedView, *, actor: User, at: datetime, expected_version: int | None = None, **changes: Any
) -> SavedView:
    """Change ``name``, ``query`` or ``is_shared`` of a view. Returns it, its version counted up if anything differs.

    Raises RuleViolated for a view that ``actor`` may not change, StaleVersion when somebody was faster.
    """
    view = locked(view, expected_version=expected_version)
    require_keeper(view, actor)
    changes = {name: value.strip() if name == "name" else value for name, value in changes.items()}
    before, after = differences(view, changes)
    if not after:
        return view
    for name in after:
        setattr(view, name, changes[name])
    _check(view.name, view.query)
    if "is_shared" in after:
        _check_share(view.is_shared, actor)
        if not view.is_shared and view.owner_id is None:
            raise RuleViolated("view.nobodys", "This view came with the workspace; it stays shared.", "is_shared")
    view.version += 1
    view.updated_at = at
    _save(view, new=False)
    if "is_shared" in after and not view.is_shared:
        DefaultView.objects.filter(view=view).exclude(user=view.owner_id).delete()
    record("view.changed", view, actor=actor, at=at, before=before, after=after)
    return view


@transaction.atomic
def delete_view(view: SavedView, *, actor: User, at: datetime) -> None:
    """Delete a view; whoever opened their list with it gets all rows again. Refuses as ``change_view`` does."""
    view = locked(view, expected_version=None)
    require_keeper(view, actor)
    before = {"name": view.name, "query": view.query, "shared": view.is_shared}
    record("view.deleted", view, actor=actor, at=at, before=before)
    view.delete()


@transaction.atomic
def choose_default(view: SavedView | None, *, page: str, actor: User, at: datetime) -> None:
    """Let ``page`` open with ``view`` for ``actor`` (None: with everything). Nobody else notices."""
    present = DefaultView.objects.filter(user=actor, page=page).first()
    if (present.view_id if present else None) == (view.pk if view else None):
        return
    DefaultView.objects.filter(user=actor, page=page).delete()
    if view is not None:
        DefaultView.objects.create(user=actor, page=page, view=view)
    after = {"page": page, "view": view.pk if view else None}
    record("view.chosen", actor, actor=actor, at=at, after=after)


def may_keep(view: SavedView, actor: User) -> bool:
    """Whether ``actor`` may change the view: their own, or a shared one as a leader."""
    return view.owner_id == actor.pk or (view.is_shared and actor.role in LEADER_ROLES)


def require_keeper(view: SavedView, actor: User) -> None:
    """Raise RuleViolated unless ``actor`` may change the view."""
    if not may_keep(view, actor):
        raise RuleViolated("view.not_yours", "This view is somebody else's. Save it as a new one.")


def _check(name: str, query: str) -> None:
    if not name.strip():
        raise RuleViolated("required", "A view needs a name.", "name")
    if len(name.strip()) > 60:
        raise RuleViolated("too_long", "At most 60 characters.", "name")
    for field, value in (("name", name), ("query", query)):
        if "\x00" in value:
            raise RuleViolated("control_characters", "Control characters are not allowed.", field)
    if len(query) > LONGEST_QUERY:
        raise RuleViolated("too_long", "This view has too many filters to be kept.", "query")


def _check_share(is_shared: bool, actor: User) -> None:
    if is_shared and not may(actor, "views.share"):
        raise RuleViolated("view.share", "Your role does not share views.", "is_shared")


def _save(view: SavedView, *, new: bool) -> None:
    try:
        with transaction.atomic():
            view.save(force_insert=new)
    except IntegrityError as error:
        raise RuleViolated("view.name_taken", "You have a view of this name.", "name") from error
