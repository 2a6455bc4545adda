"""Addresses of the knowledge base, under ``/kb/``."""

from django.urls import path

from knowledge.views import articles, reading, shelves, verbs

app_name = "knowledge"
urlpatterns = [
    path("", articles.index, name="article-list"),
    path("new/", articles.create, name="article-create"),
    path("preview/", articles.preview, name="preview"),
    path("suggest/", reading.suggest, name="suggest"),
    path("gaps/", reading.gap, name="gap"),
    path("insights/", articles.insights, name="insights"),
    path("categories/", shelves.shelves, name="category-list"),
    path("categories/<uuid:category_id>/", shelves.shelf, name="category-edit"),
    path("pictures/<uuid:picture_id>/", reading.picture, name="picture"),
    path("articles/<slug:slug>/", articles.article, name="article-detail"),
    path("articles/<slug:slug>/edit/", articles.edit, name="article-edit"),
    path("articles/<slug:slug>/history/", articles.history, name="article-history"),
    path("articles/<slug:slug>/pictures/", verbs.add_picture, name="picture-add"),
    path("articles/<slug:slug>/submit/", verbs.submit, name="article-submit"),
    path("articles/<slug:slug>/review/", verbs.review, name="article-review"),
    path("articles/<slug:slug>/publish/", verbs.publish, name="article-publish"),
    path("articles/<slug:slug>/confirm/", verbs.confirm, name="article-confirm"),
    path("articles/<slug:slug>/retire/", verbs.retire, name="article-retire"),
    path("articles/<slug:slug>/vote/", reading.vote, name="article-vote"),
    path("articles/<slug:slug>/solved/", reading.solved, name="article-solved"),
]
