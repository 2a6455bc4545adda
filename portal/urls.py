from django.urls import path

from portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_article, name="help-article"),
    path("<uuid:account_id>/", views.home, name="account"),
]
