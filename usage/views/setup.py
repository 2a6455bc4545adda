"""What usage means here: the metrics that may be stated, and the key features."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from usage.actions import define_key_features, define_metric
from usage.catalogue import DERIVED
from usage.forms import DefinitionForm, FeaturesForm, features_as_text
from usage.models import FeatureSlot, MetricDefinition
from usage.tasks import rebuild_on_commit


@requires(GET="usage.view", POST="methodology.edit")
def metric_index(request: HttpRequest) -> HttpResponse:
    """Every metric with its bounds and where it comes from; administrators add their own."""
    form = DefinitionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = define_metric(form.cleaned_data["key"], actor=request.user, at=timezone.now(), **form.values())
        except RuleViolated as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, f"{row.name} can be stated now.")
            return redirect("usage:metric-list")
    definitions = list(MetricDefinition.objects.all())
    stated = {definition.key for definition in definitions}
    context = {
        "definitions": [(definition, DERIVED.get(definition.key)) for definition in definitions],
        "computed": [(key, one) for key, one in sorted(DERIVED.items()) if key not in stated],
        "form": form,
        "may_edit": may(request.user, "methodology.edit"),
    }
    return render(request, "usage/metric_list.html", context, status=422 if form.is_bound else 200)


@requires(GET="usage.view", POST="methodology.edit")
def feature_index(request: HttpRequest) -> HttpResponse:
    """The key features; a change refills the daily rows from the stored events."""
    slots = list(FeatureSlot.objects.all())
    form = FeaturesForm(request.POST or None, initial={"features": features_as_text(slots)})
    may_edit = may(request.user, "methodology.edit")
    if request.method == "POST" and not may_edit:
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        define_key_features(form.cleaned_data["features"], actor=request.user, at=timezone.now())
        rebuild_on_commit()
        messages.success(request, "Saved. The figures are being made anew from the stored events.")
        return redirect("usage:feature-list")
    context = {"slots": slots, "form": form, "may_edit": may_edit}
    return render(request, "usage/feature_list.html", context, status=422 if form.is_bound else 200)
