"""The accounts that a checked rule matches, as one query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    DecimalField,
    F,
    FloatField,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Cast, Coalesce, NullIf

from accounts.choices import TOUCH_KINDS, ActivityKind
from accounts.models import Account, Activity, Contract, ContractLine
from accounts.models.account import AccountQuerySet
from accounts.own_values import FieldDefinition
from accounts.queries.own_values import among, compared, containing, empty, equal, within
from health.cards import compiled
from health.models import ScorecardVersion
from health.segments.catalogue import METRIC, own_key, own_rule_fields
from health.segments.rules import (
    CHOICE,
    DAYS,
    EMPTY,
    FILLED,
    OPERATORS,
    TEXT,
    Condition,
    Rule,
    RuleField,
    conditions_of,
    is_test_of,
)
from playbooks.queries import open_ctas
from usage.models import MetricLatest

_PATHS = {
    "owner": "owner_id",
    "tier": "tier_id",
    "stage": "stage_id",
    "name": "name",
    "segment": "segment",
    "industry": "industry",
    "country": "country",
    "status": "status",
    "arr": "arr",
    "seats": "seats",
    "band": "health__current_rag",
    "score": "health__score",
    "score_change": "health__change_30d",
    "coverage_pct": "health__coverage_pct",
    "renewal_days": "renewal_on",
    "customer_days": "customer_since_on",
    "band_days": "health__band_since_on",
}
_TEXTS = frozenset({"name", "segment", "industry", "country"})
_COUNTS = frozenset({"contracts", "open_ctas"})
# Days run from today forwards, or from a day in the past until today.
_AHEAD = frozenset({"renewal_days"})
_DATES = frozenset({"renewal_days", "customer_days", "band_days"})
_MOMENTS = frozenset({"touch_days", "meeting_days"})
_LOOKUPS = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt", "=": "exact"}
_NUMERIC = r"^-?[0-9]+(\.[0-9]+)?$"


class Matcher:
    """Turns rules into queries for one moment. ``versions`` are the active scorecard versions, ``own`` the own fields
    by their keys; both are read by the caller.
    """

    def __init__(
        self,
        *,
        at: datetime,
        zone: str,
        versions: Mapping[Any, ScorecardVersion],
        own: Mapping[str, FieldDefinition] | None = None,
    ) -> None:
        self.own = own or {}
        self.zone = ZoneInfo(zone)
        self.today: date = at.astimezone(self.zone).date()
        self.versions = list(versions.values())

    def accounts(self, rule: Rule) -> AccountQuerySet:
        """The unarchived accounts that meet ``rule``."""
        used: dict[str, Any] = {}
        for condition in conditions_of(rule):
            used |= self._figures(condition["field"])
        groups = [
            _joined(group["join"], [self._test(each) for each in group["conditions"]]) for group in rule["groups"]
        ]
        return Account.objects.unarchived().alias(**used).filter(_joined(rule["join"], groups))

    def _figures(self, field: str) -> dict[str, Any]:
        """The figures behind ``field`` that are not columns, by the name they have in the query."""
        name = alias_of(field)
        if field == "touch_days":
            return {name: _last(TOUCH_KINDS)}
        if field == "meeting_days":
            return {name: _last((ActivityKind.MEETING,))}
        if field == "contracts":
            return {name: _counted(Contract.objects.in_force_on(self.today))}
        if field == "open_ctas":
            return {name: _counted(open_ctas())}
        if field == "seats_used_pct":
            return {name: Cast(F("assigned_users"), FloatField()) * 100 / NullIf(F("seats"), 0)}
        if field.startswith(METRIC):
            key = field.removeprefix(METRIC)
            return {f"{name}_n": self._metric(key, number=True), f"{name}_c": self._metric(key, number=False)}
        return {}

    def _metric(self, key: str, *, number: bool) -> Any:
        """What the account's score was made of, else the latest that was stated."""
        kind = DecimalField(max_digits=20, decimal_places=6) if number else CharField()
        cases = []
        for version in self.versions:
            inputs = compiled(version).evidence_inputs
            if key not in inputs:
                continue
            path = f"health__values__{inputs.index(key)}"
            known = Q(health__version=version.pk, **({f"{path}__regex": _NUMERIC} if number else {}))
            cases.append(When(known, then=Cast(F(path), kind)))
        stated = MetricLatest.objects.filter(account_id=OuterRef("pk"), metric=key)
        latest = Subquery(stated.values("number" if number else "choice")[:1], output_field=kind)
        return Coalesce(Case(*cases, default=None, output_field=kind), latest) if cases else latest

    def _test(self, condition: Condition) -> Q:
        field, op, value = condition["field"], condition["op"], condition.get("value")
        if field == "product":
            return _product(op, value)
        if key := own_key(field):
            return self._own(key, condition)
        if field in _DATES or field in _MOMENTS:
            return self._aged(field, op, value)
        if isinstance(value, list) or (field.startswith(METRIC) and op in {EMPTY, FILLED}):
            return _among(field, op, value)
        path = _PATHS.get(field) or alias_of(field) + ("_n" if field.startswith(METRIC) else "")
        if op in {EMPTY, FILLED}:
            missing = Q(**{f"{path}__isnull": True}) | (Q(**{path: ""}) if field in _TEXTS | {"status"} else Q())
            if field == "band":
                missing |= Q(**{path: "none"})
            return missing if op == EMPTY else ~missing
        if field in _TEXTS:
            return _text(path, op, str(value))
        return _sized(path, op, Decimal(str(value)))

    def _own(self, key: str, condition: Condition) -> Q:
        """A test of an own field. One whose kind was changed to another meets no test of the former."""
        field, op, value = condition["field"], condition["op"], condition.get("value")
        own = self.own.get(key)
        rule = next((each for each in own_rule_fields(own) if each.key == field), None) if own else None
        if own is None or rule is None or not _still_tests(condition, rule):
            return Q(pk__in=[])
        if op in {EMPTY, FILLED}:
            return empty(own) if op == EMPTY else ~empty(own)
        if rule.kind == CHOICE:
            return among(own, value) if op == "in" else ~among(own, value) | empty(own)
        if rule.kind == TEXT:
            return _own_text(own, op, str(value))
        if rule.kind == DAYS:
            low, high = _span(self.today, "=" if op == "!=" else op, int(value), ahead=True)
            # The last day counts here; ``_span`` names the one after it.
            inside = within(own, low, high - timedelta(days=1) if high else None)
            return within(own, None, None) & ~inside if op == "!=" else inside
        return compared(own, op, value)

    def _aged(self, field: str, op: str, value: Any) -> Q:
        """A test of days as one of the day itself, which an index answers."""
        path = _PATHS.get(field) or alias_of(field)
        if op in {EMPTY, FILLED}:
            return Q(**{f"{path}__isnull": op == EMPTY})
        low, high = _span(self.today, op, int(value), ahead=field in _AHEAD)
        found = Q(**{f"{path}__isnull": False})
        edge = self._midnight if field in _MOMENTS else (lambda day: day)
        inside = Q(**{f"{path}__gte": edge(low)}) if low else Q()
        inside &= Q(**{f"{path}__lt": edge(high)}) if high else Q()
        return found & (~inside if op == "!=" else inside)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone)


