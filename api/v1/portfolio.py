"""``portfolio``: the leader's figures with what they mean, and how those of revenue fit each other."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers import BodySerializer, QuerySerializer
from api.views import Endpoint
from health.actions.figure_targets import set_targets
from health.book.choices import scope_choices
from health.book.figures import FIGURES, FORMULAS, TARGETED, is_met
from health.book.filters import MINE, NOBODY
from health.book.keeping import kept
from health.book.portfolio import Figures, figures_of
from health.book.reconcile import Equation, reconcile
from health.book.scope import DEFAULT_PERIOD, EARLIEST, PERIODS, Scope, is_whole
from health.pages.portfolio_words import definition

KEYS = ("nrr", "grr", "churn", "arr", "risk", "renewing", "accounts", "scored", "coverage", "fresh", "score")


class PortfolioQuery(QuerySerializer):
    owner = serializers.CharField(help_text="An owner's id, `me` or `none`")
    tier = serializers.UUIDField()
    segment = serializers.CharField(max_length=60, help_text="One that was typed in, or the id of one by rule")
    card = serializers.CharField(max_length=60, help_text="The key of a scorecard")
    on = serializers.DateField(help_text="The day of the figures; today if absent")
    since = serializers.DateField(help_text="The day they are compared with")
    period = serializers.ChoiceField(
        list(PERIODS), help_text=f"A period that ends on the day, instead of `since`; {DEFAULT_PERIOD} days if absent"
    )

    def validate_owner(self, value: str) -> str:
        return value if value in {MINE, NOBODY} else str(serializers.UUIDField().run_validation(value))

    def validate_on(self, value: date) -> date:
        if not EARLIEST <= value <= timezone.localdate():
            raise serializers.ValidationError("A day from 2000 to today.")
        return value

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        since = values.get("since")
        if since is not None and not EARLIEST <= since < values.get("on", timezone.localdate()):
            raise serializers.ValidationError({"since": "A day from 2000 to the one before `on`."})
        return values


class PortfolioFigureSerializer(serializers.Serializer):
    key = serializers.CharField()
    label = serializers.CharField()
    unit = serializers.ChoiceField(["money", "percent", "points", "count"])
    value = serializers.DecimalField(None, 6, allow_null=True, help_text="Null where it cannot be said")
    before = serializers.DecimalField(None, 6, allow_null=True, help_text="On the day compared with")
    target = serializers.DecimalField(
        None,
        2,
        allow_null=True,
        help_text="Of the whole portfolio; null where none is set or anything is filtered",
    )
    is_met = serializers.BooleanField(allow_null=True, help_text="Whether the figure is on the good side of its target")
    good = serializers.ChoiceField(["up", "down", "neither"], help_text="The welcome direction")
    definition = serializers.CharField()
    formula = serializers.CharField()


class PortfolioSerializer(serializers.Serializer):
    on = serializers.DateField()
    since = serializers.DateField()
    currency = serializers.CharField()
    other_currencies = serializers.IntegerField(help_text="Accounts whose money is left out: they pay in another")
    computed_at = serializers.DateTimeField(allow_null=True, help_text="When the newest score of today was computed")
    figures = PortfolioFigureSerializer(many=True)


class EquationLineSerializer(serializers.Serializer):
    label = serializers.CharField()
    amount = serializers.DecimalField(None, 2)
    accounts = serializers.IntegerField(allow_null=True)


class EquationSerializer(serializers.Serializer):
    key = serializers.CharField()
    title = serializers.CharField()
    lines = EquationLineSerializer(many=True)
    stated = serializers.DecimalField(None, 2, help_text="The figure that the lines have to give")
    difference = serializers.DecimalField(None, 2, help_text="What the lines do not explain")


class ReconciliationSerializer(serializers.Serializer):
    on = serializers.DateField()
    since = serializers.DateField()
    currency = serializers.CharField()
    difference = serializers.DecimalField(None, 2, help_text="Of all equations, each counted without its sign")
    equations = EquationSerializer(many=True)


class _OfScope(Endpoint):
    """An answer about the scope in the address."""

    policy = {"GET": "portfolio.view"}
    query_class = PortfolioQuery

    @property
    def scope(self) -> Scope:
        return Scope.read({name: str(value) for name, value in self.query.items()}, timezone.localdate())

    def about(self, scope: Scope, **told: Any) -> Response:
        """The answer, which begins with the days and the currency it is about."""
        head = {"on": scope.on, "since": scope.since, "currency": self.user.workspace_settings.currency}
        return Response(self.serializer_class({**head, **told}).data)


class Portfolio(_OfScope):
    serializer_class = PortfolioSerializer

    @extend_schema(
        summary="Figures of the portfolio",
        description="What the portfolio page says, as you may see it. Money is in the workspace's currency.",
        parameters=[PortfolioQuery],
        responses=PortfolioSerializer,
    )
    def get(self, request: Request) -> Response:
        scope, currency = self.scope, self.user.workspace_settings.currency
        data = kept("figures", self.user, scope, lambda: figures_of(self.user, scope, currency))
        targets = scope_choices(self.user).targets if is_whole(self.user, scope) else {}
        return self.about(
            scope,
            other_currencies=data.now.other_currencies,
            computed_at=data.now.computed_at,
            figures=[_figure(key, data, targets, currency) for key in KEYS],
        )


def _figure(key: str, data: Figures, targets: dict[str, Decimal], currency: str) -> dict[str, Any]:
    figure, target = FIGURES[key], targets.get(key)
    return {
        "key": key,
        "label": figure.label,
        "unit": figure.unit,
        "value": data.value(key),
        "before": data.value_before(key),
        "target": target,
        "is_met": is_met(figure, data.value(key), target),
        "good": figure.good,
        "definition": definition(figure, None, currency),
        "formula": FORMULAS[figure.formula].words,
    }


class PortfolioReconciliation(_OfScope):
    serializer_class = ReconciliationSerializer

    @extend_schema(
        summary="How the figures of revenue fit each other",
        description="Equations between ARR, its movements, its parts and the contracts; every difference should be 0.",
        parameters=[PortfolioQuery],
        responses=ReconciliationSerializer,
    )
    def get(self, request: Request) -> Response:
        scope, currency = self.scope, self.user.workspace_settings.currency
        found = kept(
            "reconcile", self.user, scope, lambda: reconcile(self.user, scope, currency, scope_choices(self.user))
        )
        equations = [_equation(equation) for equation in found.equations]
        return self.about(scope, difference=found.difference, equations=equations)


def _equation(equation: Equation) -> dict[str, Any]:
    return {
        "key": equation.key,
        "title": equation.title,
        "lines": [line._asdict() for line in equation.lines],
        "stated": equation.stated,
        "difference": equation.difference,
    }


def _target(key: str) -> serializers.DecimalField:
    return serializers.DecimalField(18, 2, min_value=0, required=False, allow_null=True, help_text=FIGURES[key].label)


FigureTargetsSerializer = type("FigureTargetsSerializer", (BodySerializer,), {key: _target(key) for key in TARGETED})


class PortfolioTargets(Endpoint):
    policy = {"GET": "portfolio.view", "PATCH": "portfolio.targets"}
    serializer_class = FigureTargetsSerializer

    @extend_schema(summary="Targets of the portfolio", responses=FigureTargetsSerializer)
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        return Response(_all_targets(scope_choices(self.user).targets))

    @extend_schema(
        summary="Set targets of the portfolio",
        description="Those named are set, null takes one away, the others stay.",
        request=FigureTargetsSerializer,
        responses=FigureTargetsSerializer,
    )
    def patch(self, request: Request) -> Response:
        values = self.read(FigureTargetsSerializer, partial=True)
        return Response(_all_targets(set_targets(values, actor=self.user, at=timezone.now())))


def _all_targets(known: dict[str, Decimal]) -> dict[str, str | None]:
    return {key: f"{known[key]:.2f}" if key in known else None for key in TARGETED}


urlpatterns = [
    path("portfolio/", Portfolio.as_view(), name="portfolio"),
    path("portfolio/targets/", PortfolioTargets.as_view(), name="portfolio-targets"),
    path("portfolio/reconciliation/", PortfolioReconciliation.as_view(), name="portfolio-reconciliation"),
]
