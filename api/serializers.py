"""Rows out and bodies in, in REST framework's terms and without its cost for each field of each row.

A ``RowSerializer`` takes its fields from a model and shows rows that ``values()`` read: no instance is built and no
field is called, which is nine times as fast on a page of 100. A ``RecordSerializer`` reads a body by a table of
``accounts.fields``, the one by which forms, bulk calls and imports read the same record; a ``BodySerializer`` reads
what only the API takes. A ``QuerySerializer`` reads the address; its fields are named as in the address, their
``source`` is what a queryset filters by.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import empty
from rest_framework.request import Request

from accounts.actions.bulk.references import References
from accounts.fields import Field, FieldError, Unreadable, read_day, read_moment, read_row
from api.problems import Problem, bad_parameter, error_at

Row = dict[str, Any]
DEFAULT_SOURCE = "api"


class Column(NamedTuple):
    """Where a field is read from, and what shapes its value."""

    path: str
    shape: Callable[[Any], Any] | None


def _or_none(value: Any) -> Any:
    return value or None


class RowListSerializer(serializers.ListSerializer):
    """Rows of a page, so that ``extend`` sees all of them at once."""

    def to_representation(self, data: Any) -> list[Row]:
        found: list[Row] = self.child.represent(list(data))
        return found


class RowSerializer(serializers.ModelSerializer):
    """A row of ``values()`` as the API shows it.

    ``Meta.fields`` names what is shown. ``Meta.paths`` says where a field comes from if not from the column of its
    name; ``account__name`` follows relations. ``Meta.blank_as_null`` names text whose empty column the API shows as
    null, ``Meta.extended`` declared fields that ``extend`` puts on the rows of a page. ``Meta.versioned`` rows have an
    ETag; ``Meta.unversioned`` names what they show that changes without their version, such as a figure.
    """

    def get_fields(self) -> dict[str, serializers.Field]:
        """Declared fields, and those the model's columns give."""
        declared = copy.deepcopy(self._declared_fields)
        return {name: declared.get(name) or self._of_model(name) for name in self.Meta.fields}

    @classmethod
    def _path(cls, name: str) -> str:
        return getattr(cls.Meta, "paths", {}).get(name, name)  # type: ignore[no-any-return]

    def _of_model(self, name: str) -> serializers.Field:
        model, nullable = self.Meta.model, name in getattr(self.Meta, "blank_as_null", ())
        *relations, last = self._path(name).split("__")
        for step in relations:
            relation = model._meta.get_field(step)
            nullable = nullable or not relation.concrete or relation.null
            model = relation.related_model
        column = model._meta.pk if last == "pk" else model._meta.get_field(last)
        nullable, told = nullable or column.null, column.help_text
        while column.is_relation:
            column = column.target_field
        field_class, kwargs = self.build_standard_field(last, column)
        given = {"read_only": True, "allow_null": nullable, "help_text": told, "label": None}
        return field_class(**self.include_extra_kwargs(kwargs, given))

    @classmethod
    @cache
    def columns(cls) -> dict[str, Column]:
        """The fields that are columns, worked out once."""
        extended, nulls = getattr(cls.Meta, "extended", ()), getattr(cls.Meta, "blank_as_null", ())
        return {
            name: Column(cls._path(name), _or_none if name in nulls else None)
            for name in cls.Meta.fields
            if name not in extended
        }

    @property
    def shown(self) -> list[str]:
        """The fields the caller asks for with ``fields``, else all. Raises Problem 400 for an unknown one."""
        known = list(self.Meta.fields)
        request = self.context.get("request")
        if request is None or request.method not in {"GET", "HEAD"}:
            return known
        wanted = [name for name in request.query_params.get("fields", "").split(",") if name]
        unknown = sorted(set(wanted) - set(known))
        if unknown:
            raise bad_parameter("fields", f"there is no field {unknown[0][:60]}.")
        return [name for name in known if name in wanted] if wanted else known

    @property
    def paths(self) -> set[str]:
        """What ``values()`` has to read for the shown fields."""
        columns = self.columns()
        return {columns[name].path for name in self.shown if name in columns} | {"pk"}

    @classmethod
    def read(cls, rows: QuerySet[Any], **match: Any) -> Row:
        """All fields of the row that matches, where they are a part of an answer. Raises Http404. One query."""
        serializer = cls()
        found = rows.filter(**match).order_by().values(*serializer.paths).first()
        if found is None:
            raise Http404
        return serializer.to_representation(found)

    def to_representation(self, instance: Row) -> Row:
        return self.represent([instance])[0]

    def represent(self, rows: Sequence[Row]) -> list[Row]:
        """The rows as shown. No query but those of ``extend``."""
        names, known = self.shown, self.columns()
        columns = [(name, *known[name]) for name in names if name in known]
        found = []
        for row in rows:
            values = {name: row[path] if shape is None else shape(row[path]) for name, path, shape in columns}
            found.append({"_pk": row["pk"], **values})
        if len(columns) < len(names):
            self.extend(found)
        return [{name: row[name] for name in names} for row in found]

    def extend(self, rows: Sequence[Row]) -> None:
        """Put the fields of ``Meta.extended`` on every row, whose key is under ``_pk``; a fixed number of queries."""

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> RowListSerializer:
        """The list of rows."""
        return RowListSerializer(*args, child=cls(context=kwargs.get("context", {})), **kwargs)


