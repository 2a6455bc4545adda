"""``health/reviews``: weekly and monthly reviews of the portfolio and what they ask for on each account."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.scope import editable_row
from api.serializers import BodySerializer, QuerySerializer, RowSerializer
from api.views import Endpoint
from health.actions.reviews import close_review, settle_item, start_review, tick_step
from health.choices import Rag, ReviewKind
from health.models import HealthReview, ReviewItem


class ReviewSerializer(RowSerializer):
    class Meta:
        model = HealthReview
        fields = "id kind first_on last_on steps trends started_at started_by closed_at closed_by".split()
        paths = {"started_by": "started_by__email", "closed_by": "closed_by__email"}


class ItemSerializer(RowSerializer):
    class Meta:
        model = ReviewItem
        fields = "id account name owner rag band_name shown change ask detail with_lead note done_at done_by".split()
        paths = {"name": "account__name", "owner": "owner__email", "done_by": "done_by__email"}


class ReviewQuery(QuerySerializer):
    kind = serializers.ChoiceField(ReviewKind.choices, required=False)


class ItemQuery(QuerySerializer):
    rag = serializers.ChoiceField(Rag.choices, required=False)


class NewReviewSerializer(BodySerializer):
    kind = serializers.ChoiceField(ReviewKind.choices, help_text="This week's or this month's")


class ReviewChangeSerializer(BodySerializer):
    step = serializers.IntegerField(required=False, help_text="Number of a step to tick, or to open again")
    done = serializers.BooleanField(required=False, default=True, help_text="Of the step")
    trends = serializers.CharField(required=False, max_length=5000, help_text="What it showed; closes the review")


class ItemChangeSerializer(BodySerializer):
    done = serializers.BooleanField()
    note = serializers.CharField(
        required=False, max_length=500, allow_blank=True, help_text="What was noted stays if absent"
    )


class ReviewList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    serializer_class = ReviewSerializer
    query_class = ReviewQuery
    ordering_fields = {"first_on": "first_on"}
    ordering = "-first_on"

    @extend_schema(summary="List reviews")
    def get(self, request: Request) -> Response:
        return self.page(HealthReview.objects.filter(**self.query))

    @extend_schema(
        summary="Start this week's or this month's review",
        description="With an item for each account it looks at; every owner is told.",
        request=NewReviewSerializer,
        responses={201: ReviewSerializer},
    )
    def post(self, request: Request) -> Response:
        review = start_review(self.read(NewReviewSerializer)["kind"], actor=self.user, at=timezone.now())
        return self.one(HealthReview.objects.all(), 201, pk=review.pk)


class ReviewDetail(Endpoint):
    policy = {"GET": "health.view", "PATCH": "health.configure"}
    serializer_class = ReviewSerializer

    @extend_schema(summary="Read a review")
    def get(self, request: Request, review_id: UUID) -> Response:
        return self.one(HealthReview.objects.all(), pk=review_id)

    @extend_schema(
        summary="Tick a step, or close the review with its trends",
        description="A closed review stays as it was.",
        request=ReviewChangeSerializer,
    )
    def patch(self, request: Request, review_id: UUID) -> Response:
        review = get_object_or_404(HealthReview, pk=review_id)
        values, now = self.read(ReviewChangeSerializer), timezone.now()
        if "step" in values:
            tick_step(review, values["step"], done=values["done"], actor=self.user, at=now)
        if "trends" in values:
            close_review(review, trends=values["trends"], actor=self.user, at=now)
        return self.one(HealthReview.objects.all(), pk=review_id)


class ReviewItems(Endpoint):
    policy = {"GET": "health.view"}
    serializer_class = ItemSerializer
    query_class = ItemQuery
    ordering_fields = {"name": "account__name"}
    ordering = "name"

    @extend_schema(summary="What a review asks for, account by account")
    def get(self, request: Request, review_id: UUID) -> Response:
        review = get_object_or_404(HealthReview, pk=review_id)
        return self.page(ReviewItem.objects.visible_to(self.user).filter(review=review, **self.query))


class ReviewItemDetail(Endpoint):
    policy = {"PATCH": "health.override"}
    serializer_class = ItemSerializer

    @extend_schema(summary="Tick what a review asks for on an account", request=ItemChangeSerializer)
    def patch(self, request: Request, item_id: UUID) -> Response:
        item = editable_row(ReviewItem.objects.select_related("review"), self.user, item_id)
        settle_item(item, actor=self.user, at=timezone.now(), **self.read(ItemChangeSerializer))
        return self.one(ReviewItem.objects.all(), pk=item_id)


urlpatterns = [
    path("health/reviews/", ReviewList.as_view(), name="review-list"),
    path("health/reviews/<uuid:review_id>/", ReviewDetail.as_view(), name="review-detail"),
    path("health/reviews/<uuid:review_id>/items/", ReviewItems.as_view(), name="review-items"),
    path("health/review-items/<uuid:item_id>/", ReviewItemDetail.as_view(), name="review-item"),
]
