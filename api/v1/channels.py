"""``support/channels``: ways to reach support, issue guides, and what an account is entitled to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.queries.workspace import workspace_day
from api.schema import IF_MATCH
from api.scope import require_editable
from api.serializers import RowSerializer
from api.v1.sla import body_of
from api.views import Endpoint
from support import actions
from support.models import AccountReview, IssueGuide, SupportChannel
from support.queries.account_reviews import next_review
from support.queries.channels import channels_shown, entitlements, reach_of


class ChannelSerializer(RowSerializer):
    class Meta:
        model = SupportChannel
        fields = """id pack key name use address own_address calendar tier_calendars tier_keys is_offered
            version""".split()
        paths = {"calendar": "calendar__key"}
        versioned = True


class ChannelBody(serializers.Serializer):
    """Where customers reach a channel, and whether it is offered to them."""

    own_address = serializers.CharField(max_length=200, allow_blank=True)
    is_offered = serializers.BooleanField()


class ChannelList(Endpoint):
    policy = {"GET": "tickets.view"}
    serializer_class = ChannelSerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List ways to reach support")
    def get(self, request: Request) -> Response:
        return self.page(channels_shown().filter(**self.query))


class ChannelDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure"}
    serializer_class = ChannelSerializer

    @extend_schema(summary="Read a way to reach support")
    def get(self, request: Request, channel_id: UUID) -> Response:
        return self.one(channels_shown(), pk=channel_id)

    @extend_schema(summary="Set your own address of a channel", request=ChannelBody, parameters=[IF_MATCH])
    def patch(self, request: Request, channel_id: UUID) -> Response:
        row = get_object_or_404(channels_shown(), pk=channel_id)
        kept: dict[str, Any] = {"own_address": row.own_address, "is_offered": row.is_offered}
        values = kept | body_of(self, ChannelBody, partial=True)
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.set_channel(row, **values, **given)
        return self.one(channels_shown(), pk=channel_id)


class GuideSerializer(RowSerializer):
    class Meta:
        model = IssueGuide
        fields = "id pack key name causes fixes prevention".split()


class GuideList(Endpoint):
    policy = {"GET": "tickets.view"}
    serializer_class = GuideSerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List issue guides")
    def get(self, request: Request) -> Response:
        return self.page(IssueGuide.objects.filter(**self.query))


class AccountSupport(Endpoint):
    policy = {"GET": "tickets.view"}

    @extend_schema(
        summary="What support an account is entitled to, and how it may be reached now",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        rows = Account.objects.visible_to(self.user).select_related("tier", "stage")
        account = get_object_or_404(rows, pk=account_id)
        review = next_review(account, today=workspace_day(timezone.now()))
        return Response({
            "entitlements": [{"feature": each.feature, "from": each.from_plan} for each in entitlements(account)],
            "next_review": {
                "on": review.on.isoformat() if review.on else None, "agreed": review.is_agreed, "late": review.is_late,
                "name": review.name, "every": review.every, "version": review.version,
                "held_on": review.held_on.isoformat() if review.held_on else None,
            },
            "channels": [
                {
                    "key": each.channel.key, "name": each.channel.name, "address": each.channel.own_address,
                    "hours": each.hours, "open": each.is_open,
                    "opens_at": each.opens_at.isoformat() if each.opens_at else None,
                }
                for each in reach_of(account, at=timezone.now())
            ],
        })  # fmt: skip


class ServiceReviewSerializer(RowSerializer):
    class Meta:
        model = AccountReview
        fields = "account next_on held_on version".split()
        versioned = True


class ServiceReviewBody(serializers.Serializer):
    """The day agreed for the next review (null: as its cadence has it), and one that was held."""

    next_on = serializers.DateField(allow_null=True)
    held_on = serializers.DateField(required=False, allow_null=True)
    outcome = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="Of the one held")


class AccountServiceReview(Endpoint):
    policy = {"PUT": "accounts.edit"}
    serializer_class = ServiceReviewSerializer

    @extend_schema(
        summary="Agree the next review of an account's service, or note one held",
        request=ServiceReviewBody, parameters=[IF_MATCH],
    )  # fmt: skip
    def put(self, request: Request, account_id: UUID) -> Response:
        account = get_object_or_404(Account.objects.visible_to(self.user), pk=account_id)
        require_editable(self.user, account.pk)
        values = body_of(self, ServiceReviewBody)
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.keep_review(account, **values, **given)
        return self.one(AccountReview.objects.all(), account=account.pk)


urlpatterns = [
    path("support/channels/", ChannelList.as_view(), name="channel-list"),
    path("support/channels/<uuid:channel_id>/", ChannelDetail.as_view(), name="channel-detail"),
    path("support/issue-guides/", GuideList.as_view(), name="guide-list"),
    path("accounts/<uuid:account_id>/support/", AccountSupport.as_view(), name="account-support"),
    path("accounts/<uuid:account_id>/support/review/", AccountServiceReview.as_view(), name="account-service-review"),
]
