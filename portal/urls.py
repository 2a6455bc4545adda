from django.urls import path

from portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("<uuid:account_id>/", views.home, name="account"),
]
