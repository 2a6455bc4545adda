"""The filters of the accounts list, in the words of the API, answered by the list the pages use."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request

from accounts.fields import Unreadable, identifier, read_number
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.queries.workspace import workspace_day
from api import describe as d
from api.reading import bad_parameter, moment_parameter
from health.book.filters import COLOURS, MINE, NOBODY, RENEWALS, STATUSES, AccountFilters

FILTERS = {
    "q": d.text("Part of the name, or an external id"),
    "band": d.text("Colour of the band", enum=list(COLOURS)),
    "owner": d.text("me, none, an e-mail address or an id"),
    "tier": d.text("Key or id"),
    "segment": d.text(),
    "stage": d.text("Key or id"),
    "renewal": d.text("Renews within so many days, or overdue", enum=list(RENEWALS)),
    "change": d.text("Score against 30 days ago", enum=["down", "up"]),
    "status": d.text("live leaves out churned and archived ones", enum=list(STATUSES), default="live"),
    "external_id": d.text("Exactly this external id, in any source"),
    "arr_min": d.decimal(),
    "arr_max": d.decimal(),
    "updated_since": d.moment("Changed at or after this moment"),
}
_CHOICES = {"band": COLOURS, "renewal": RENEWALS, "change": ("down", "up"), "status": STATUSES}


def accounts_asked_for(request: Request, user: User) -> QuerySet[Account]:
    """The accounts of ``user`` that the query string asks for. Raises Problem 400 for a value that means nothing."""
    query = request.GET
    for name, known in _CHOICES.items():
        if query.get(name) and query[name] not in known:
            raise bad_parameter(name, f"one of {', '.join(known)}.")
    asked = {name: value for name, value in query.items() if name in AccountFilters.__dataclass_fields__}
    asked |= {name: _key_of(name, query[name]) for name in ("owner", "tier", "stage") if query.get(name)}
    today = workspace_day(timezone.now())
    rows: QuerySet[Account] = AccountFilters.read(asked).accounts(user, today)
    return _more(rows, request)


def _more(rows: QuerySet[Account], request: Request) -> QuerySet[Account]:
    query = request.GET
    try:
        if query.get("arr_min"):
            rows = rows.filter(arr__gte=read_number(query["arr_min"]))
        if query.get("arr_max"):
            rows = rows.filter(arr__lte=read_number(query["arr_max"]))
    except Unreadable as error:
        raise bad_parameter("arr_min, arr_max", error.message) from error
    if query.get("updated_since"):
        rows = rows.filter(updated_at__gte=moment_parameter(request, "updated_since"))
    if query.get("external_id"):
        rows = rows.filter(external_ids__external_id=query["external_id"]).distinct()
    return rows


def _key_of(name: str, value: str) -> str:
    """The id that a word of the query stands for. Raises Problem 400 when there is none."""
    if identifier(value) is not None or (name == "owner" and value in {MINE, NOBODY}):
        return value
    model, column = {"owner": (User, "email__iexact"), "tier": (Tier, "key"), "stage": (LifecycleStage, "key")}[name]
    found = model._default_manager.filter(**{column: value}).values_list("pk", flat=True).first()
    if found is None:
        raise bad_parameter(name, f"there is no {name} {value[:60]}.")
    return str(found)
