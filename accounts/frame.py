"""The frame of an account's page: its header, its tabs, and the reader's rights on it.

Tabs belong to several domains; each is known by its address, and shows when somebody serves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.asof import Asked, read_day
from accounts.choices import LEADER_ROLES, TOUCH_KINDS
from accounts.history import AsOf
from accounts.models import Account, Activity, StandIn, TeamMember
from accounts.policy import may
from accounts.queries.past import past_of
from ui.formats import days_until

TABS = (
    ("accounts:account-detail", "Overview", ""),
    ("accounts:account-health", "Health", ""),
    ("accounts:account-timeline", "Timeline", ""),
    ("accounts:account-changes", "Changes", ""),
    ("accounts:account-people", "People", "people_count"),
    ("accounts:account-contracts", "Contracts", "contract_count"),
    ("accounts:account-usage", "Usage", ""),
    ("health:account-targets", "Targets", ""),
    ("playbooks:account-ctas", "CTAs", ""),
    ("support:account-tickets", "Tickets", ""),
    ("accounts:account-files", "Files", ""),
)
# Tabs that can show a past day.
WITH_PAST = frozenset(
    {
        "accounts:account-detail",
        "accounts:account-health",
        "accounts:account-timeline",
        "accounts:account-people",
        "accounts:account-contracts",
        "playbooks:account-ctas",
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something of another domain that whoever opens the account must know: tone, words, where it is told."""

    tone: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the page, a plain link."""

    label: str
    url: str
    current: bool
    count: int | None


def account_or_404(request: HttpRequest, account_id: UUID, past: AsOf | None = None, **more: Any) -> Account:
    """The account with all that the header shows, or 404 when the reader may not see it. One query.

    With ``past`` it is what it was on that day, in three or four queries, and carries ``account.past``; such a row is
    for showing only. ``more`` are expressions that a page wants of the same row.
    """
    rows = Account.objects.visible_to(request.user).select_related("tier", "stage", "owner", "parent")
    touches = Activity.objects.filter(account=OuterRef("pk"), kind__in=TOUCH_KINDS).order_by("-at")
    present, signed = Q(contacts__left_on=None), Q(contracts__isnull=False)
    if past is not None:
        touches = touches.up_to(past.end, as_known=past.as_known)
        present = (present | Q(contacts__left_on__gt=past.day)) & Q(contacts__created_at__lt=past.end)
        signed = Q(contracts__start_on__lte=past.day) | Q(contracts__created_at__lt=past.end)
    counted = rows.annotate(
        people_count=Count("contacts", filter=present, distinct=True),
        contract_count=Count("contracts", filter=signed, distinct=True),
        touched_on=Subquery(touches.values("at__date")[:1]),
        on_readers_team=Exists(TeamMember.objects.filter(account=OuterRef("pk"), user=request.user.pk)),
        **_away(request.user),
        **{f"notices_{number}": found for number, found in enumerate(_noticing())},
        **more,
    )
    account = counted.filter(pk=account_id).first()
    if account is None:
        raise Http404
    if past is not None:
        account.past = past_of(account, past)  # type: ignore[attr-defined]
        account.contract_count = len(account.past.contracts)  # type: ignore[attr-defined]
    return account


def editable_account_or_404(request: HttpRequest, account_id: UUID) -> Account:
    """The account if the reader may change it; 404 when they may not even see it, 403 by the caller otherwise."""
    account = account_or_404(request, account_id)
    if not may_edit(request, account):
        raise PermissionDenied
    return account


def may_edit(request: HttpRequest, account: Account) -> bool:
    """Whether the reader may change this account, as ``Account.objects.editable_by`` says. No query.

    ``account`` comes from ``account_or_404``.
    """
    user = request.user
    if not may(user, "accounts.edit"):
        return False
    if user.role in LEADER_ROLES or account.owner_id == user.pk:  # type: ignore[union-attr]
        return True
    return bool(account.on_readers_team or account.stand_in_id == user.pk)  # type: ignore[attr-defined]


def _away(reader: Any) -> dict[str, Any]:
    """Who stands in for the owner today, by key and name, and until when; nothing while the owner is there."""
    today = reader.workspace_settings.day_of(timezone.now())
    period = StandIn.objects.on(today).filter(absent=OuterRef("owner"))
    name = Coalesce(NullIf("colleague__name", Value("")), "colleague__email", output_field=CharField())
    return {
        "stand_in_id": Subquery(period.values("colleague")[:1]),
        "stand_in_name": Subquery(period.annotate(called=name).values("called")[:1]),
        "away_until": Subquery(period.values("until_on")[:1]),
    }


def frame(
    request: HttpRequest, account: Account, tab: str, asked: Asked | None = None, **context: Any
) -> dict[str, Any]:
    """The context of every page of an account. One query where the address names the list it was opened from.

    ``asked`` is what a page that knows the past read from its address: links then keep the day, and nothing may be
    edited. The time machine of any other page leads to the overview.
    """
    past = asked.past if asked else None
    kept = past.parameters if past else {}
    place = _place(request, account, tab, kept)
    carried = {**({"list": place["query"]} if place else {}), **kept}
    keep = f"?{urlencode(kept)}" if kept else ""
    known = asked or read_day({})
    return {
        "account": account,
        "tabs": _tabs(account, tab, carried, past),
        "may_edit": past is None and may_edit(request, account),
        "place": place,
        # What is the matter now says nothing of a past day.
        "notices": notices_of(account) if past is None else [],
        "renews": days_until(account.renewal_on, known.today),
        "keep": keep,
        "time_machine": request.path if asked else reverse("accounts:account-detail", args=[account.pk]),
        **known.context,
        **context,
    }


def _tabs(account: Account, current: str, carried: dict[str, str], past: AsOf | None) -> list[Tab]:
    """The tabs somebody serves; on a past page those that can show it."""
    tabs = []
    query = f"?{urlencode(carried)}" if carried else ""
    for url_name, label, counter in TABS:
        if past is not None and url_name not in WITH_PAST:
            continue
        try:
            url = reverse(url_name, args=[account.pk])
        except NoReverseMatch:
            continue
        count = getattr(account, counter) if counter else None
        tabs.append(Tab(label, url + query, url_name == current, count))
    return tabs


def _noticing() -> list[Any]:
    """An expression of each domain of ``settings.ACCOUNT_NOTICES``: a list of notices on the account's row."""
    return [import_string(path)() for path in settings.ACCOUNT_NOTICES]


def notices_of(account: Account) -> list[Notice]:
    """What other domains say of ``account``, which comes from ``account_or_404``. No query."""
    found = [each for number in range(len(settings.ACCOUNT_NOTICES)) for each in getattr(account, f"notices_{number}")]
    return [Notice(each["tone"], each["text"], reverse(each["page"], args=[each["key"]])) for each in found]


def _place(request: HttpRequest, account: Account, tab: str, kept: dict[str, str]) -> dict[str, Any] | None:
    """The account's place in the list of ``?list=``, with the neighbours' addresses on the same tab and day."""
    if "list" not in request.GET:
        return None
    found = import_string(settings.ACCOUNT_PLACE)(request.user, account.pk, request.GET["list"])
    if found is None:
        return None
    carried = urlencode({"list": found.query, **kept})
    beside = {
        name: {"name": neighbour[1], "url": f"{reverse(tab, args=[neighbour[0]])}?{carried}"}
        for name, neighbour in (("previous", found.previous), ("next", found.next))
        if neighbour is not None
    }
    back = reverse("accounts:account-list")
    return {
        "position": found.position,
        "total": found.total,
        "query": found.query,
        "list": f"{back}?{found.query}" if found.query else back,
        **beside,
    }
