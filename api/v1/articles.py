"""``kb/articles``: the knowledge base, from draft to reader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, choice, text, whole
from accounts.models import Account
from api.schema import IF_MATCH
from api.serializers import QuerySerializer, RowSerializer, invalid, record
from api.views import Endpoint
from knowledge import actions, queries
from knowledge.actions.writing import MOST_CHARACTERS
from knowledge.choices import Audience, ReviewKind, State
from knowledge.models import Article, Category

WORDS = {
    "title": text(200, required=True),
    "summary": text(300),
    "body": text(MOST_CHARACTERS, required=True, lines=True, help="Markdown"),
    "category": text(60, required=True, help="Key of a category"),
    "audience": choice(Audience.values, empty=Audience.INTERNAL),
    "tags": text(500, help="Separated by commas"),
    "check_every_days": whole(1, 1095, empty=180, help="After how many days somebody checks that it still holds"),
    "account": text(120, help="Only this customer reads it: its external id or id"),
}
NewArticle = record("NewArticle", WORDS)
ChangedArticle = record("ChangedArticle", WORDS)
ReviewRecord = record(
    "ReviewRecord",
    {
        "kind": choice(ReviewKind.values),
        "verdict": choice(["approve", "refuse"]),
        "note": text(4000, lines=True, help="Needed when it is refused"),
    },
)


class ArticleSerializer(RowSerializer):
    title = serializers.CharField(help_text="Of the latest text")

    class Meta:
        model = Article
        fields = """id slug title state audience is_limited category tags author published_title published_summary
            published_body published_at check_on check_every_days helpful unhelpful created_at updated_at
            version""".split()
        paths = {
            "category": "category__key",
            "author": "owner__email",
            "published_title": "published__title",
            "published_summary": "published__summary",
            "published_body": "published__body",
        }
        versioned = True


class ArticleQuery(QuerySerializer):
    state = serializers.ChoiceField(State.choices)
    audience = serializers.ChoiceField(Audience.choices)
    category = serializers.CharField(source="category__key", help_text="Key of a category")
    overdue = serializers.BooleanField(help_text="Only those whose check of accuracy is overdue, or only the others")
    q = serializers.CharField(max_length=200, help_text="Words of the published text, as typed into a search")


class ArticleList(Endpoint):
    policy = {"GET": "kb.view", "POST": "kb.write"}
    serializer_class = ArticleSerializer
    query_class = ArticleQuery
    ordering_fields = {"id": "pk", "title": "title", "updated_at": "updated_at"}
    ordering = "-updated_at"

    @extend_schema(summary="List articles")
    def get(self, request: Request) -> Response:
        query = self.query
        words, overdue = query.pop("q", ""), query.pop("overdue", None)
        rows = Article.objects.visible_to(self.user).filter(**query)
        if words:
            rows = rows.filter(published__search=queries.every_word(words))
        if overdue is not None:
            late = Article.objects.to_maintain(timezone.localdate()).values("pk")
            rows = rows.filter(pk__in=late) if overdue else rows.exclude(pk__in=late)
        return self.page(rows)

    @extend_schema(summary="Write a draft", request=NewArticle)
    def post(self, request: Request) -> Response:
        values = _resolved(self.read(NewArticle))
        article = actions.write_article(actor=self.user, at=timezone.now(), **values)
        return self.one(_rows(self), 201, pk=article.pk)


class ArticleDetail(Endpoint):
    policy = {"GET": "kb.view", "PATCH": "kb.write"}
    serializer_class = ArticleSerializer

    @extend_schema(summary="Read an article")
    def get(self, request: Request, article_id: UUID) -> Response:
        return self.one(_rows(self), pk=article_id)

    @extend_schema(
        summary="Change an article",
        description="Words that were reviewed or published stay as a version; the next one begins as a draft.",
        request=ChangedArticle,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, article_id: UUID) -> Response:
        article = _article(self, article_id)
        values = _resolved(self.read(ChangedArticle, partial=True))
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.revise_article(article, **given, **values)
        return self.one(_rows(self), pk=article_id)


class ArticleVerb(Endpoint):
    """A step of an article; the subclass says which."""

    serializer_class = ArticleSerializer
    verb: ClassVar[Callable[..., object]]

    def step(self, article_id: UUID, **more: Any) -> Response:
        """Take the step; the article as it is then."""
        article = _article(self, article_id)
        given: dict[str, datetime | Any] = {"actor": self.user, "at": timezone.now()}
        type(self).verb(article, expected_version=self.expected_version, **given, **more)
        return self.one(_rows(self), pk=article_id)


class ArticleSubmit(ArticleVerb):
    policy = {"POST": "kb.write"}
    verb = actions.submit_article

    @extend_schema(summary="Ask for the reviews of a draft", request=None, parameters=[IF_MATCH])
    def post(self, request: Request, article_id: UUID) -> Response:
        return self.step(article_id)


class ArticleReview(ArticleVerb):
    policy = {"POST": "kb.write"}
    verb = actions.review_text

    @extend_schema(summary="Approve or refuse a text in review", request=ReviewRecord, parameters=[IF_MATCH])
    def post(self, request: Request, article_id: UUID) -> Response:
        values = self.read(ReviewRecord)
        missing = [name for name in ("kind", "verdict") if name not in values]
        if missing:
            raise invalid(FieldError(missing[0], "required", "This is needed."))
        return self.step(
            article_id, kind=values["kind"], approve=values["verdict"] == "approve", note=values.get("note", "")
        )


class ArticlePublish(ArticleVerb):
    policy = {"POST": "kb.publish"}
    verb = actions.publish_article

    @extend_schema(summary="Publish a text with both reviews", request=None, parameters=[IF_MATCH])
    def post(self, request: Request, article_id: UUID) -> Response:
        return self.step(article_id)


class ArticleRetire(ArticleVerb):
    policy = {"POST": "kb.publish"}
    verb = actions.retire_article

    @extend_schema(summary="Take an article from its readers", request=None, parameters=[IF_MATCH])
    def post(self, request: Request, article_id: UUID) -> Response:
        return self.step(article_id)


def _rows(view: Endpoint) -> QuerySet[Article]:
    return Article.objects.visible_to(view.user)


def _article(view: Endpoint, article_id: UUID) -> Article:
    article = _rows(view).filter(pk=article_id).first()
    if article is None:
        raise Http404
    return article


def _resolved(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the actions take them: rows for keys. Raises ValidationError for a key that is not there."""
    account: Account | None = values.pop("account", None)
    if account is not None:
        values["accounts"] = [account]
    if "tags" in values:
        values["tags"] = list(dict.fromkeys(tag.strip() for tag in values["tags"].split(",") if tag.strip()))
    if "category" in values:
        category = Category.objects.filter(key=values["category"]).first()
        if category is None:
            raise invalid(FieldError("category", "unknown", "There is no such category."))
        values["category"] = category
    return values


urlpatterns = [
    path("kb/articles/", ArticleList.as_view(), name="article-list"),
    path("kb/articles/<uuid:article_id>/", ArticleDetail.as_view(), name="article-detail"),
    path("kb/articles/<uuid:article_id>/submit/", ArticleSubmit.as_view(), name="article-submit"),
    path("kb/articles/<uuid:article_id>/review/", ArticleReview.as_view(), name="article-review"),
    path("kb/articles/<uuid:article_id>/publish/", ArticlePublish.as_view(), name="article-publish"),
    path("kb/articles/<uuid:article_id>/retire/", ArticleRetire.as_view(), name="article-retire"),
]
