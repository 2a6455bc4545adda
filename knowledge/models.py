"""Articles, their texts, reviews and votes, and what people looked for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q

from accounts.choices import PORTAL_ROLES
from accounts.models import Account
from knowledge.choices import Audience, Place, ReviewKind, State
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User

# The dictionary of every index and query; both sides must agree.
DICTIONARY = "english"


class Category(TenantModel):
    """A shelf of the knowledge base, from a pack or the workspace's own."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    detail = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    pack = models.CharField(max_length=20, blank=True, help_text="Pack that brought it; empty: the workspace's own")

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["position", "title"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.title


class ArticleQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> ArticleQuerySet:
        """Colleagues read everything; customers what is published for them, limited ones only if they are meant."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.role not in PORTAL_ROLES:
            return self
        mine = Article.accounts.through.objects.filter(account__in=Account.objects.visible_to(user))
        return self.published().filter(Q(is_limited=False) | Q(pk__in=mine.values("article")), audience=Audience.PUBLIC)

    def published(self) -> ArticleQuerySet:
        return self.exclude(published=None)

    def to_maintain(self, on: date) -> ArticleQuerySet:
        """Published ones whose next check of accuracy was due before ``on``."""
        return self.published().filter(check_on__lt=on)


class Article(TenantModel):
    """One answer. ``published`` is the text that readers see, ``latest`` the one being worked on.

    ``slug`` is its address and stays when the title changes.
    """

    slug = models.SlugField(max_length=120, unique=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="articles")
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.INTERNAL)
    accounts = models.ManyToManyField(Account, related_name="articles", blank=True)
    is_limited = models.BooleanField(default=False, help_text="Only customers among ``accounts`` read it (MNA-4.4)")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    # The latest text's title, for lists.
    title = models.CharField(max_length=200)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    owner = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="articles")
    published = models.OneToOneField(
        "knowledge.Text", null=True, blank=True, on_delete=models.PROTECT, related_name="published_as"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    check_every_days = models.PositiveSmallIntegerField(default=180)
    check_on = models.DateField(null=True, blank=True, help_text="When somebody has to see whether it still holds")
    helpful = models.PositiveIntegerField(default=0)
    unhelpful = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = ArticleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="article_state_known"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="article_audience_known"),
            models.CheckConstraint(
                condition=~Q(state=State.PUBLISHED) | Q(published__isnull=False), name="article_published_has_text"
            ),
            models.CheckConstraint(
                condition=Q(published=None, published_at=None) | Q(published__isnull=False, published_at__isnull=False),
                name="article_published_at_iff_published",
            ),
            models.CheckConstraint(
                condition=Q(check_every_days__gte=1, check_every_days__lte=1095), name="article_checked_within_3_years"
            ),
        ]
        indexes = [
            models.Index(fields=["category", "title"], name="article_by_category"),
            models.Index(fields=["-updated_at", "id"], name="article_newest"),
            models.Index(fields=["check_on"], condition=Q(published__isnull=False), name="article_to_maintain"),
        ]

    def __str__(self) -> str:
        return self.title


class Text(TenantModel):
    """One version of an article's words. Never changed once somebody reviewed or published it."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="texts")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=300, blank=True)
    body = models.TextField(help_text="Markdown")
    words = models.TextField(help_text="The body's words, for search")
    author = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config=DICTIONARY)
        + SearchVector("summary", weight="B", config=DICTIONARY)
        + SearchVector("words", weight="C", config=DICTIONARY),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="text_number_once")]
        indexes = [GinIndex(fields=["search"], name="text_search")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class Review(TenantModel):
    """What somebody other than its author said of a text."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="reviews")
    kind = models.CharField(max_length=10, choices=ReviewKind.choices)
    reviewer = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    is_approval = models.BooleanField()
    note = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(fields=["text", "kind"], name="review_kind_once_a_text"),
            models.CheckConstraint(condition=Q(kind__in=ReviewKind.values), name="review_kind_known"),
            models.CheckConstraint(condition=Q(is_approval=True) | ~Q(note=""), name="review_refusal_has_reason"),
        ]


class Vote(TenantModel):
    """Whether an article helped somebody; their latest word."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    is_helpful = models.BooleanField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["article", "user"], name="vote_once_a_person")]


class Lookup(TenantModel):
    """Something a person looked for and the article that answered it, or none: deflection, and what is missing."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=10, choices=Place.choices)
    query = models.CharField(max_length=200, blank=True)
    article = models.ForeignKey(Article, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(place__in=Place.values), name="lookup_place_known")]
        indexes = [models.Index(fields=["-at"], name="lookup_newest")]


class Picture(TenantModel):
    """A picture in an article, seen by whoever may read the article."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="pictures")
    file = models.FileField(upload_to="knowledge")
    name = models.CharField(max_length=120)
    added_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["added_at"]