def alias_of(field: str) -> str:
    """The name of a field's figure within the query."""
    return "figure_" + "".join(char if char.isalnum() else "_" for char in field)


def _joined(join: str, tests: list[Q]) -> Q:
    found = tests[0]
    for test in tests[1:]:
        found = found & test if join == "all" else found | test
    return found


def _span(today: date, op: str, days: int, *, ahead: bool) -> tuple[date | None, date | None]:
    """From which day, and before which one, the day lies for ``days`` to be ``op``."""
    day, one = today + timedelta(days=days if ahead else -days), timedelta(days=1)
    if op in {"=", "!="}:
        return day, day + one
    # More days lie later when counted ahead, earlier when counted back.
    later = (op in {">", ">="}) == ahead
    if later:
        return (day if "=" in op else day + one), None
    return None, (day + one if "=" in op else day)


def _sized(path: str, op: str, value: Decimal) -> Q:
    if op == "!=":
        return Q(**{f"{path}__isnull": False}) & ~Q(**{path: value})
    return Q(**{f"{path}__{_LOOKUPS[op]}": value})


def _text(path: str, op: str, value: str) -> Q:
    if op == "contains":
        return Q(**{f"{path}__icontains": value})
    same = Q(**{f"{path}__iexact": value})
    return ~same if op == "is_not" else same


def _still_tests(condition: Condition, rule: RuleField) -> bool:
    """Whether the condition is one of the rule's kind. Options that are gone may stay in it: the others count."""
    return condition["op"] in OPERATORS[CHOICE] if rule.kind == CHOICE else is_test_of(condition, rule)


def _own_text(own: FieldDefinition, op: str, value: str) -> Q:
    if op == "contains":
        return containing(own, value)
    return ~equal(own, value) | empty(own) if op == "is_not" else equal(own, value)


def _among(field: str, op: str, value: Any) -> Q:
    if field.startswith(METRIC):
        name = alias_of(field)
        missing = Q(**{f"{name}_n__isnull": True}) & (Q(**{f"{name}_c__isnull": True}) | Q(**{f"{name}_c": ""}))
        if op in {EMPTY, FILLED}:
            return missing if op == EMPTY else ~missing
        path = f"{name}_c"
    else:
        path = _PATHS[field]
    inside = Q(**{f"{path}__in": value})
    if field == "band" and "none" in value:
        inside |= Q(**{f"{path}__isnull": True})
    if op == "in":
        return inside
    outside = Q(**{f"{path}__isnull": True}) | ~Q(**{f"{path}__in": value})
    return outside & Q(**{f"{path}__isnull": False}) if field == "band" and "none" in value else outside


def _product(op: str, value: Any) -> Q:
    lines = ContractLine.objects.all()
    if op == "contains":
        lines = lines.filter(product__icontains=value)
    elif op in {"is", "is_not"}:
        lines = lines.filter(product__iexact=value)
    having = Q(pk__in=lines.values("contract__account"))
    return ~having if op in {"is_not", EMPTY} else having


def _last(kinds: tuple[str, ...]) -> Subquery:
    rows = Activity.objects.filter(account=OuterRef("pk"), kind__in=kinds).order_by().values("account")
    return Subquery(rows.annotate(last=Max("at")).values("last"), output_field=DateTimeField())


def _counted(rows: QuerySet[Any]) -> Any:
    counted = rows.filter(account=OuterRef("pk")).order_by().values("account").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
