"""The categories, which order the knowledge base."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.policy import requires
from knowledge import actions, queries
from knowledge.forms import CategoryForm
from knowledge.models import Category


@requires(GET="kb.publish", POST="kb.publish")
def shelves(request: HttpRequest) -> HttpResponse:
    """Every category with its readers' articles, and one more."""
    form = CategoryForm(request.POST or None)
    if (
        form.is_bound
        and form.is_valid()
        and form.run(lambda: actions.create_category(actor=request.user, at=timezone.now(), **form.cleaned_data))
    ):
        return redirect("knowledge:category-list")
    context = {"form": form, "categories": queries.categories(request.user)}
    return render(request, "knowledge/categories.html", context, status=422 if form.is_bound else 200)


@requires(GET="kb.publish", POST="kb.publish")
def shelf(request: HttpRequest, category_id: UUID) -> HttpResponse:
    """Rename, explain or move one."""
    category = get_object_or_404(Category, pk=category_id)
    initial = {"title": category.title, "detail": category.detail, "position": category.position}
    form = CategoryForm(request.POST or None, initial=initial)

    def update() -> None:
        given = {**form.cleaned_data, "position": form.cleaned_data["position"] or 0}
        actions.update_category(category, actor=request.user, at=timezone.now(), **given)

    if form.is_bound and form.is_valid() and form.run(update):
        return redirect("knowledge:category-list")
    context = {"form": form, "category": category}
    return render(request, "knowledge/category.html", context, status=422 if form.is_bound else 200)