class RecordSerializer(serializers.BaseSerializer):
    """A body, or an item of one, read by ``table``; tiers, owners and accounts in it are looked up."""

    table: ClassVar[Mapping[str, Field]] = {}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The clean values. Raises ValidationError naming every field and rule. One query a kind of reference."""
        reading = read_row(self.table, data, partial=self.partial)
        source = self.context.get("source", DEFAULT_SOURCE)
        references = References(source=source, actor=self.context["request"].user)
        references.load([reading.values])
        errors = reading.errors + references.resolve(reading.values)
        if errors:
            raise invalid(*errors)
        return reading.values


def record(name: str, table: Mapping[str, Field]) -> type[RecordSerializer]:
    """The serializer that reads by ``table``; ``name`` is what the documentation calls it."""
    return type(name, (RecordSerializer,), {"table": table})


def invalid(*errors: FieldError) -> ValidationError:
    """The refusal that names these fields and rules; ``custom.key`` is a step inside ``custom``."""
    details: dict[str, Any] = {}
    for error in errors:
        bag, point, rest = error.field.partition(".")
        found = [ErrorDetail(error.message, error.rule)]
        if bag == "custom" and point and isinstance(details.setdefault(bag, {}), dict):
            details[bag].setdefault(rest, []).extend(found)
        else:
            details.setdefault(error.field, []).extend(found)
    return ValidationError(details)


def schema_of(table: Mapping[str, Field], *, partial: bool = False) -> dict[str, Any]:
    """The JSON schema of a body with these fields."""
    required = [name for name, known in table.items() if known.required and not partial]
    schema = {"type": "object", "properties": {name: _property(known) for name, known in table.items()}}
    return schema | ({"required": required} if required else {}) | {"additionalProperties": False}


def _property(known: Field) -> dict[str, Any]:
    schema = {**known.schema, **({"description": known.help} if known.help else {})}
    return {**schema, "type": [schema["type"], "null"]} if known.nullable else schema


class RecordExtension(OpenApiSerializerExtension):
    """Tells drf-spectacular what a ``RecordSerializer`` reads."""

    target_class = RecordSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return schema_of(self.target.table, partial=self.target.partial)


class BodySerializer(serializers.Serializer):
    """A body in REST framework's own fields, whose names are all known."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = sorted(data.keys() - self.fields.keys()) if isinstance(data, Mapping) else []
        if unknown:
            raise invalid(*(FieldError(name[:60], "unknown_field", "There is no such field.") for name in unknown))
        return super().to_internal_value(data)  # type: ignore[no-any-return]


class ObjectField(serializers.DictField):
    """An object of any shape; null is none. ``most`` limits its entries."""

    def __init__(self, *, most: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def run_validation(self, data: Any = empty) -> Any:
        if data is not empty and not isinstance(data, Mapping):
            raise ValidationError("This must be an object.", "object")
        if self.most is not None and data is not empty and len(data) > self.most:
            raise ValidationError(f"{self.most} entries at most.", "too_many")
        return super().run_validation(data)


class MomentField(serializers.DateTimeField):
    """A moment of RFC 3339; a bare day is its midnight in UTC, a + that arrived as a blank is understood."""

    def to_internal_value(self, value: Any) -> Any:
        try:
            return read_moment(value.replace(" ", "+") if isinstance(value, str) else value)
        except Unreadable as error:
            raise ValidationError(error.message, error.rule) from error


class OffsetMomentField(MomentField):
    """A moment that says its offset: where a deadline follows from it, nothing is guessed."""

    OFFSET = re.compile(r"(?:[zZ]|[+-]\d\d:?\d\d)$", re.ASCII)

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not self.OFFSET.search(value.strip()):
            raise ValidationError("A moment with its offset, such as 2026-11-24T09:00:00+01:00.", "moment")
        return super().to_internal_value(value)


class DayField(serializers.DateField):
    """A day between 1900 and 2200."""

    def to_internal_value(self, value: Any) -> Any:
        try:
            return read_day(value)
        except Unreadable as error:
            raise ValidationError(error.message, error.rule) from error


class QuerySerializer(serializers.Serializer):
    """What may stand behind the question mark; nothing has to."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """The declared fields, none of them required."""
        found = super().get_fields()
        for field in found.values():
            field.required = False
        return found

    @classmethod
    def read(cls, request: Request, also: Collection[str] = ()) -> dict[str, Any]:
        """The values by what they filter. Raises Problem 400 for a value that means nothing here.

        A name that means nothing, neither here nor in ``also``, is refused too: a misspelt filter must not match all.
        """
        query = cls(data=request.query_params.dict(), context={"request": request})
        unknown = sorted(set(request.query_params) - query.fields.keys() - set(also))
        if unknown:
            known = ", ".join(sorted({*query.fields, *also}))
            detail = f"There is no parameter {unknown[0][:60]}. Known: {known}."
            raise Problem("malformed", detail, errors=[error_at("", "unknown_parameter", detail)])
        if not query.is_valid():
            name, errors = next(iter(query.errors.items()))
            raise bad_parameter(name, str(errors[0]))
        return dict(query.validated_data)
