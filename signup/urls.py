"""Addresses of the public host."""

from django.urls import path

from signup import views

app_name = "signup"
urlpatterns = [
    path("", views.home, name="home"),
    path("signup/", views.sign_up, name="sign-up"),
    path("signup/sub-domain/", views.check_slug, name="check-slug"),
    path("signup/<str:token>/", views.progress, name="progress"),
]
