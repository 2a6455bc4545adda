"""Values of own fields as the database reads them: what ``accounts.own_values.held`` says, in expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    Case,
    DateField,
    DecimalField,
    F,
    Func,
    IntegerField,
    JSONField,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Lower, NullIf
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    In,
    IRegex,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Regex,
)

from accounts.choices import FieldKind
from accounts.own_values import DAY, LINK, NO, NUMBER, YES, FieldDefinition

_NUMBERS = DecimalField(max_digits=40, decimal_places=20, null=True)
_DAYS, _TRUTHS, _PLACES, _TEXTS = (
    DateField(null=True),
    BooleanField(null=True),
    IntegerField(null=True),
    TextField(null=True),
)


class _IsDay(Func):
    """Whether a text is a day of the calendar: the cast of another would stop the whole query."""

    function = "pg_input_is_valid"
    template = "%(function)s(%(expressions)s, 'date')"
    output_field = BooleanField()


def written(key: str) -> Any:
    """What stands under ``key``, as text without blanks around it; null for nothing."""
    raw = Func(F("custom"), Value(key), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField())
    return NullIf(Func(raw, function="btrim", output_field=TextField()), Value(""), output_field=_TEXTS)


def typed(field: FieldDefinition) -> Any:
    """The value in its kind, by which rows are sorted and compared; null for nothing and for what does not fit.

    A choice is the place of its option, from 1.
    """
    return _TYPED[FieldKind(field.kind)](field, written(field.key))


def _as_number(field: FieldDefinition, raw: Any) -> Any:
    stored = Func(F("custom"), Value(field.key), template="(%(expressions)s)", arg_joiner=" -> ")
    stored.output_field = JSONField()
    # Without limits: the cast to the column's size of one that is too large would stop the whole query.
    number = Func(stored, template="(%(expressions)s)::numeric", output_field=_NUMBERS)
    # Nearly all are numbers of JSON, for which no text has to be looked at; a CASE casts nothing before it asked.
    is_number = Case(
        When(Exact(Func(stored, function="jsonb_typeof", output_field=TextField()), "number"), then=_fits(number)),
        default=False,
        output_field=BooleanField(),
    )
    return Case(
        When(is_number, then=Cast(number, _NUMBERS)),
        When(Regex(raw, f"^{NUMBER}$"), then=Cast(raw, _NUMBERS)),
        default=None,
        output_field=_NUMBERS,
    )


def _fits(number: Any) -> Any:
    return LessThan(Func(number, function="abs", output_field=_NUMBERS), Value(Decimal(10**15)))


def _as_day(field: FieldDefinition, raw: Any) -> Any:
    is_day = Case(When(Regex(raw, f"^{DAY}$"), then=_IsDay(raw)), default=False, output_field=BooleanField())
    return Case(When(is_day, then=Cast(raw, _DAYS)), default=None, output_field=_DAYS)


def _as_truth(field: FieldDefinition, raw: Any) -> Any:
    word = Lower(raw)
    told = [When(In(word, sorted(words)), then=Value(said)) for words, said in ((YES, True), (NO, False))]
    return Case(*told, default=None, output_field=_TRUTHS)


def _as_place(field: FieldDefinition, raw: Any) -> Any:
    options = Value(list(field.options), output_field=ArrayField(TextField()))
    return Func(options, raw, function="array_position", output_field=_PLACES)


def _as_link(field: FieldDefinition, raw: Any) -> Any:
    return Case(When(IRegex(raw, f"^{LINK}$"), then=raw), default=None, output_field=_TEXTS)


_TYPED: Mapping[FieldKind, Callable[[FieldDefinition, Any], Any]] = {
    FieldKind.TEXT: lambda field, raw: raw,
    FieldKind.NUMBER: _as_number,
    FieldKind.DATE: _as_day,
    FieldKind.YES_NO: _as_truth,
    FieldKind.CHOICE: _as_place,
    FieldKind.LINK: _as_link,
}


def empty(field: FieldDefinition) -> Q:
    """Accounts that hold nothing in ``field``."""
    return Q(IsNull(written(field.key), True))


def misfit(field: FieldDefinition) -> Q:
    """Accounts that hold something there which does not fit."""
    return Q(IsNull(written(field.key), False)) & Q(IsNull(typed(field), True))


def within(field: FieldDefinition, low: Decimal | date | None, high: Decimal | date | None) -> Q:
    """Accounts whose number or day lies between both, which count; None is no limit."""
    value = typed(field)
    found = Q(IsNull(value, False))
    found &= Q(GreaterThanOrEqual(value, low)) if low is not None else Q()
    return found & (Q(LessThanOrEqual(value, high)) if high is not None else Q())


def among(field: FieldDefinition, values: list[str]) -> Q:
    """Accounts that hold one of ``values``: options of a choice, or ``true`` and ``false``."""
    if field.kind == FieldKind.YES_NO:
        return Q(In(typed(field), [value == "true" for value in values]))
    return Q(In(written(field.key), values))


def containing(field: FieldDefinition, words: str) -> Q:
    """Accounts whose text holds ``words`` in any case."""
    return Q(IContains(written(field.key), words))


def equal(field: FieldDefinition, words: str) -> Q:
    """Accounts whose text is ``words`` in any case."""
    return Q(Exact(Lower(written(field.key)), words.lower()))


def compared(field: FieldDefinition, op: str, value: Any) -> Q:
    """Accounts whose number or day is ``op`` ``value``; ``!=`` leaves out those without one."""
    if op == "!=":
        return within(field, None, None) & ~Q(Exact(typed(field), value))
    return Q(_COMPARED[op](typed(field), value))


_COMPARED = {"=": Exact, ">": GreaterThan, ">=": GreaterThanOrEqual, "<": LessThan, "<=": LessThanOrEqual}
